"""filter --show and --html on made cycles: which series of a rule are shown, and what is refused."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

import tsclust
from tests.postgres.test_cli import tsclust as command
from tests.support import series as made
from tests.support.pages import CLIPPED, Opened
from tests.support.screened import RULES, shown, workspace
from tsclust.errors import DamagedError, SettingsError, StageMissingError, WorkspaceBusyError
from tsclust.pipeline import filter_show
from tsclust.stages.reports import rejected_page


@pytest.fixture(scope="module")
def cycles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 made cycles: for reading, and for pages."""
    return workspace(tmp_path_factory.mktemp("cycles") / "ws", made.cycles(2_000)[0], part_rows=300)


@pytest.fixture
def own(cycles: Path, tmp_path: Path) -> Path:
    """A copy of it, for changing."""
    return Path(shutil.copytree(cycles, tmp_path / "ws", ignore=shutil.ignore_patterns("reports")))


def contents(root: Path) -> dict[str, str]:
    files = (p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


# Which ones are shown


def test_the_same_ones_for_any_parts(cycles: Path, tmp_path: Path) -> None:
    one = workspace(tmp_path / "ws", made.cycles(2_000)[0])
    for rule in ("stuck", "gaps"):
        a, b = shown(cycles, rule), shown(one, rule)
        assert (a.ids, a.sketches) == (b.ids, b.sketches)
        assert len(a.sketches) == 20
    pages = [Path(shown(root, "stuck", html=True).wrote or "").read_bytes() for root in (cycles, one)]
    assert pages[0] == pages[1]


def test_they_are_those_that_the_files_say(cycles: Path) -> None:
    features = pl.read_parquet(cycles / "features" / "*.parquet").filter(pl.col("rejected_by") == "stuck")
    series = {row["series_id"]: row for row in pl.read_parquet(cycles / "series" / "*.parquet").iter_rows(named=True)}
    all_ids = shown(cycles, "stuck", limit=0).ids
    assert set(all_ids) == set(features["series_id"])
    result = shown(cycles, "stuck", limit=7)
    assert result.ids == all_ids[:7]  # not the first of the table, and a larger limit only adds
    assert list(result.ids) != sorted(features["series_id"])[:7]
    assert len(result.sketches) == 7
    for series_id, sketch in zip(result.ids, result.sketches, strict=True):
        row = series[series_id]
        assert (sketch.series_id, list(sketch.values)) == (str(series_id), row["values"])
        assert dict(sketch.carried) == {name: row[name] for name in ("machine_id", "direction", "recorded_at")}


def test_more_are_named_and_all_ids_are_to_be_had(cycles: Path) -> None:
    count = tsclust.filter(cycles).facts["rejected"]["stuck"]
    told = command("filter", "--show", "stuck", "--limit", 3, "-w", cycles).stdout
    every = f"tsclust filter -w {cycles} --show stuck --limit 0"
    assert f"  {count - 3} more; the ids of all: {every}\n" in told
    lines = command(*every.split()[1:]).stdout.splitlines()
    assert [int(line) for line in lines if line.isdigit()] == list(shown(cycles, "stuck", limit=0).ids)
    assert "more" not in "".join(lines)


# What it does not do


def test_nothing_is_written_and_clusters_are_not_needed(own: Path) -> None:
    before = contents(own)
    shown(own, "stuck")
    shown(own, "stuck", limit=0)
    assert contents(own) == before
    shown(own, "stuck", html=True)
    assert contents(own).keys() - before.keys() == {"reports/rejected-stuck.html"}
    assert not (own / "clusters").exists()


def test_other_rules_in_the_settings_are_noted_and_not_applied(own: Path) -> None:
    with (own / "tsclust.toml").open("a", encoding="utf-8") as file:
        file.write(RULES)
    result = shown(own, "stuck")
    assert len(result.ids) == 20
    note = "tsclust.toml has other rules than those applied here; to apply them: tsclust filter -w"
    assert [note in n for n in result.notes] == [False, False, False, True]
    with pytest.raises(SettingsError, match=r"'low' stands in .*, but was not applied yet"):
        shown(own, "low")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--show stuk", "no rule is called 'stuk' (did you mean stuck?). The rules are: empty, "),
        ("--show ../x", "no rule is called '../x'. The rules are: empty, "),
        ("--show stuk --html", "did you mean stuck?"),
        ("--show stuck --limit -1", "limit -1: expected"),
        ("--show stuck --dry-run", "Leave one out"),
        ("--html --limit 0", "a page shows 1 to 1,000 series"),
        ("--limit 5", "Add --show RULE"),
    ],
)
def test_errors_name_the_next_step(cycles: Path, words: str, told: str) -> None:
    done = command("filter", *words.split(), "-w", cycles)
    assert (done.returncode, done.stdout) == (3, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_features_it_says_what_to_run(tmp_path: Path) -> None:
    tsclust.init(tmp_path / "ws")
    with pytest.raises(StageMissingError, match="tsclust features"):
        shown(tmp_path / "ws", "stuck")


# Files that are not what they were


def test_other_series_than_those_described_are_refused(own: Path) -> None:
    part = next(iter(sorted((own / "series").glob("part-*"))))
    table = pq.read_table(part)
    pq.write_table(table.slice(0, 10), part)
    with pytest.raises(StageMissingError, match="describes other series than"):
        shown(own, "gaps", limit=1_000)
    pq.write_table(table.set_column(0, "series_id", pa.array(range(-len(table), 0))), part)
    with pytest.raises(StageMissingError, match="describes other series than"):
        shown(own, "gaps", limit=1_000)
    part.unlink()
    with pytest.raises(StageMissingError, match="Run: tsclust features"):
        shown(own, "gaps", limit=1_000)


def test_features_made_again_meanwhile_are_refused(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = rejected_page.choose

    def slowly(*arguments: Any) -> pl.DataFrame:
        chosen = choose(*arguments)
        with (own / "tsclust.toml").open("a", encoding="utf-8") as file:
            file.write(RULES)
        tsclust.filter(own)
        return chosen

    monkeypatch.setattr(filter_show.rejected, "choose", slowly)
    with pytest.raises(WorkspaceBusyError, match="made again while it was read"):
        shown(own, "stuck")


@pytest.mark.parametrize("size", [0, 1_000])
def test_a_damaged_part_is_one_line(own: Path, size: int) -> None:
    part = next((own / "features").glob("part-*"))
    part.write_bytes(part.read_bytes()[:size])
    with pytest.raises(DamagedError, match="cannot be read"):
        shown(own, "stuck")


# The page


@pytest.fixture(scope="module")
def pages(cycles: Path) -> dict[str, Path]:
    """The page of `stuck` by language."""
    found = {}
    for lang in ("en", "ru"):
        result = shown(cycles, "stuck", html=True, flags={"report": {"lang": lang}})
        assert result.wrote == cycles / "reports" / "rejected-stuck.html"
        found[lang] = result.wrote.rename(cycles.parent / f"{lang}.html")
    return found


@pytest.mark.parametrize(("lang", "title"), [("en", "Set aside by the rule “stuck”"), ("ru", "правилом «stuck»")])
def test_the_page_shows_the_series_over_the_normal_ones(
    page: Page, pages: dict[str, Path], cycles: Path, lang: str, title: str
) -> None:
    opened = Opened(page, pages[lang])
    facts = shown(cycles, "stuck", limit=100).facts
    assert facts
    expect(page.locator("h1")).to_contain_text(title)
    assert page.locator("html").get_attribute("lang") == lang
    assert [int(text) for text in page.locator("article h3").all_text_contents()] == facts["ids"]
    assert page.locator("article .typical").count() == len(facts["ids"])
    assert len({p.get_attribute("d") for p in page.locator("article .typical").all()}) == len(facts["ids"])
    assert all(len(p.get_attribute("d") or "") > 100 for p in page.locator("article .normal").all()[:5])
    assert page.locator("article").first.locator("dt").all_text_contents() == ["machine_id", "direction", "recorded_at"]
    text = page.locator("header").inner_text()
    for said in ("longest_flat_run > 0.25 * n_values", "tsclust filter --dry-run", "tsclust.toml"):
        assert said in text
    numbers = [int(re.sub(r"\D", "", dd.split("\n")[0])) for dd in page.locator(".facts dd").all_inner_texts()]
    assert numbers == [facts["rejected"], facts["in_all"], facts["alone"], len(facts["ids"])]
    assert opened.is_quiet()


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize("width", [400, 1280, 1920])
def test_nothing_of_the_page_is_clipped(page: Page, pages: dict[str, Path], lang: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    opened = Opened(page, pages[lang])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CLIPPED) == []
    assert opened.is_quiet()


def test_the_page_has_no_script_and_every_text_is_filled(pages: dict[str, Path]) -> None:
    for path in pages.values():
        html = path.read_text(encoding="utf-8")
        assert "<script" not in html
        assert "default-src 'none'; style-src 'unsafe-inline'" in html
        assert "{" not in html[html.index("<body>") :]


def test_without_a_rule_there_is_a_page_for_each_that_rejected(own: Path) -> None:
    counts = tsclust.filter(own).facts["rejected"]
    result = tsclust.filter(own, html=True, limit=2)
    wanted = [name for name, count in counts.items() if count]
    assert len(wanted) > 3
    assert result.wrote == own / "reports"
    assert sorted(p.name for p in result.wrote.iterdir()) == sorted(f"rejected-{name}.html" for name in wanted)
    assert [p["rule"] for p in result.facts["pages"]] == wanted
    assert all(p["ids"] == list(shown(own, p["rule"], limit=2).ids) for p in result.facts["pages"])
    assert [row[0] for row in result.table] == ["rule", *wanted]
