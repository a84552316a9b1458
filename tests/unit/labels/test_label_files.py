"""labels/ over time: files saved once more, wrong clocks, damage, and answers that are about other series."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.labels import content, labels
from tests.support.report_workspace import four_kinds, write
from tsclust.errors import AnswersError, DamagedError, DiskFullError
from tsclust.simulation.expert import answered, form_of, put
from tsclust.workspace.folder import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return write(tmp_path / "ws", four_kinds())


@pytest.fixture
def asked(workspace: Workspace) -> dict[str, Any]:
    """What a report about it asks: groups 1 to 5, and that `rule:flat` rejects."""
    return form_of(tsclust.report(workspace.root, {"report": {"charts": False}}).wrote)


def kinds(workspace: Workspace) -> dict[int, str]:
    """group -> what it is called."""
    return dict(labels(workspace).select("group", "kind").unique().iter_rows())


@pytest.mark.slow
def test_old_answers_that_are_saved_once_more_take_nothing_back(
    workspace: Workspace, asked: dict[str, Any], tmp_path: Path
) -> None:
    """Two reports about the same groups: of what one labeller says in both that counts that was answered last."""
    one = form_of(tsclust.report(workspace.root, group=1).wrote)
    said = answered(one, "Anna", {"1": "brushes"}, at="2026-02-01T00:00:00Z")
    again = answered(asked, "Anna", {"1": "obstacle", "2": "dip"}, saved_at="2026-03-01T00:00:00Z")
    tsclust.labels_import(workspace.root, [put(tmp_path / "one.json", said), put(tmp_path / "again.json", again)])
    assert kinds(workspace) == {1: "brushes", 2: "dip"}


def test_what_a_newer_file_takes_back_is_said(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    first = put(tmp_path / "a.json", answered(asked, "Anna", {"1": "brushes", "2": "dip", "3": "normal"}))
    assert not [note for note in tsclust.labels_import(workspace.root, [first]).notes if "Anna had named" in note]
    newer = answered(asked, "Anna", {"1": "clutch", "3": "normal"}, at="2026-02-01T00:00:00Z")
    notes = tsclust.labels_import(workspace.root, [put(tmp_path / "b.json", newer)]).notes
    assert [note for note in notes if "Anna had named" in note] == [
        "25 series that Anna had named dip no longer have a label",
        "9 series that Anna had named brushes are now clutch",
    ]


def test_a_file_without_answers_takes_back_those_before_it(
    workspace: Workspace, asked: dict[str, Any], tmp_path: Path
) -> None:
    """Only a comment is left in the newer file: the older one does not count any more, its objections neither."""
    rejected = pl.read_parquet(next((workspace.root / "features").glob("part-*.parquet")))
    one = str(rejected.filter(pl.col("rejected_by").is_not_null())["series_id"][0])
    first = answered(asked, "Anna", {"1": "brushes", "rule:flat": [one]})
    noted = {"1": {"verdict": None, "kind": "", "comment": "I will ask Boris"}}
    newer = answered(asked, "Anna", noted, at="2026-02-01T00:00:00Z")
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", first)])
    assert pl.read_parquet(workspace.root / "labels" / "objections.parquet")["in_force"].to_list() == [True]
    tsclust.labels_import(workspace.root, [put(tmp_path / "b.json", newer)])
    assert labels(workspace).is_empty()
    assert pl.read_parquet(workspace.root / "labels" / "objections.parquet")["in_force"].to_list() == [False]
    assert len(list((workspace.root / "labels" / "answers").iterdir())) == 2


def test_a_clock_that_was_ahead_is_corrected_and_told(
    workspace: Workspace, asked: dict[str, Any], tmp_path: Path
) -> None:
    """Otherwise no correction would ever be newer."""
    ahead = answered(asked, "Anna", {"1": "brushes"}, at="2106-01-01T00:00:00Z")
    done = tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", ahead)])
    assert "a.json is dated 2106-01-01, in the future: treated as saved today" in done.notes
    assert (
        labels(workspace)["labelled_at"].max() < pl.select(pl.lit("2100-01-01").str.to_datetime(time_zone="UTC")).item()
    )


@pytest.mark.parametrize("name", ["files.parquet", "answers.parquet", "manifest.json", "members.parquet"])
def test_damage_is_told_and_nothing_is_written_over_it(
    workspace: Workspace, asked: dict[str, Any], tmp_path: Path, name: str
) -> None:
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(asked, "A", {"1": "x"}))])
    path = workspace.root / "labels" / name
    path.write_bytes(path.read_bytes()[:-20])
    before = content(workspace)
    with pytest.raises(DamagedError, match=r"labels.*labels import|labels import.*labels"):
        tsclust.labels_import(workspace.root, [put(tmp_path / "b.json", answered(asked, "B", {"1": "y"}))])
    assert content(workspace) == before


def test_answers_to_a_report_of_elsewhere_about_single_series_are_refused(
    workspace: Workspace, asked: dict[str, Any], tmp_path: Path
) -> None:
    """Series 1, 2 and 3 are everywhere: only the report's model tells whose they are."""
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(asked, "A", {"1": "x"}))])
    body = answered(asked, "A", {})
    body["series"] = [{"series_id": "1", "verdict": "normal", "kind": "", "sure": None, "comment": "",
                       "answered_at": "2026-01-01T00:00:00Z"}]  # fmt: skip
    body["report"] = {"id": "ab" * 8, "name": "review", "model": "cd" * 8}
    changed = {name: value for name, value in body.items() if name != "checksum"}
    file = put(tmp_path / "b.json", answered(asked, "A", {}, **changed))
    with pytest.raises(AnswersError, match=r"b\.json is not about a report of"):
        tsclust.labels_import(workspace.root, [file])


