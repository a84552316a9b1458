"""What commands replaced is kept, listed, compared and put back; a kill in the middle leaves either state."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.commands import call_tsclust
from tests.support.disk import Disk
from tests.support.labels import content, given
from tests.support.report_workspace import four_kinds, write
from tsclust.errors import SettingsError, StageMissingError
from tsclust.simulation.expert import LATER, answered, form_of, put
from tsclust.stages.labels.facts import LABELS
from tsclust.workspace import atomic, folder, history
from tsclust.workspace.folder import Workspace
from tsclust.workspace.integrity import sealed

State = dict[str, bytes]


@dataclass(frozen=True)
class Once:
    """A workspace, and what its report asks."""

    root: Path
    form: dict[str, Any]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """A report and labels of two imports, runs 1 to 3; for copies."""
    folder = tmp_path_factory.mktemp("history")
    root = write(folder / "ws", four_kinds()).root
    form = form_of(tsclust.report(root, {"report": {"charts": False}}).wrote)
    for who, said in (("Anna", {"1": "worn", "5": "normal"}), ("Boris", {"1": "worn", "2": "obstacle"})):
        tsclust.labels_import(root, [put(folder / f"{who}.json", answered(form, who, said))])
    return Once(root, form)


@pytest.fixture
def labelled(once: Once, tmp_path: Path) -> Workspace:
    """A copy; what was linked is not linked in it."""
    return Workspace.open(Path(shutil.copytree(once.root, tmp_path / "ws")))


@pytest.fixture
def asked_form(once: Once) -> dict[str, Any]:
    return once.form


def runs(workspace: Workspace) -> list[tuple[int, str, bool]]:
    """number, command, undone; the newest first."""
    found = tsclust.history(workspace.root, limit=0).facts
    assert found
    return [(run["number"], run["command"], run["undone"]) for run in found["runs"]]


def test_history_lists_what_each_command_changed(labelled: Workspace) -> None:
    done = tsclust.history(labelled.root)
    assert [row[:1] + row[2:] for row in done.table[1:]] == [
        (
            "3",
            "labels import",
            "",
            "labels 300 -> 334; series labelled 300 -> 325; kinds 2 -> 3; labellers Anna -> Anna, Boris",
        ),
        ("2", "labels import", "", "labels 300; series labelled 300; kinds 2; labellers Anna"),
        ("1", "report", "", "reports/report.html"),
    ]
    assert done.notes == ("3 runs, 3 shown, newest first", f"to undo run 3: tsclust undo -w {labelled.root}")
    assert len(tsclust.history(labelled.root, limit=1).table) == 2


def test_undo_goes_back_step_by_step_and_redo_forth(labelled: Workspace) -> None:
    both, names = content(labelled), given(labelled)
    undone = tsclust.undo(labelled.root)
    assert undone.facts == {
        "run": 3, "undone": "labels import", "stage": "labels", "redo": False, "runs": [3],
    }  # fmt: skip
    assert {who for _, who, _ in given(labelled)} == {"Anna"}
    first = content(labelled)
    assert runs(labelled) == [(3, "labels import", True), (2, "labels import", False), (1, "report", False)]
    assert "labels/ is removed: it was not there before" in tsclust.undo(labelled.root).notes[0]
    assert not labelled.stage(LABELS).exists()
    assert tsclust.undo(labelled.root).skipped  # a report is not taken back
    tsclust.undo(labelled.root, redo=True)
    assert content(labelled) == first
    tsclust.undo(labelled.root, redo=True)
    assert (content(labelled), given(labelled)) == (both, names)
    assert tsclust.undo(labelled.root, redo=True).skipped
    assert not any(undone for _, _, undone in runs(labelled))


def test_a_manifest_that_was_sealed_anew_is_of_the_same_step(labelled: Workspace) -> None:
    path = labelled.stage(LABELS) / "manifest.json"
    about = json.loads(path.read_text()) | {"settings": "another"}
    del about["sha256"]
    path.write_text(sealed(json.dumps(about, indent=2)))
    tsclust.undo(labelled.root)
    tsclust.undo(labelled.root, redo=True)
    assert json.loads(path.read_text())["settings"] == "another"
    assert not any(undone for _, _, undone in runs(labelled))


def test_several_steps_are_undone_at_once(labelled: Workspace) -> None:
    both = content(labelled)
    undone = call_tsclust("undo", "-w", labelled.root, "--to", "1", "--json")
    assert json.loads(undone.stdout)["facts"]["runs"] == [3, 2]
    assert not labelled.stage(LABELS).exists()
    for _ in range(2):
        tsclust.undo(labelled.root, redo=True)
    assert content(labelled) == both
    assert tsclust.undo(labelled.root, to=3).skipped
    for to, redo, why in ((9, False, "--to 9: expected a run that is known"), (1, True, "--redo makes one step again")):
        with pytest.raises(SettingsError, match=why):
            tsclust.undo(labelled.root, to=to, redo=redo)


def test_after_another_step_what_was_undone_stays_undone(
    labelled: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    tsclust.undo(labelled.root)
    tsclust.labels_import(labelled.root, [put(tmp_path / "c.json", answered(asked_form, "Clara", {"3": "high"}))])
    assert tsclust.undo(labelled.root, redo=True).skipped
    assert runs(labelled)[:2] == [(4, "labels import", False), (3, "labels import", True)]
    tsclust.undo(labelled.root)
    assert {who for _, who, _ in given(labelled)} == {"Anna"}
    tsclust.undo(labelled.root, redo=True)
    assert {who for _, who, _ in given(labelled)} == {"Anna", "Clara"}


class Killed(BaseException):
    """The process is gone: nothing after this line happens."""


def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Let the n-th call of a function that changes names on the disk be the last one, for n = 0, 1, 2, ..."""
    calls = {"left": 0}

    def dying(real: Any) -> Any:
        def called(*arguments: Any, **more: Any) -> Any:
            calls["left"] -= 1
            if calls["left"] < 0:
                raise Killed
            return real(*arguments, **more)

        return called

    with monkeypatch.context() as patch:
        for module, name in (
            (atomic, "link_or_copy"), (atomic, "_exchange"), (atomic, "sync"), (history, "link_tree"),
            (history, "remove"),            (atomic, "remove"), (folder, "replace_folder"),
        ):  # fmt: skip
            patch.setattr(module, name, dying(getattr(module, name)))
        for n in range(1_000):
            calls["left"] = n
            yield n


