"""Several people answer one report: whose an answer is, what is a contradiction, malfunctions without a name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.labels import given, labels, of
from tests.support.report_workspace import four_kinds
from tsclust.simulation.expert import FIRST, LATER, answered, put
from tsclust.stages.clusters.parts import GroupRef
from tsclust.stages.labels import files, group_state
from tsclust.stages.labels.facts import LABELS
from tsclust.workspace.folder import Workspace
from tsclust.workspace.result import Result

Said = Mapping[str, Any]


@pytest.fixture
def came(four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path) -> Any:
    """A function that imports what somebody saved."""

    def come(who: str, said: Said, at: str = FIRST, **changes: Any) -> Result:
        file = put(tmp_path / f"{who}-{at[:10]}.json", answered(asked_form, who, said, at=at, **changes))
        return tsclust.labels_import(four_kinds_workspace.root, [file])

    return come


def by_anna(answer: str) -> dict[str, str]:
    return {"kind": answer, "labeller": "Anna"}


def who_said(workspace: Workspace) -> set[tuple[str, str, int]]:
    """(labeller, kind, series) of all labels."""
    return set(labels(workspace).group_by("labeller", "kind").len().rows())


def test_an_answer_that_was_passed_on_is_its_givers_and_no_agreement(
    four_kinds_workspace: Workspace, came: Any
) -> None:
    done = came("Boris", {"1": by_anna("worn"), "2": "dip", "rule:gaps": []})
    assert who_said(four_kinds_workspace) == {("Anna", "worn", len(of("short"))), ("Boris", "dip", len(of("dip")))}
    assert done.facts["labellers"] == ["Anna", "Boris"]
    assert (done.facts["alpha"], done.facts["conflicts"]) == (None, [])


def test_a_colleagues_own_file_counts_more_than_what_was_passed_on(four_kinds_workspace: Workspace, came: Any) -> None:
    came("Boris", {"1": by_anna("worn"), "2": by_anna("dip")}, LATER)
    came("ANNA", {"1": "worn"})  # one name; she has taken back what she had answered about group 2
    assert who_said(four_kinds_workspace) == {("ANNA", "worn", len(of("short")))}


def test_no_file_passes_on_what_a_way_to_decide_is_called(came: Any) -> None:
    with pytest.raises(tsclust.errors.AnswersError, match=r"groups\.0\.labeller is not valid: newest is a reserved"):
        came("Boris", {"1": {"kind": "worn", "labeller": "newest"}})


def test_a_malfunction_without_a_name_is_reported_and_is_no_kind(four_kinds_workspace: Workspace, came: Any) -> None:
    done = came("Anna", {"1": {"kind": ""}, "2": "dip", "5": "normal"})
    count = len(of("short"))
    assert (
        f"{count} series of a malfunction without a name (group 1): enter it in the report, save and import again"
        in (done.notes)
    )
    assert done.facts["unnamed"] == count
    assert {row["kind"] for row in done.facts["kinds"]} == {"dip", "normal"}
    assert four_kinds_workspace.manifest(LABELS).facts.kinds == 2
    used = files.in_use(four_kinds_workspace, "")
    assert set(used["kind"]) == {"dip", "normal"}
    assert files.read_index(four_kinds_workspace).named == ("dip",)


def test_without_a_name_it_contradicts_normal_but_no_name(four_kinds_workspace: Workspace, came: Any) -> None:
    came("Anna", {"1": {"kind": ""}, "2": {"kind": ""}})
    done = came("Boris", {"1": "worn", "2": "normal"})
    assert [one["said"] for one in done.facts["conflicts"]] == ["malfunction (Anna); normal (Boris)"]
    used = files.in_use(four_kinds_workspace, "")
    assert set(used["kind"]) == {"worn"}
    assert set(used["series_id"]) == set(of("short"))
    assert set(files.in_use(four_kinds_workspace, "Anna")["kind"]) == {"worn"}  # her malfunction has his name


def test_one_labellers_names_in_a_new_group_are_no_contradiction(four_kinds_workspace: Workspace, came: Any) -> None:
    came("Anna", {"1": "worn", "2": "dip"})
    assert state(four_kinds_workspace) == "changed"
    came("Boris", {"1": "other", "2": "dip"})
    assert state(four_kinds_workspace) == "contradicted"


def state(workspace: Workspace) -> str:
    """Of a group of those of `short` and `dip` together."""
    index = files.read_index(workspace)
    ids = pl.Series([int(one.series_id) for one in four_kinds()])
    inside = ids.is_in([*of("short"), *of("dip")]).to_numpy()[:, None]
    counts = group_state.tally(index, ids.to_arrow(), inside)
    row = group_state.ClusterRow(
        group=9, k=2, cluster=0, size=int(inside.sum()), share=0.1, first_k=2, last_k=2, parent=None, within=None,
        normal=False,
    )  # fmt: skip
    assert isinstance(row.ref, GroupRef)
    return group_state.state_of(index, counts[:, 0], row).state


def test_labels_that_agree_are_one_label(four_kinds_workspace: Workspace, came: Any) -> None:
    came("Anna", {"1": "worn"})
    came("Boris", {"1": by_anna("worn") | {"labeller": "Boris"}})
    assert given(four_kinds_workspace) == {(i, who, "worn") for i in of("short") for who in ("Anna", "Boris")}
