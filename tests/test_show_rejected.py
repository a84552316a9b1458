"""filter --show and --html: what a rule rejects, in the terminal and as a page, from real stages."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

import tsclust
from tests import made
from tests.pages import CLIPPED, HOSTILE, Opened, seen
from tests.test_cli import on_a_terminal
from tests.test_cli import tsclust as command
from tsclust.errors import DamagedError, SettingsError, StageMissingError, WorkspaceBusyError
from tsclust.pipeline import showing
from tsclust.pipeline.shown import Shown
from tsclust.report import rejected
from tsclust.terminal import ASCII, BLOCKS, sparkline

RULES = """
[[rule]]
name = "low"
when = "max < 3"
reason = "Never above 3"

[[rule]]
name = "lower"
when = "max < 2.5"
reason = "Never above 2.5"
"""


def workspace(root: Path, table: pa.Table, rules: str = "", part_rows: int = 9_999) -> Path:
    """A workspace with these series, described and screened; no clusters/."""
    root.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, root.parent / "in.parquet")
    tsclust.init(root)
    toml = (root / "tsclust.toml").read_text(encoding="utf-8").replace("part_rows = 65536", f"part_rows = {part_rows}")
    (root / "tsclust.toml").write_text(toml + rules, encoding="utf-8")
    tsclust.extract(root, {"source": {"files": str(root.parent / "in.parquet")}})
    tsclust.features(root)
    return root


@pytest.fixture(scope="module")
def cycles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 made cycles: for reading, and for pages."""
    return workspace(tmp_path_factory.mktemp("cycles") / "ws", made.cycles(2_000)[0], part_rows=300)


@pytest.fixture
def own(cycles: Path, tmp_path: Path) -> Path:
    """A copy of it, for changing."""
    return Path(shutil.copytree(cycles, tmp_path / "ws", ignore=shutil.ignore_patterns("reports")))


def run(height: float, *more: float | None) -> list[float | None]:
    """A small run: rest, a peak of this height, a side movement, rest."""
    return [0.0, 0.0, height, 1.5, 1.1, 1.0, 1.1, 1.0, *more, 0.4, 0.0, 0.0]


def by_hand(root: Path, ids: list[Any] | None = None) -> Path:
    """Eight runs: two peaks are below 3, one of them below 2.5."""
    heights = [5.0, 5.1, 2.0, 5.2, 4.9, 2.8, 5.3, 5.0]
    values = [run(h, *([1.1] * 40 if i == 5 else [None, 1.1])) for i, h in enumerate(heights)]
    when = [datetime(2024, 3, 1, 12, i, 30, tzinfo=UTC) for i in range(8)]
    columns = {"series_id": ids or list(range(1, 9)), "machine": [f"W{i}" for i in range(8)], "at": when}
    return workspace(root, pa.table({**columns, "values": values}), RULES)


def shown(root: Path, rule: str, **more: Any) -> Shown:
    result = tsclust.filter(root, show=rule, **more)
    assert isinstance(result, Shown)
    return result


def contents(root: Path) -> dict[str, str]:
    files = (p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


# Lines of bars


@pytest.mark.parametrize(
    ("values", "upper", "lower"),
    [
        ([0, 15], " █", "▁█"),
        (list(range(16)), "        ▁▂▃▄▅▆▇█", "▁▂▃▄▅▆▇█████████"),
        ([0, None, 15.0], "  █", "▁ █"),
        ([-15, 0], " █", "▁█"),
        ([7, 7, 7], "   ", "▁▁▁"),
        ([None, None], "  ", "  "),
        ([], "", ""),
    ],
)
def test_bars_go_from_the_lowest_value_to_the_highest(values: list[float | None], upper: str, lower: str) -> None:
    assert sparkline(values, BLOCKS.bars, 20) == (upper, lower)


def test_bars_in_plain_ascii() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5], ASCII.bars, 20) == ("   .:|", ".:||||")


