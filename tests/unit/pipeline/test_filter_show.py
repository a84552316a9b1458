"""filter --show and --html on made cycles: which series of a rule are shown, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.commands import call_tsclust
from tests.support.screened import RULES, screened_workspace, shown
from tests.support.series import machine_cycles
from tests.support.workspaces import all_hashes
from tsclust.errors import DamagedError, SettingsError, StageMissingError, WorkspaceBusyError
from tsclust.stages.reports import rejected_files
from tsclust.workspace.folder import Workspace

# Which ones are shown


@pytest.mark.slow
def test_the_same_ones_for_any_parts(screened: Path, tmp_path: Path) -> None:
    one = screened_workspace(tmp_path / "ws", machine_cycles(2_000)[0])
    for rule in ("stuck", "gaps"):
        a, b = shown(screened, rule), shown(one, rule)
        assert (a.ids, a.sketches) == (b.ids, b.sketches)
        assert len(a.sketches) == 20
    rejected_pages = [Path(shown(root, "stuck", html=True).wrote or "").read_bytes() for root in (screened, one)]
    assert rejected_pages[0] == rejected_pages[1]


def test_they_are_those_that_the_files_say(screened: Path) -> None:
    features = pl.read_parquet(screened / "features" / "*.parquet").filter(pl.col("rejected_by") == "stuck")
    series = {row["series_id"]: row for row in pl.read_parquet(screened / "series" / "*.parquet").iter_rows(named=True)}
    all_ids = shown(screened, "stuck", limit=0).ids
    assert set(all_ids) == set(features["series_id"])
    result = shown(screened, "stuck", limit=7)
    assert result.ids == all_ids[:7]  # not the first of the table, and a larger limit only adds
    assert list(result.ids) != sorted(features["series_id"])[:7]
    assert len(result.sketches) == 7
    for series_id, sketch in zip(result.ids, result.sketches, strict=True):
        row = series[series_id]
        assert (sketch.series_id, list(sketch.values)) == (str(series_id), row["values"])
        assert dict(sketch.carried) == {name: row[name] for name in ("machine_id", "direction", "recorded_at")}


def test_more_are_named_and_all_ids_are_to_be_had(screened: Path) -> None:
    count = tsclust.filter(screened).facts["rejected"]["stuck"]
    told = call_tsclust("filter", "--show", "stuck", "--limit", 3, "-w", screened).stdout
    every = f"tsclust filter -w {screened} --show stuck --limit 0"
    assert f"  {count - 3} more; the ids of all: {every}\n" in told
    lines = call_tsclust(*every.split()[1:]).stdout.splitlines()
    assert [int(line) for line in lines if line.isdigit()] == list(shown(screened, "stuck", limit=0).ids)
    assert "more" not in "".join(lines)


# What it does not do


def test_nothing_is_written_and_clusters_are_not_needed(screened_copy: Path) -> None:
    before = all_hashes(screened_copy)
    shown(screened_copy, "stuck")
    shown(screened_copy, "stuck", limit=0)
    assert all_hashes(screened_copy) == before
    shown(screened_copy, "stuck", html=True)
    further = all_hashes(screened_copy).keys() - before.keys()
    assert {name for name in further if not name.startswith(("history/", "."))} == {"reports/rejected-stuck.html"}
    assert not (screened_copy / "clusters").exists()


def test_a_page_that_was_perhaps_mailed_stays_under_its_number(screened_copy: Path) -> None:
    page = shown(screened_copy, "stuck", html=True, limit=2).wrote
    mailed = page.read_bytes()
    shown(screened_copy, "stuck", html=True, limit=2)
    assert [path.name for path in page.parent.iterdir()] == [page.name]
    shown(screened_copy, "stuck", html=True, limit=3)
    (kept,) = page.parent.glob("rejected-stuck-*.html")
    assert kept.read_bytes() == mailed != page.read_bytes()
    with Workspace(screened_copy).locked(), pytest.raises(WorkspaceBusyError):
        shown(screened_copy, "stuck", html=True, limit=4)


def test_other_rules_in_the_settings_are_noted_and_not_applied(screened_copy: Path) -> None:
    with (screened_copy / "tsclust.toml").open("a", encoding="utf-8") as file:
        file.write(RULES)
    result = shown(screened_copy, "stuck")
    assert len(result.ids) == 20
    note = "the rules in tsclust.toml have changed; to apply them: tsclust filter -w"
    assert [note in n for n in result.notes] == [False, False, False, True]
    with pytest.raises(SettingsError, match=r"'low' is in .*, but has not been applied yet"):
        shown(screened_copy, "low")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--show stuk", "there is no rule 'stuk' (did you mean stuck?). The rules are: empty, "),
        ("--show ../x", "there is no rule '../x'. The rules are: empty, "),
        ("--show stuk --html", "did you mean stuck?"),
        ("--show stuck --limit -1", "limit -1: expected"),
        ("--show stuck --dry-run", "Use only one of them"),
        ("--html --limit 0", "--limit 0: a page shows 1 to 1,000 series"),
        ("--limit 5", "Add --show RULE"),
    ],
)
def test_errors_name_the_next_step(screened: Path, words: str, told: str) -> None:
    done = call_tsclust("filter", *words.split(), "-w", screened)
    assert (done.returncode, done.stdout) == (3, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_features_it_says_what_to_run(screened_copy: Path) -> None:
    shutil.rmtree(screened_copy / "features")
    with pytest.raises(StageMissingError, match="Run: tsclust features"):
        shown(screened_copy, "stuck")
    shutil.rmtree(screened_copy / "series")
    with pytest.raises(StageMissingError, match="Run: tsclust extract"):
        shown(screened_copy, "stuck")


# Files that have drifted since


def test_other_series_than_those_described_are_refused(screened_copy: Path) -> None:
    part = next(iter(sorted((screened_copy / "series").glob("part-*"))))
    table = pq.read_table(part)
    pq.write_table(table.slice(0, 10), part)
    with pytest.raises(DamagedError, match="no longer what tsclust wrote"):
        shown(screened_copy, "gaps", limit=1_000)
    manifest = screened_copy / "series" / "manifest.json"
    listed(manifest, part, None)
    with pytest.raises(StageMissingError, match="does not describe the series that are now in"):
        shown(screened_copy, "gaps", limit=1_000)
    pq.write_table(table.set_column(0, "series_id", pa.array(range(-len(table), 0))), part)
    listed(manifest, part, hashlib.sha256(part.read_bytes()).hexdigest())
    with pytest.raises(StageMissingError, match="does not describe the series that are now in"):
        shown(screened_copy, "gaps", limit=1_000)
    part.unlink()
    with pytest.raises(DamagedError, match="is missing"):
        shown(screened_copy, "gaps", limit=1_000)
    listed(manifest, part, None)
    with pytest.raises(StageMissingError, match="Run: tsclust features"):
        shown(screened_copy, "gaps", limit=1_000)


def listed(manifest: Path, part: Path, sha256: str | None) -> None:
    """Have the manifest list the part by this hash; None: not at all."""
    about = json.loads(manifest.read_text(encoding="utf-8"))
    about["outputs"] = {name: of for name, of in (about["outputs"] | {part.name: sha256}).items() if of is not None}
    manifest.write_text(json.dumps(about), encoding="utf-8")


def test_features_made_again_meanwhile_are_refused(screened_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = rejected_files.choose_by_rule

    def slowly(*arguments: Any) -> pl.DataFrame:
        chosen = choose(*arguments)
        with (screened_copy / "tsclust.toml").open("a", encoding="utf-8") as file:
            file.write(RULES)
        tsclust.filter(screened_copy)
        return chosen

    monkeypatch.setattr(rejected_files, "choose_by_rule", slowly)
    with pytest.raises(WorkspaceBusyError, match="rewritten while it was read"):
        shown(screened_copy, "stuck")


@pytest.mark.parametrize("size", [0, 1_000])
def test_a_damaged_part_is_one_line(screened_copy: Path, size: int) -> None:
    part = next((screened_copy / "features").glob("part-*"))
    part.write_bytes(part.read_bytes()[:size])
    with pytest.raises(DamagedError, match="cannot be read"):
        shown(screened_copy, "stuck")


def test_the_page_has_no_script_and_every_text_is_filled(rejected_pages: dict[str, Path]) -> None:
    for path in rejected_pages.values():
        html = path.read_text(encoding="utf-8")
        assert "<script" not in html
        assert "default-src 'none'; style-src 'unsafe-inline'" in html
        assert "{" not in html[html.index("<body>") :]


@pytest.mark.slow
def test_without_a_rule_there_is_a_page_for_each_that_rejected(screened_copy: Path) -> None:
    counts = tsclust.filter(screened_copy).facts["rejected"]
    result = tsclust.filter(screened_copy, html=True, limit=2)
    wanted = [name for name, count in counts.items() if count]
    assert len(wanted) > 3
    assert result.wrote == screened_copy / "reports"
    assert sorted(p.name for p in result.wrote.iterdir()) == sorted(f"rejected-{name}.html" for name in wanted)
    assert [p["rule"] for p in result.facts["pages"]] == wanted
    assert all(p["ids"] == list(shown(screened_copy, p["rule"], limit=2).ids) for p in result.facts["pages"])
    assert [row[0] for row in result.table] == ["rule", *wanted]