def test_a_damaged_table_of_labels_is_told_and_made_anew(
    workspace: Workspace, asked: dict[str, Any], tmp_path: Path
) -> None:
    """Nothing is in it that is not in the answers."""
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(asked, "A", {"1": "x"}))])
    path = workspace.root / "labels" / "labels.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(DamagedError, match=r"tsclust labels import .*--older"):
        tsclust.train(workspace.root)
    tsclust.labels_import(workspace.root, [put(tmp_path / "b.json", answered(asked, "B", {"2": "y"}))])
    assert kinds(workspace) == {1: "x", 2: "y"}


def test_labels_outlive_ids_that_have_become_text(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    """Read anew from a file of text: still the same series."""
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(asked, "A", {"1": "x"}))])
    before = labels(workspace)
    other = write(tmp_path / "other", [replace(m, series_id=str(m.series_id)) for m in four_kinds()])
    (workspace.root / "labels").rename(other.root / "labels")
    found = tsclust.open(other.root).labels
    assert found["series_id"].dtype == pl.String
    assert set(found["series_id"]) == set(before["series_id"].cast(pl.String))


def test_every_file_says_what_it_is_of(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    file = put(tmp_path / "a.json", answered(asked, "A", {"1": "x"}))
    tsclust.labels_import(workspace.root, [file])
    kept = next((workspace.root / "labels" / "answers").iterdir())
    assert json.loads(kept.read_text()) == json.loads(file.read_text())
    files = pl.read_parquet(workspace.root / "labels" / "files.parquet")
    assert files.select("file", "labeller", "in_force").rows() == [("a.json", "A", True)]


@pytest.mark.slow
def test_a_full_disk_while_importing_loses_nothing(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(asked, "A", {"1": "x"}))])
    before = content(workspace)
    put(tmp_path / "b.json", answered(asked, "B", {"2": "y"}))
    done = subprocess.run(
        [sys.executable, "-m", "tsclust", "labels", "import", "-w", str(workspace.root), str(tmp_path / "b.json")],
        capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000)),
    )  # fmt: skip
    assert done.returncode == DiskFullError.exit_code, done.stderr
    assert done.stderr.count("\n") == 1
    assert content(workspace) == before
    assert not list(workspace.root.glob(".*.new"))