def test_a_long_series_keeps_its_peaks_and_gaps() -> None:
    values = [1.0] * 50 + [9.0] + [1.0] * 49 + [None] * 100 + [1.0] * 99 + [-6.0]
    assert sparkline(values, BLOCKS.bars, 12) == ("  █         ", "████    ███▁")


# The whole output of a small case


def test_the_whole_output(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws")
    done = command("filter", "--show", "low", "-w", root)
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        re.sub(r"\d+\.\d s", "0.1 s", done.stdout)
        == f"""\
filter 0.1 s
  low: Never above 3
  when max < 3
  rejects 2 series as the first rule, 2 in all, 1 that no other rule rejects
  each curve from its lowest value to its highest; a gap is a missing value
  below the id: machine, at

  6                      51 values   █▁                              2.8
  W5, 2024-03-01 12:05              ▁██▆▇▆▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▃▁ 0

  3                      13 values    █▄▁▁▁▁ ▁                       2
  W2, 2024-03-01 12:02              ▁▁██████ █▄▁▁                    0

next: tsclust filter -w {root} --show low --html
"""
    )
    assert max(map(len, done.stdout.splitlines()[:-1])) < 80


def test_json_has_the_facts_and_the_ids(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws")
    facts = {"rule": "low", "when": "max < 3", "reason": "Never above 3", "rejected": 2, "in_all": 2, "alone": 1}
    told = json.loads(command("filter", "--show", "low", "--json", "-w", root).stdout)
    assert told["facts"] == {**facts, "ids": [6, 3]}
    assert set(told) == {"command", "wrote", "seconds", "peak_mb", "skipped", "then", "facts"}
    told = json.loads(command("filter", "--show", "low", "--limit", "1", "--json", "-w", root).stdout)
    assert told["facts"] == {**facts, "ids": [6]}


def test_a_rule_that_is_never_the_first(tmp_path: Path) -> None:
    result = shown(by_hand(tmp_path / "ws"), "lower")
    assert result.notes[2] == "rejects 0 series as the first rule, 1 in all, 0 that no other rule rejects"
    assert (result.ids, result.sketches, result.endings, result.then) == ((), (), (), "")


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
    choose = rejected.choose

    def slowly(*arguments: Any) -> pl.DataFrame:
        chosen = choose(*arguments)
        with (own / "tsclust.toml").open("a", encoding="utf-8") as file:
            file.write(RULES)
        tsclust.filter(own)
        return chosen

    monkeypatch.setattr(showing.rejected, "choose", slowly)
    with pytest.raises(WorkspaceBusyError, match="made again while it was read"):
        shown(own, "stuck")


@pytest.mark.parametrize("size", [0, 1_000])
def test_a_damaged_part_is_one_line(own: Path, size: int) -> None:
    part = next((own / "features").glob("part-*"))
    part.write_bytes(part.read_bytes()[:size])
    with pytest.raises(DamagedError, match="cannot be read"):
        shown(own, "stuck")


# Text from the data


def control(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"}


WIDE = "ключ 日本語" * 9
ESCAPES = ["\x1b[2J", "\x9b31m", "a\tb\nc\r", "\u202egnol", WIDE, "\x7f\x08", "[bold]x[/]", "\x1b]0;t\x07"]


def test_escape_sequences_do_not_reach_the_terminal(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws", ESCAPES)
    table = pq.read_table(root.parent / "in.parquet")
    table = table.set_column(1, "\x1b[1mmachine", pa.array(ESCAPES))
    root = workspace(tmp_path / "two" / "ws", table, RULES.replace("max < 3", "max < 9"))
    for words in ((), ("--limit", "0")):
        told = command("filter", "--show", "low", *words, "-w", root).stdout
        assert control(told) == set()
        assert "�[2J" in told
        assert "[bold]x[/]" in told
    drawn = "".join(on_a_terminal("filter", "--show", "low", "-w", root))
    assert not {"\x9b", "\u202e", "\x07", "\x08"} & set(drawn)
    assert "\x1b[2J" not in drawn
    assert "\x1b]" not in drawn
    told = command("filter", "--show", "low", "--json", "-w", root).stdout
    assert control(told) == set()
    assert set(json.loads(told)["facts"]["ids"]) == set(ESCAPES)


def test_a_terminal_that_knows_ascii_only(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws", ESCAPES)
    with (root / "tsclust.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[rule]]\nname = "any"\nwhen = "max > 0"\nreason = "Всё"\n')
    tsclust.filter(root)
    done = command("filter", "--show", "any", "-w", root, environment={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "any: ???" in done.stdout
    assert "~" in done.stdout  # a long id is shortened
    assert "|" in done.stdout
    done = command("filter", "--show", "any", "--json", "-w", root, environment={"PYTHONIOENCODING": "ascii"})
    assert WIDE in json.loads(done.stdout)["facts"]["ids"]


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


def test_hostile_text_is_shown_as_text_on_the_page(page: Page, tmp_path: Path) -> None:
    heights = [5.0] * 8
    table = pa.table(
        {"series_id": HOSTILE, "<b>name</b>": HOSTILE, "long": ["x<" * 5_000] * 8, "values": [run(h) for h in heights]}
    )
    when = r"""max > 0 OR \"<b>name</b>\" = '</style><script>'"""
    rule = f'\n[[rule]]\nname = "any"\nwhen = "{when}"\nreason = "</h1><img src=x>"\n'
    result = shown(workspace(tmp_path / "ws", table, rule), "any", html=True)
    assert result.wrote
    opened = Opened(page, result.wrote)
    assert set(page.locator("article h3 bdi").all_text_contents()) == {seen(text) for text in HOSTILE}
    expect(page.locator("header .lead").first).to_have_text("</h1><img src=x>")
    expect(page.locator("article dt").first).to_have_text("<b>name</b>")
    assert page.evaluate("window.hacked ?? null") is None
    assert page.locator("img, script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert opened.is_quiet()


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


def test_where_nothing_is_rejected_no_page_is_written(tmp_path: Path) -> None:
    root = workspace(tmp_path / "ws", pa.table({"series_id": [1, 2], "values": [run(5.0), run(5.2)]}))
    result = tsclust.filter(root, html=True)
    assert (result.wrote, result.notes) == (None, ("no rule rejects a series: there is nothing to draw",))
    assert not (root / "reports").exists()


def test_series_without_values_and_without_normal_ones(page: Page, tmp_path: Path) -> None:
    values = [[], [None, None], None, [1e150, -1e150, 2.0] * 5, [0.0] * 20_000]
    table = pa.table({"series_id": [1, 2, 3, 4, 5], "values": pa.array(values, pa.list_(pa.float64()))})
    root = workspace(tmp_path / "ws", table, '\n[[rule]]\nname = "any"\nwhen = "n_values >= 0"\nreason = "All"\n')
    done = command("filter", "--show", "any", "-w", root)
    assert (done.returncode, done.stderr) == (0, "")
    counts = {line[2:9].strip(): line[9:34].strip() for line in done.stdout.splitlines()[5:-1] if line[2:3].isdigit()}
    assert counts == {"1": "0 values", "2": "2 values", "3": "0 values", "4": "15 values", "5": "20,000 values"}
    result = shown(root, "any", html=True)
    assert result.wrote
    opened = Opened(page, result.wrote)
    assert [len(page.locator(f"article {path}").all()) for path in ("h3", "h3 small", ".normal[d='']")] == [5, 3, 5]
    assert page.locator(".legend li").count() == 1  # there are no normal ones
    assert page.evaluate(CLIPPED) == []
    assert opened.is_quiet()


def test_the_rule_that_always_holds_cannot_be_edited(page: Page, tmp_path: Path) -> None:
    table = pa.table({"series_id": [1, 2], "values": [run(5.0), [1.0]]})
    result = shown(workspace(tmp_path / "ws", table, RULES.replace("max <", "max < -")), "not_described", html=True)
    assert result.wrote
    opened = Opened(page, result.wrote)
    assert page.locator("article").count() == 1
    assert "tsclust.toml" not in page.locator("body").inner_text()
    assert opened.is_quiet()