@pytest.mark.parametrize(("undone", "redo"), [(0, False), (1, False), (1, True), (2, True)])
def test_an_undo_killed_anywhere_leaves_either_state(
    labelled: Workspace, undone: int, redo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = [content(labelled)]
    for _ in range(2):
        tsclust.undo(labelled.root)
        states.append(content(labelled))
    assert states[2] == {}
    for _ in range(2 - undone):
        tsclust.undo(labelled.root, redo=True)
    before, after = states[undone], states[undone - 1 if redo else undone + 1]
    for n in interrupted(monkeypatch):
        try:
            tsclust.undo(labelled.root, redo=redo)
        except Killed:
            assert content(labelled) in (before, after), n
        if content(labelled) == after:
            break
    assert n > 0
    monkeypatch.undo()
    tsclust.undo(labelled.root, redo=not redo)  # and back, whatever the killed ones left
    assert content(labelled) == before
    assert [number for number, _, _ in runs(labelled)] == [3, 2, 1]
    assert not list(labelled.root.glob(".*.new"))


def test_steps_back_and_forth_are_on_the_disk_before_what_they_replace_goes(labelled: Workspace, disk: Disk) -> None:
    for redo in (False, False, True, True):
        tsclust.undo(labelled.root, redo=redo)
    shown = [one for one in disk.order if one.startswith("appears")]
    assert shown == [f"appears ws/{name}" for name in (
        "history/00003/after/labels", "labels", "history/00002/after/labels", "labels", "labels",
    )]  # fmt: skip


def test_an_import_killed_before_its_labels_appear_is_no_run(
    labelled: Workspace, asked_form: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(tmp_path / "c.json", answered(asked_form, "Clara", {"3": "high"}))
    before = content(labelled)

    def dies(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(folder, "replace_folder", dies)
    with pytest.raises(Killed):
        tsclust.labels_import(labelled.root, [file])
    monkeypatch.undo()
    assert content(labelled) == before
    assert (labelled.root / "history/00004/run.json").exists()
    tsclust.undo(labelled.root)
    assert {who for _, who, _ in given(labelled)} == {"Anna"}
    assert [number for number, _, _ in runs(labelled)] == [3, 2, 1]


def test_diff_compares_two_runs_or_one_with_now(labelled: Workspace) -> None:
    done = tsclust.diff(labelled.root, 2, 3)
    assert done.table == (
        ("", "after run 2", "after run 3"),
        ("labels: labels", "300", "334"),
        ("labels: series labelled", "300", "325"),
        ("labels: kinds", "2", "3"),
        ("labels: labellers", "Anna", "Anna, Boris"),
    )
    assert tsclust.diff(labelled.root, 2).table[1:] == done.table[1:]
    assert tsclust.diff(labelled.root, 3).notes == ("no difference",)
    with pytest.raises(SettingsError, match=r"run 9: expected one that is known \(1 to 3\)"):
        tsclust.diff(labelled.root, 9)


@pytest.mark.slow
def test_what_was_mailed_stays_under_its_number(labelled: Workspace) -> None:
    reports, charts = labelled.reports, {"charts": False}
    mailed = (reports / "report.html").read_bytes()
    tsclust.report(labelled.root, {"report": charts}, everything=True)  # run 4
    second = (reports / "report.html").read_bytes()
    assert second != mailed
    assert (reports / "report-1.html").read_bytes() == mailed
    tsclust.report(labelled.root, {"report": charts}, everything=True)  # the same bytes: no run
    tsclust.report(labelled.root, {"report": charts | {"split": 2}}, everything=True)  # run 5, a folder
    assert (reports / "report-4.html").read_bytes() == second
    parts = {path.name: path.read_bytes() for path in (reports / "report").glob("*.html")}
    tsclust.report(labelled.root, {"report": charts | {"title": "T"}})  # run 6
    assert {path.name: path.read_bytes() for path in (reports / "report-5").glob("*.html")} == parts
    assert sorted(path.name for path in reports.glob("[!.]*")) == [
        "report-1.html",
        "report-4.html",
        "report-5",
        "report.html",
    ]
    facts = tsclust.status(labelled.root).facts
    assert facts
    assert facts["reports"] == ["report.html"]
    assert facts["history"]["reports"] == ["report-1.html", "report-4.html", "report-5"]
    assert [row[4] for row in tsclust.history(labelled.root).table[1:3]] == ["reports/report.html", "reports/report-5"]


def test_a_report_of_an_earlier_version_gets_a_number_too(four_kinds_workspace: Workspace) -> None:
    page = four_kinds_workspace.reports / "report.html"
    page.parent.mkdir()
    page.write_text("of before")
    (page.parent / "report-1.html").write_text("of the user")
    tsclust.report(four_kinds_workspace.root, {"report": {"charts": False}})
    assert (page.parent / "report-2.html").read_text() == "of before"
    assert (page.parent / "report-1.html").read_text() == "of the user"


def test_keep_bounds_what_is_kept_and_prune_frees_the_rest(labelled: Workspace) -> None:
    toml = labelled.root / "tsclust.toml"
    toml.write_text("[history]\nkeep = 1\n")
    for n in range(3):
        tsclust.report(labelled.root, {"report": {"charts": False, "title": f"T{n}"}})
    assert len(list(labelled.reports.glob("report-*.html"))) == 1
    assert [path.parent.parent.name for path in labelled.root.glob("history/*/before/*")] == ["00003"]
    done = call_tsclust("prune", "-w", labelled.root, "--keep", "0", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)["facts"]
    assert (facts["states"], facts["pages"], facts["models"]) == (1, 1, 0)
    assert facts["bytes"] > 100_000
    assert not list(labelled.root.glob("history/*/before"))
    assert len(runs(labelled)) == 6
    with pytest.raises(StageMissingError, match=r"run 3 .labels import. cannot be undone: the labels/ of"):
        tsclust.undo(labelled.root)
    assert call_tsclust("verify", "-w", labelled.root).returncode == 14  # this one's other manifests are made up


def test_what_is_kept_takes_no_room_twice(once: Once) -> None:
    (kept,) = once.root.glob("history/*/before/labels/answers/*.json")
    assert kept.samefile(once.root / "labels/answers" / kept.name)


def test_labels_are_listed_and_removed_by_file_and_by_labeller(
    labelled: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    later = answered(asked_form, "Anna", {"1": "broken"}, at=LATER)
    tsclust.labels_import(labelled.root, [put(tmp_path / "Anna-2.json", later)])
    listed = tsclust.labels_list(labelled.root)
    assert listed.facts
    assert sum(listed.facts["kinds"].values()) == len({(series, kind) for series, _, kind in given(labelled)})
    rows = [(row[1], row[2], row[5], row[6], row[7]) for row in listed.table[1:]]
    assert rows == [
        ("Anna.json", "Anna", "2", "0", "replaced by a later file"),
        ("Boris.json", "Boris", "2", "34", ""),
        ("Anna-2.json", "Anna", "1", "9", ""),
    ]
    tsclust.undo(labelled.root)
    before = given(labelled)
    tsclust.undo(labelled.root, redo=True)
    done = tsclust.labels_remove(labelled.root, ["Anna-2.json"])
    assert given(labelled) == before  # the file that it had replaced counts again
    assert done.facts
    assert done.facts["removed"] == ["Anna-2.json"]
    removed = call_tsclust("labels", "remove", "-w", labelled.root, "--labeller", "anna")
    assert removed.returncode == 0, removed.stderr
    assert {who for _, who, _ in given(labelled)} == {"Boris"}
    assert len(list(labelled.stage(LABELS).glob("answers/*.json"))) == 1
    assert pl.read_parquet(labelled.stage(LABELS) / "files.parquet")["labeller"].to_list() == ["Boris"]
    tsclust.undo(labelled.root)
    assert given(labelled) == before


@pytest.mark.parametrize(
    ("names", "labeller", "why"),
    [
        ((), "", "labels remove: expected files, or --labeller"),
        (("x.json",), "", "'x.json': expected a name or an id"),
        ((), "Zoe", r"--labeller 'Zoe': expected one who has labelled \(Anna, Boris\)"),
    ],
)
def test_what_cannot_be_removed_is_refused(
    labelled: Workspace, names: tuple[str, ...], labeller: str, why: str
) -> None:
    before = content(labelled)
    with pytest.raises(SettingsError, match=why):
        tsclust.labels_remove(labelled.root, names, labeller=labeller)
    assert content(labelled) == before


def test_a_record_that_was_changed_is_damage_and_no_run(labelled: Workspace) -> None:
    path = labelled.root / "history/00002/run.json"
    path.write_text(path.read_text().replace("labels import", "labels export"))
    assert [number for number, _, _ in runs(labelled)] == [3, 1]
    facts = tsclust.verify(labelled.root).facts
    assert facts
    assert facts["damaged"]["history"] == ["00002/run.json"]


def test_what_prune_takes_of_an_undone_run_leaves_its_number(labelled: Workspace) -> None:
    """Reports are named by it."""
    root = labelled.root
    for most in (4, 5):
        tsclust.cluster(root, {"cluster": {"k": f"2..{most}"}})
    tsclust.undo(root)
    (number,) = (number for number, _, undone in runs(labelled) if undone)
    assert call_tsclust("prune", "-w", root, "--keep", "0").returncode == 0
    tsclust.cluster(root, {"cluster": {"k": "2..6"}})
    assert [number for number, _, _ in runs(labelled)][:2] == [number + 1, number]
