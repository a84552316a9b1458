"""tsclust labels import: files that are refused, and what another sweep or a kill leaves of labels."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.labels import content, given, of
from tests.support.report_workspace import four_kinds, write
from tsclust.errors import AnswersError
from tsclust.simulation.expert import answered, form_of, put
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import SHAPES
from tsclust.stages.labels.answers import checksum
from tsclust.workspace.folder import Workspace


def damaged(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], str]:
    """A file with this change, its checksum made anew: what somebody would do on purpose."""

    def made(body: dict[str, Any]) -> str:
        body = {key: value for key, value in body.items() if key != "checksum"}
        change(body)
        return json.dumps(body | {"checksum": checksum(body)})

    return made


REFUSED: list[tuple[str, Callable[[dict[str, Any]], str | bytes], str]] = [
    ("empty", lambda body: "", "cut off, or not JSON"),
    ("cut off", lambda body: json.dumps(body)[:-30], "cut off, or not JSON"),
    ("not text", lambda body: b"\xff\xfe\x00", "not UTF-8"),
    ("deep", lambda body: "[" * 100_000, "cut off, or not JSON"),
    ("a list", lambda body: "[]", "not an answers file"),
    ("other format", lambda body: json.dumps(body | {"format": "x"}), "not an answers file"),
    ("newer", lambda body: json.dumps(body | {"version": 2}), "has version 2: this tsclust reads 1"),
    ("edited", lambda body: json.dumps(body).replace('"x"', '"y"'), "was changed after it was saved"),
    ("unknown key", damaged(lambda body: body.update(more=1)), "more is not valid"),
    ("verdict", damaged(lambda body: body["groups"][0].update(verdict="bad")), "verdict is not valid"),
    ("long kind", damaged(lambda body: body["groups"][0].update(kind="x" * 201)), "kind is not valid"),
    ("nobody", damaged(lambda body: body.update(labeller="")), "labeller is not valid"),
    ("no time", damaged(lambda body: body.update(saved_at="soon")), "saved_at is not valid"),
    ("no zone", damaged(lambda body: body.update(saved_at="2026-01-01T00:00:00")), "saved_at is not valid"),
    ("before year 1", damaged(lambda body: body.update(saved_at="0001-01-01T00:00:00+14:00")),
     "saved_at .* no such time in UTC"),
    ("after 9999", damaged(lambda body: body["groups"][0].update(answered_at="9999-12-31T23:59:00-14:00")),
     "answered_at .* no such time in UTC"),
    ("surrogate", damaged(lambda body: body["groups"][0].update(comment="\ud800")), "comment is not valid"),
    ("other members", damaged(lambda body: body["groups"][0].update(members_hash="0" * 32)), "not about the groups of"),
    ("other k", damaged(lambda body: body["groups"][0].update(k=99)), "not about the groups of"),
    ("drill-down", damaged(lambda body: body["groups"][0].update(within=77)), "not about the groups of"),
    ("stranger", damaged(lambda body: body["groups"][0].update(not_members=["x"])), "marks series that are in none"),
    ("size", damaged(lambda body: body["groups"][0].update(size=1)), "cluster 0 of k = 5 1 series: it has 9"),
    ("twice", damaged(lambda body: body["groups"].append(body["groups"][0] | {"size": 1})),
     "cluster 0 of k = 5 is answered more than once"),
    ("twice of shapes", damaged(lambda body: body["groups"].extend([body["groups"][0] | {"within": SHAPES}] * 2)),
     "cluster 0 of k = 5 of shapes is answered more than once"),
    ("many", damaged(lambda body: body["groups"].extend(body["groups"][0] | {"cluster": n} for n in range(9, 60))),
     "answers 52 groups: the sweeps of this workspace have 27 clusters"),
    ("majority", damaged(lambda body: body.update(labeller=" Majority")), "Majority is a reserved name"),
    ("newest", damaged(lambda body: body.update(labeller="n\u0435west")), "is a reserved name"),
    ("no series", damaged(lambda body: body["series"].append(
        {"series_id": "nope", "verdict": "normal", "kind": "", "sure": None, "comment": "",
         "answered_at": "2026-01-01T00:00:00Z"})), "series 'nope', which .* does not have"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("broken", "why"), [(b, w) for _, b, w in REFUSED], ids=[n for n, _, _ in REFUSED])
def test_what_is_not_whole_or_not_ours_is_refused_and_nothing_changes(
    four_kinds_workspace: Workspace,
    asked_form: dict[str, Any],
    tmp_path: Path,
    broken: Callable[[dict[str, Any]], str | bytes],
    why: str,
) -> None:
    good = put(tmp_path / "good.json", answered(asked_form, "A", {"1": "x"}))
    tsclust.labels_import(four_kinds_workspace.root, [good])
    before = content(four_kinds_workspace)
    better = put(tmp_path / "better.json", answered(asked_form, "A", {"1": "z"}, at="2026-02-01T00:00:00Z"))
    bad, made = tmp_path / "bad.json", broken(answered(asked_form, "B", {"1": "x"}))
    bad.write_bytes(made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass"))
    with pytest.raises(AnswersError, match=why) as refused:
        tsclust.labels_import(four_kinds_workspace.root, [better, bad])
    assert "\n" not in str(refused.value)
    assert content(four_kinds_workspace) == before


def test_a_huge_file_is_not_read_whole(four_kinds_workspace: Workspace, tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(AnswersError, match=r"more than 10,324,000 bytes"):
        tsclust.labels_import(four_kinds_workspace.root, [huge])


def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    good = put(tmp_path / "good.json", answered(asked_form, "A", {"1": "x"}))
    pipe, link = tmp_path / "pipe.json", tmp_path / "link.json"
    os.mkfifo(pipe)
    link.symlink_to(good)
    for path in (pipe, link, tmp_path, Path("/dev/zero"), Path("/dev/stdin")):
        with pytest.raises(AnswersError, match="expected a regular file"):
            tsclust.labels_import(four_kinds_workspace.root, [path])


def test_another_workspace_s_file_is_refused(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    other = write(tmp_path / "other", [replace(m, series_id=m.series_id + 1) for m in four_kinds()])
    renamed(other)
    for said in ({"1": "x"}, {"rule:flat": ["1"]}):
        file = put(tmp_path / "a.json", answered(asked_form, "A", said))
        with pytest.raises(AnswersError, match=r"is not about (the groups|a report) of"):
            tsclust.labels_import(other.root, [file])
    assert not (other.root / "labels").exists()


def test_answers_to_an_earlier_sweep_are_taken_when_asked_for(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    """An expert takes a week; by then clusters/ holds another sweep: here the groups have lost their last members."""
    file = put(tmp_path / "a.json", answered(asked_form, "A", {"1": "x"}))
    swept_again(four_kinds_workspace)
    with pytest.raises(AnswersError, match=r"is about a sweep earlier than .*Its series are still known: add --older"):
        tsclust.labels_import(four_kinds_workspace.root, [file])
    tsclust.labels_import(four_kinds_workspace.root, [file], older=True)
    assert given(four_kinds_workspace) == {(i, "A", "x") for i in of("short")}


def swept_again(workspace: Workspace) -> None:
    """Another sweep in the place of the last one: every cluster has got another number."""
    for path in workspace.parts(CLUSTERS):
        table = pl.read_parquet(path).with_columns(k05=(pl.col("k05") + 1) % 5)
        path.unlink()  # the files of a stage are replaced, never written into
        table.write_parquet(path)
    renamed(workspace)


def renamed(workspace: Workspace) -> None:
    """The hash of the sweep is another."""
    manifest = workspace.stage(CLUSTERS) / "manifest.json"
    text = manifest.read_text().replace('"abcd"', '"ef01"')
    manifest.unlink()
    manifest.write_text(text)


def test_a_killed_import_leaves_the_last_labels(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    tsclust.labels_import(four_kinds_workspace.root, [put(tmp_path / "a.json", answered(asked_form, "A", {"1": "x"}))])
    before = content(four_kinds_workspace)
    half = four_kinds_workspace.root / ".labels.new"
    half.mkdir()
    (half / "labels.parquet").write_bytes(b"half")
    again = tsclust.labels_import(four_kinds_workspace.root, [tmp_path / "a.json"])
    assert again.skipped
    assert not half.exists()
    assert content(four_kinds_workspace) == before


@pytest.mark.slow
def test_labels_outlive_the_sweep_and_say_what_a_group_was_called(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    said = {"1": "x", "2": "y", "5": "normal"}
    tsclust.labels_import(four_kinds_workspace.root, [put(tmp_path / "a.json", answered(asked_form, "A", said))])
    swept_again(four_kinds_workspace)
    groups = four_kinds_workspace.stage(CLUSTERS) / "groups.parquet"
    shifted = pl.read_parquet(groups).with_columns(cluster=(pl.col("cluster") + 1) % 5)
    groups.unlink()
    shifted.write_parquet(groups)
    new = form_of(tsclust.report(four_kinds_workspace.root).wrote)
    assert [group["name"] for group in new["groups"]] == ["3", "4"]
    assert new["kinds"] == ["y", "x"]
    everything = form_of(tsclust.report(four_kinds_workspace.root, everything=True).wrote)
    assert [group["name"] for group in everything["groups"]] == ["1", "2", "3", "4", "5"]
