"""tsclust labels import: from files of answers to labels."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.labels import content, given, labels, of
from tests.support.report_workspace import NORMAL, four_kinds, lifelike, write
from tsclust.errors import AnswersError, SettingsError
from tsclust.pipeline import answers_folder
from tsclust.simulation.expert import LATER, answered, form_of, put
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.labels.facts import LABELS
from tsclust.workspace.folder import Workspace


def test_answers_become_labels_of_the_members(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    out = [str(series_id) for series_id in of("dip")[:2]]
    said = {
        "1": {"kind": "  worn\u00a0 brushes ", "sure": "likely", "comment": " in frost "},
        "2": {"kind": "obstacle", "not_members": out},
        "3": "dont_know",
        "5": "normal",
    }
    file = put(tmp_path / "answers-report-Anna.json", answered(asked_form, "Anna", said))
    done = tsclust.labels_import(four_kinds_workspace.root, [file])
    found = labels(four_kinds_workspace)
    assert found.columns == [
        "series_id", "labeller", "verdict", "kind", "sure", "comment", "report", "group", "size", "labelled_at",
    ]  # fmt: skip
    assert found.filter(pl.col("group") == 1).drop("series_id").unique().rows() == [
        ("Anna", "malfunction", "worn brushes", "likely", "in frost", "report", 1, 9, datetime(2026, 1, 1, tzinfo=UTC))
    ]
    expected = {"worn brushes": of("short"), "obstacle": of("dip")[2:], "don't know": of("high"), "normal": of(NORMAL)}
    for kind, series in expected.items():
        assert sorted(found.filter(pl.col("kind") == kind)["series_id"]) == sorted(series), kind
    assert len(found) == sum(map(len, expected.values()))
    assert done.wrote == four_kinds_workspace.root / "labels"
    assert done.facts is not None
    assert (done.facts["rows"], done.facts["labellers"], done.facts["alpha"]) == (len(found), ["Anna"], None)


@pytest.mark.slow
def test_a_million_or_few_parts_give_the_same_labels(tmp_path: Path) -> None:
    found = []
    for name, made, parts in (("one", four_kinds(), 1), ("more", four_kinds()[::-1], 7)):
        workspace = write(tmp_path / name, made, parts)
        form = form_of(tsclust.report(workspace.root).wrote)
        file = put(tmp_path / f"{name}.json", answered(form, "Anna", {"1": "a", "5": "normal"}))
        tsclust.labels_import(workspace.root, [file])
        found.append(labels(workspace))
    assert found[0].equals(found[1])


def test_the_same_file_twice_changes_nothing(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    file = put(tmp_path / "a.json", answered(asked_form, "Anna", {"1": "a"}))
    tsclust.labels_import(four_kinds_workspace.root, [file, file])
    before = content(four_kinds_workspace)
    again = tsclust.labels_import(four_kinds_workspace.root, [file])
    assert again.skipped
    assert "1 file imported before" in again.notes[0]
    assert content(four_kinds_workspace) == before


def test_a_newer_file_replaces_and_the_history_stays(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    first = put(tmp_path / "1.json", answered(asked_form, "Anna", {"1": "a", "2": "b"}))
    second = put(tmp_path / "2.json", answered(asked_form, "Anna", {"1": "c"}, at="2026-02-01T00:00:00.000Z"))
    other = put(tmp_path / "3.json", answered(asked_form, "Boris", {"2": "b"}))
    tsclust.labels_import(four_kinds_workspace.root, [first])
    tsclust.labels_import(four_kinds_workspace.root, [second, other])
    now = {(i, "Anna", "c") for i in of("short")} | {(i, "Boris", "b") for i in of("dip")}
    assert given(four_kinds_workspace) == now
    history = pl.read_parquet(four_kinds_workspace.root / "labels" / "answers.parquet")
    assert history.select("file", "kind", "in_force").rows() == [
        ("1.json", "a", False), ("1.json", "b", False), ("2.json", "c", True), ("3.json", "b", True),
    ]  # fmt: skip
    kept = [json.loads(path.read_text()) for path in (four_kinds_workspace.root / "labels" / "answers").iterdir()]
    assert sorted(body["labeller"] for body in kept) == ["Anna", "Anna", "Boris"]
    before = given(four_kinds_workspace)
    older = put(tmp_path / "0.json", answered(asked_form, "Anna", {"1": "z"}, at="2025-12-01T00:00:00.000Z"))
    tsclust.labels_import(four_kinds_workspace.root, [older])
    assert given(four_kinds_workspace) == before


def test_names_that_differ_in_capitals_alone_are_one_kind(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    said = {"1": {"kind": "Износ Щёток", "answered_at": "2025-01-01T00:00:00Z"}, "2": "износ щёток", "3": "NORMAL"}
    tsclust.labels_import(four_kinds_workspace.root, [put(tmp_path / "a.json", answered(asked_form, "A", said))])
    assert set(labels(four_kinds_workspace)["kind"]) == {"Износ Щёток", "NORMAL (malfunction)"}
    assert set(labels(four_kinds_workspace).filter(pl.col("group") == 3)["verdict"]) == {"malfunction"}


def test_a_malfunction_is_not_called_normal(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    said = {"1": "normal", "2": {"kind": "normal"}, "3": ""}
    tsclust.labels_import(four_kinds_workspace.root, [put(tmp_path / "a.json", answered(asked_form, "A", said))])
    found = dict(labels(four_kinds_workspace).select("group", "kind").unique().rows())
    assert found == {1: "normal", 2: "normal (malfunction)", 3: "malfunction"}


@pytest.mark.slow
def test_of_two_answers_about_a_series_the_one_about_fewer_counts(tmp_path: Path) -> None:
    """Groups of a sweep overlap: here group 1 lies within group 2, found at another k."""
    workspace = write(tmp_path / "ws", four_kinds())
    overlap(workspace)
    form = (
        form_of(tsclust.report(workspace.root, group=1).wrote),
        form_of(tsclust.report(workspace.root, group=2).wrote),
    )
    said = [answered(form[0], "A", {"1": "small"}), answered(form[1], "A", {"2": "large"})]
    both = answered({**form[0], "groups": form[0]["groups"] + form[1]["groups"]}, "B", {"1": "small", "2": "large"})
    tsclust.labels_import(workspace.root, [put(tmp_path / "b.json", both)])
    small, large = set(of("short")), set(of("short")) | set(of("dip"))
    assert given(workspace) == {(i, "B", "small") for i in small} | {(i, "B", "large") for i in large - small}
    later = answered(form[1], "A", {"2": "large"}, at="2026-02-01T00:00:00Z")
    tsclust.labels_import(workspace.root, [put(tmp_path / f"{n}.json", b) for n, b in enumerate((said[0], later))])
    of_a = {(i, "A", "small") for i in small} | {(i, "A", "large") for i in large - small}
    assert {row for row in given(workspace) if row[1] == "A"} == of_a  # a later round takes no name back
    unsure = answered(form[0], "A", {"1": "mixed"}, at="2026-03-01T00:00:00Z")
    tsclust.labels_import(workspace.root, [put(tmp_path / "u.json", unsure)])  # `mixed` takes no name away
    assert {row for row in given(workspace) if row[1] == "A"} == {(i, "A", "large") for i in large}


def overlap(workspace: Workspace) -> None:
    """Group 2 becomes the union of what were groups 1 and 2, as cluster 0 of the model with k = 2."""
    for path in workspace.parts(CLUSTERS):
        table = pl.read_parquet(path)
        table.with_columns(k02=(pl.col("k05") > 1).cast(pl.UInt8)).write_parquet(path)
    path = workspace.stage(CLUSTERS) / "groups.parquet"
    groups = pl.read_parquet(path)
    two = pl.col("group") == 2
    size = groups.filter(pl.col("group") <= 2)["size"].sum()
    change = {"k": 2, "cluster": 0, "size": size}
    groups.with_columns(
        pl.when(two).then(value).otherwise(name).alias(name) for name, value in change.items()
    ).write_parquet(path)


def test_the_normal_mass_leaves_out_what_is_asked_about_by_itself(tmp_path: Path) -> None:
    """A group of nearly everything holds the malfunctions too: to call it normal says nothing of them."""
    workspace = write(tmp_path / "ws", four_kinds())
    for path in workspace.parts(CLUSTERS):
        pl.read_parquet(path).with_columns(k02=pl.lit(1, pl.UInt8)).write_parquet(path)
    path = workspace.stage(CLUSTERS) / "groups.parquet"
    groups, mass = pl.read_parquet(path), pl.col("normal")
    whole = {"k": 2, "cluster": 1, "size": groups["size"].sum()}
    groups.with_columns(
        pl.when(mass).then(value).otherwise(name).alias(name) for name, value in whole.items()
    ).write_parquet(path)
    form = form_of(tsclust.report(workspace.root).wrote)
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(form, "A", {"5": "normal", "1": "a"}))])
    assert given(workspace) == {(i, "A", "normal") for i in of(NORMAL)} | {(i, "A", "a") for i in of("short")}


def test_labellers_who_disagree(four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path) -> None:
    said = {"A": {"1": "x", "2": "y", "3": "z"}, "B": {"1": "x", "2": "w", "3": "dont_know"}, "C": {"1": "x", "2": "w"}}
    times = {"A": "2026-03-01T00:00:00Z", "B": "2026-02-01T00:00:00Z", "C": "2026-01-01T00:00:00Z"}
    files = [put(tmp_path / f"{who}.json", answered(asked_form, who, said[who], at=times[who])) for who in said]
    done = tsclust.labels_import(four_kinds_workspace.root, files)
    assert done.facts is not None
    assert done.facts["conflicts"] == [{"said": "w (B, C); y (A)", "series": len(of("dip"))}]
    assert done.facts["alpha"] == pytest.approx(obvious_alpha(labels(four_kinds_workspace)))
    assert any(f"{len(of('dip'))} series with contradictory labels" in note for note in done.notes)
    for resolve, dip in (("", None), ("majority", "w"), ("newest", "y"), ("C", "w"), ("A", "y")):
        kinds = in_use(four_kinds_workspace, resolve)
        assert {kinds.get(i) for i in of("dip")} == {dip}, resolve
        assert {kinds.get(i) for i in of("short")} == {"x"}
        assert {kinds.get(i) for i in of("high")} == {"z"}
    with pytest.raises(SettingsError, match=r"resolve = 'D': expected majority, newest or a labeller \(A, B, C\)"):
        tsclust.labels_import(four_kinds_workspace.root, files, {"labels": {"resolve": "D"}})


def test_an_import_of_no_files_is_an_error_that_names_them(four_kinds_workspace: Workspace) -> None:
    root = four_kinds_workspace.root
    with pytest.raises(SettingsError) as refused:
        tsclust.labels_import(root, [])
    step = f"Run: tsclust labels import -w {root} answers-*.json"
    assert str(refused.value) == f"no answers files given: expected at least one. {step}"
    assert not four_kinds_workspace.stage(LABELS).exists()


def test_answers_that_are_not_there_are_named(four_kinds_workspace: Workspace, tmp_path: Path) -> None:
    expected = r"none\.json: no such file: expected the answers that somebody has saved from a report\. Give the path"
    with pytest.raises(AnswersError, match=expected):
        tsclust.labels_import(four_kinds_workspace.root, [tmp_path / "none.json"])


def in_use(workspace: Workspace, resolve: str) -> dict[int, str]:
    from tsclust.stages.labels import resolution

    return dict(resolution.resolved(labels(workspace), resolve).select("series_id", "kind").iter_rows())


def obvious_alpha(found: pl.DataFrame) -> float:
    """1 - observed / expected disagreement, pair by pair (Krippendorff 2011)."""
    said = found.filter(pl.col("verdict") == "malfunction")
    units = [kinds for kinds in said.group_by("series_id").agg("kind")["kind"].to_list() if len(kinds) > 1]
    total = Counter(kind for kinds in units for kind in kinds)
    n = sum(total.values())
    pairs = [
        (a != b) / (len(kinds) - 1)
        for kinds in units
        for i, a in enumerate(kinds)
        for j, b in enumerate(kinds)
        if i != j
    ]
    expected = sum(total[a] * total[b] for a in total for b in total if a != b) / (n * (n - 1))
    return 1 - sum(pairs) / n / expected


def test_objections_are_kept_and_told(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    rejected = asked_form["rules"][0]["shown"][:2]
    done = tsclust.labels_import(
        four_kinds_workspace.root, [put(tmp_path / "a.json", answered(asked_form, "Anna", {"rule:flat": rejected}))]
    )
    assert (
        f"Anna reports that rule flat rejects real runs: {', '.join(rejected)}; see: tsclust filter --show flat"
        in done.notes
    )
    kept = pl.read_parquet(four_kinds_workspace.root / "labels" / "objections.parquet")
    assert kept["series_id"].to_list() == rejected


@pytest.mark.slow
def test_text_ids_with_anything_in_them(tmp_path: Path) -> None:
    odd = ["a\tb", "a\nb", "'; drop--", "\u202eabc", "x" * 10_000, "", " ", "Ω"]
    made = [replace(m, series_id=f"{odd[i % 8]}{i}") for i, m in enumerate(lifelike())]
    workspace = write(tmp_path / "ws", made)
    form = form_of(tsclust.report(workspace.root).wrote)
    dips = [m.series_id for m in made if m.group == "dip"]
    out = form["groups"][0]["shown"][:3]
    file = put(tmp_path / "a.json", answered(form, "A", {"1": {"kind": "dip", "not_members": out}}))
    tsclust.labels_import(workspace.root, [file])
    assert set(labels(workspace)["series_id"]) == set(dips) - set(out)


def test_names_are_one_however_they_are_coded(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    root = four_kinds_workspace.root
    first = put(tmp_path / "a.json", answered(asked_form, "Анна", {"1": "стойкий", "2": "Straße"}))
    nfd = unicodedata.normalize("NFD", "СТОЙКИЙ")
    later = put(
        tmp_path / "b.json", answered(asked_form, "анна\u200b", {"1": nfd, "2": "STRASSE", "3": "a\u00adb"}, at=LATER)
    )
    for files in ([first], [later]):
        done = tsclust.labels_import(root, files)
    assert given(four_kinds_workspace) == {
        (n, "Анна", kind) for name, kind in (("short", "СТОЙКИЙ"), ("dip", "STRASSE"), ("high", "ab")) for n in of(name)
    }  # the newer file of the same labeller about the same report, in her first spelling
    assert done.facts is not None
    assert done.facts["look_alikes"] == {"kinds": [], "labellers": []}
    files_table = pl.read_parquet(root / "labels" / "files.parquet")
    assert files_table["in_force"].to_list() == [False, True]
    assert tsclust.status(root, {"labels": {"resolve": "АННА"}}).facts["labels"]["labellers"] == ["Анна"]
    exported = tsclust.labels_export(root, tmp_path / "out.csv", {"labels": {"resolve": "анна"}})
    assert exported.facts["labels"] == len(given(four_kinds_workspace))


def test_names_that_look_alike_are_hinted_at_and_kept(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    said = {"1": "скрип", "2": "cкрип", "3": "тёмный", "4": "темный"}
    files = [put(tmp_path / f"{n}.json", answered(asked_form, who, said)) for n, who in enumerate(("Anna", "Аnna"))]
    done = tsclust.labels_import(four_kinds_workspace.root, files)
    assert {kind for _, _, kind in given(four_kinds_workspace)} == set(said.values())
    assert done.facts is not None
    pairs = {column: [set(pair) for pair in found] for column, found in done.facts["look_alikes"].items()}
    assert pairs == {"kinds": [{"тёмный", "темный"}, {"скрип", "cкрип"}], "labellers": [{"Anna", "Аnna"}]}
    notes = "\n".join(done.notes)
    assert "look alike and are kept apart: character 1 is CYRILLIC SMALL LETTER ES, not LATIN SMALL LETTER C" in notes
    assert "if they are one labeller: use one spelling in the report, save and import its answers again" in notes


def test_a_kind_that_looks_like_a_name_of_ours_is_marked(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    said = {"1": "nоrmal", "2": "Don’t know", "3": "bad-recording", "4": "\u200b\u2060"}
    tsclust.labels_import(four_kinds_workspace.root, [put(tmp_path / "a.json", answered(asked_form, "Anna", said))])
    marked = {f"{kind} (malfunction)" for kind in ("nоrmal", "Don’t know", "bad-recording")}
    assert {kind for _, _, kind in given(four_kinds_workspace)} == {*marked, "malfunction"}


@pytest.mark.parametrize("name", ["\u200b", " \ufeff", "\u2800\u3164"])
def test_a_labeller_whose_name_nobody_sees_is_refused(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path, name: str
) -> None:
    file = put(tmp_path / "a.json", answered(asked_form, name, {"1": "a"}))
    with pytest.raises(AnswersError, match="labeller is not valid"):
        tsclust.labels_import(four_kinds_workspace.root, [file])


def test_what_is_written_over_a_file_during_its_import_still_waits(
    four_kinds_workspace: Workspace, asked_form: dict[str, Any], tmp_path: Path
) -> None:
    """As a draft does that comes to the service meanwhile."""
    (four_kinds_workspace.root / "answers").mkdir()
    file = put(four_kinds_workspace.root / "answers" / "a.json", answered(asked_form, "Anna", {"1": "a"}))

    def overwrite(_: object) -> None:
        put(file, answered(asked_form, "Anna", {"1": "b"}))

    tsclust.labels_import(four_kinds_workspace.root, [file], None, overwrite)
    assert answers_folder.waiting(four_kinds_workspace) == (file,)
    tsclust.labels_import(four_kinds_workspace.root, [file])
    assert answers_folder.waiting(four_kinds_workspace) == ()
