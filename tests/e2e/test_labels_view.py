"""tsclust.open, from the answers of experts on: against slow and obvious ways to get the same."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.figures import traces
from tests.support.plant import Plant
from tsclust.errors import SettingsError, StageMissingError
from tsclust.notebook.view import WorkspaceView
from tsclust.pipeline import labels_review
from tsclust.simulation import expert
from tsclust.simulation.expert import answered, form_of, put
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES

DECIDED = {"malfunction", "normal", "bad_recording"}


@pytest.fixture(scope="module")
def ws(small_plant: Plant, tmp_path_factory: pytest.TempPathFactory) -> WorkspaceView:
    """A workspace that two experts have answered about, trained and scored: for reading."""
    folder = tmp_path_factory.mktemp("opened") / "a [1]* folder"
    workspace = small_plant.described_copy(folder / "ws")
    tsclust.cluster(workspace.root, {"cluster": {"k": "2..12"}})
    tsclust.report(workspace.root, {"report": {"charts": False}})
    tsclust.labels_import(workspace.root, expert.two_answers(workspace, small_plant.planted))
    tsclust.train(workspace.root)
    tsclust.score(workspace.root)
    return tsclust.open(workspace.root)


@pytest.fixture
def copy(ws: WorkspaceView, tmp_path: Path) -> WorkspaceView:
    """One that a test may spoil."""
    found: WorkspaceView = tsclust.open(shutil.copytree(ws.workspace.root, tmp_path / "ws"))
    return found


def file(ws: WorkspaceView, name: str) -> pl.DataFrame:
    return pl.DataFrame(pq.read_table(ws.workspace.root / name))


def said_of_each(ws: WorkspaceView) -> dict[Any, dict[str, str]]:
    """series_id -> labeller -> kind, of the labels that say what a series is."""
    found: dict[Any, dict[str, str]] = {}
    for row in file(ws, "labels/labels.parquet").rows(named=True):
        if row["verdict"] in DECIDED:
            found.setdefault(row["series_id"], {})[row["labeller"]] = row["kind"]
    return found


def test_frames_are_the_files(ws: WorkspaceView) -> None:
    assert ws.labels.equals(file(ws, "labels/labels.parquet"))
    assert ws.answers.equals(file(ws, "labels/answers.parquet"))
    scores = ws.workspace.root / "scores"
    parts = [file(ws, f"scores/{path.name}") for path in sorted(scores.glob("part-*.parquet"))]
    assert len(parts) > 1
    assert ws.scores.collect().equals(pl.concat(parts))


def test_of_a_labeller_s_files_the_last_is_in_force(copy: WorkspaceView) -> None:
    root = copy.workspace.root
    assert copy.answers["in_force"].all()
    asked = {who: json.loads((root / f"answers-report-{who}.json").read_text())["groups"] for who in ("Anna", "Boris")}
    assert len(asked["Boris"]) < len(asked["Anna"])
    assert Counter(copy.answers["labeller"]) == {who: len(groups) for who, groups in asked.items()}
    form = form_of(copy.workspace.reports / "report.html")
    later = answered(form, "Anna", {"1": "another"}, at="2026-05-01T00:00:00Z")
    tsclust.labels_import(root, [put(root / "later.json", later)])
    anna = copy.answers.filter(pl.col("labeller") == "Anna")
    assert anna.filter("in_force")["file"].to_list() == ["later.json"]
    assert len(anna) == len(asked["Anna"]) + 1


def test_labels_in_use_are_what_labellers_agree_in(ws: WorkspaceView) -> None:
    agreed = {i: kinds for i, said in said_of_each(ws).items() if len(kinds := set(said.values())) == 1}
    assert {i: {kind} for i, kind in ws.labels_in_use.select("series_id", "kind").iter_rows()} == agreed
    assert len(agreed) < len(said_of_each(ws))


def test_one_who_decides_is_asked_first(ws: WorkspaceView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSCLUST_LABELS__RESOLVE", "Boris")
    used = dict(tsclust.open(ws.workspace.root).labels_in_use.select("series_id", "kind").iter_rows())
    assert used == {i: said.get("Boris", said.get("Anna")) for i, said in said_of_each(ws).items()}
    monkeypatch.setenv("TSCLUST_LABELS__RESOLVE", "Carl")
    with pytest.raises(
        SettingsError, match=r"resolve = 'Carl': expected majority, newest or a labeller \(Anna, Boris\)"
    ):
        _ = tsclust.open(ws.workspace.root).labels_in_use


def test_conflicts_are_what_is_said_of_the_same_series(ws: WorkspaceView) -> None:
    found: Counter[str] = Counter()
    for said in said_of_each(ws).values():
        if len(set(said.values())) > 1:
            found["; ".join(sorted(f"{kind} ({who})" for who, kind in said.items()))] += 1
    assert dict(ws.conflicts.iter_rows()) == found
    assert any(f"{expert.DISPUTED} (Boris)" in said for said in found)
    assert ws.conflicts["series"].to_list() == sorted(found.values(), reverse=True)


def test_groups_are_called_as_their_members_were(ws: WorkspaceView) -> None:
    labels, groups = ws.labels, ws.groups.filter("proposed", ~pl.col("normal"))["group"].to_list()
    assert ws.called["group"].to_list()[: len(groups)] == groups
    assert ws.called.filter("normal")["group"].to_list() == ws.called["group"].to_list()[len(groups) :]
    sizes = dict(ws.groups.select("group", "size").iter_rows())
    for row in ws.called.rows(named=True):
        members = labels.join(ws.members(row["group"]).collect(), on="series_id", how="semi")
        kinds = dict(members.select("series_id", "kind").unique()["kind"].value_counts().iter_rows())
        assert row["labelled"] == members["series_id"].n_unique()
        assert {one["kind"]: one["series"] for one in row["called"]} == kinds
        assert [one["series"] for one in row["called"]] == sorted(kinds.values(), reverse=True)
        assert row["size"] == sizes[row["group"]]
        alike = max(kinds.values()) >= 0.9 * sum(kinds.values())
        disputed = members.unique(["series_id", "kind"])["series_id"].is_duplicated().sum() / 2
        split = "contradicted" if disputed > 0.1 * row["labelled"] else "changed"
        assert row["state"] == ("named" if alike else split)
    assert "contradicted" in ws.called["state"].to_list()  # Boris called one otherwise


def test_groups_without_labels_are_new(copy: WorkspaceView) -> None:
    root, (group, size) = copy.workspace.root, copy.called.select("group", "size").row(0)
    shutil.rmtree(copy.workspace.stage(LABELS))
    carl = answered(form_of(copy.workspace.reports / "report.html"), "Carl", {str(group): "obstacle"})
    tsclust.labels_import(root, [put(root / "carl.json", carl)])
    first, *others = copy.called.rows(named=True)
    assert (first["state"], first["called"]) == ("named", [{"kind": "obstacle", "series": size}])
    untouched = [row for row in others if not row["labelled"]]
    assert untouched
    assert all((row["state"], row["called"]) == ("new", []) for row in untouched)


def judged(ws: WorkspaceView) -> pl.DataFrame:
    """kind, said, probability, weight of every example, by a classifier that had not seen its machine."""
    return file(ws, "model/out_of_fold.parquet")


def test_the_model_says_how_well_each_kind_is_told(ws: WorkspaceView) -> None:
    rows, confusion = judged(ws).rows(named=True), ws.confusion
    assert ws.model.columns == ["kind", "labelled", "precision", "recall"]
    counts, kept = Counter(ws.labels_in_use["kind"]), set(ws.kept.collect()["series_id"])
    assert set(ws.labels_in_use["series_id"]) <= kept
    for kind, labelled, precision, recall in ws.model.iter_rows():
        right = sum(row["weight"] for row in rows if row["kind"] == row["said"] == kind)
        called = sum(row["weight"] for row in rows if row["said"] == kind)
        assert labelled == counts[kind]
        assert recall == pytest.approx(right / sum(row["weight"] for row in rows if row["kind"] == kind), rel=1e-3)
        assert precision == (pytest.approx(right / called, rel=1e-3) if called else None)
    (shares,) = traces(confusion, "z")
    np.testing.assert_allclose(np.diag(shares["z"]), ws.model["recall"], atol=1e-4)
    assert confusion.layout.yaxis.ticktext == tuple(ws.model["kind"])


def test_the_coverage_counts_what_is_answered_and_which_errors_are_left(ws: WorkspaceView) -> None:
    rows = judged(ws)
    wrong, total = rows.filter(pl.col("kind") != pl.col("said")), rows["weight"].sum()
    answered, left, *rings = traces(ws.coverage, "x", "y")
    for threshold, share, errors in list(zip(answered["x"], answered["y"], left["y"], strict=True))[:-1:9]:
        for drawn, of, whole in ((share, rows, total), (errors, wrong, wrong["weight"].sum())):
            # A threshold is drawn rounded: what lies within a millionth of it may be on either side.
            low, high = (
                of.filter(pl.col("probability") >= threshold + by)["weight"].sum() / whole for by in (1e-6, -1e-6)
            )
            assert low - 1e-6 <= drawn <= high + 1e-6
    threshold = ws.workspace.manifest(MODEL).facts.threshold
    assert [ring["x"] for ring in rings] == [[pytest.approx(threshold, abs=1e-6)]] * 2


def test_figures_speak_the_language_of_the_settings(ws: WorkspaceView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSCLUST_REPORT__LANG", "ru")
    russian = tsclust.open(ws.workspace.root)
    assert russian.confusion.layout.title.text == "Что с чем путают"
    assert russian.coverage.layout.title.text == "Что даёт «не знаю»"
    assert all(isinstance(figure, go.Figure) for figure in (ws.confusion, ws.coverage))


@pytest.mark.usefixtures("learned_once")
def test_training_takes_settings_and_gives_the_model(copy: WorkspaceView) -> None:
    assert copy.train(answer="90%").equals(copy.model)
    facts = copy.workspace.manifest(MODEL).facts
    assert facts.answer == "90%"
    answered, *_ = traces(copy.coverage, "x", "y")
    in_force = dict(zip(answered["x"], answered["y"], strict=True))[round(facts.threshold, 6)]
    assert in_force >= 0.9
    with pytest.raises(SettingsError, match=r"train\.answers"):
        copy.train(answers="90%")


def test_scoring_gives_what_was_said_how_often(copy: WorkspaceView) -> None:
    found = copy.score()
    assert found.columns == ["said", "series", "share"]
    assert dict(found.select("said", "series").iter_rows()) == Counter(copy.scores.collect()["said"])
    assert found["series"].to_list() == sorted(found["series"], reverse=True)
    assert found["share"].to_list() == pytest.approx(
        [series / copy.scores.collect().height for series in found["series"]]
    )
    assert {"normal", "impossible"} <= set(found["said"])
    refused = dict(copy.score(refuse="20%").select("said", "series").iter_rows())
    answered = sum(refused.get(kind, 0) for kind in copy.model["kind"])
    sure = copy.scores.filter(pl.col("rejected_by").is_null()).collect()["probability"]
    threshold = copy.workspace.manifest(SCORES).facts.threshold
    assert (sure > threshold).mean() <= 0.8 <= (sure >= threshold).mean()  # many are equally sure
    assert answered == pytest.approx((sure >= threshold).sum(), rel=0.02)


def test_series_of_another_place_take_that_of_the_settings(copy: WorkspaceView) -> None:
    """Whatever tsclust.toml names: its table is not looked for in the file."""
    settings = copy.workspace.config.read_text(encoding="utf-8")
    copy.workspace.config.write_text(settings.replace('table = ""', 'table = "machine.cycles"'), encoding="utf-8")
    some = copy.series.head(300).with_columns(pl.col("series_id") + 10**6).collect()
    some.write_parquet(copy.workspace.root / "new.parquet")
    before = copy.scores.head(300).collect()
    assert copy.score(files="new.parquet")["series"].sum() == 300
    assert copy.scores.head(300).collect().equals(before)
    assert copy.scores_new.select("said", "probability").collect().equals(before.select("said", "probability"))


CHANGED: list[dict[str, Any]] = [
    {"machine": None, "rows": 900, "refused": 0.1, "refused_more": True, "rejected": 0.2, "rejected_more": False,
     "since": None, "shifts": [{"feature": "p50", "index": 0.7}, {"feature": "area", "index": 0.3}]},
    {"machine": "W1", "rows": 60, "refused": 0.5, "refused_more": True, "rejected": 0.9, "rejected_more": True,
     "since": "2024-03", "shifts": []},
]  # fmt: skip
SHIFTED = [
    (None, 900, 0.1, 0.2, "p50", 0.7, None), (None, 900, 0.1, 0.2, "area", 0.3, None),
    ("W1", 60, 0.5, 0.9, None, None, "2024-03"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "rows"), [(CHANGED, SHIFTED), ([], [])])
def test_drift_has_a_row_for_each_shift(copy: WorkspaceView, changed: list[Any], rows: list[Any]) -> None:
    path = copy.workspace.stage(SCORES) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["facts"]["drift"] = {"found": bool(changed), "changed": changed, "unknown": ["W9"]}
    path.write_text(json.dumps(manifest))
    assert copy.drift.rows() == rows
    assert copy.drift.columns == ["machine", "rows", "refused", "rejected", "feature", "index", "since"]
    assert copy.drift.schema["feature"] == pl.String


@pytest.mark.usefixtures("learned_once")
def test_suspects_come_most_suspicious_first(ws: WorkspaceView, small_plant: Plant) -> None:
    found = ws.suspects(12)
    assert found.columns == ["series_id", "kind", "suggested", "probability", "margin"]
    assert found.equals(labels_review.rank(ws.workspace.root).head(12))
    assert found["margin"].is_sorted(descending=True)
    used = dict(ws.labels_in_use.select("series_id", "kind").iter_rows())
    assert found["kind"].to_list() == [used[i] for i in found["series_id"]]
    true = small_plant.planted.rename({"kind": "true"})
    first, every = (labels.join(true, on="series_id") for labels in (found, ws.labels_in_use))
    assert (first["kind"] != first["true"]).mean() >= 0.5 > 5 * (every["kind"] != every["true"]).mean()


ASKED: list[tuple[str, Callable[[WorkspaceView], object]]] = [
    ("labels", lambda ws: ws.answers),
    ("labels", lambda ws: ws.labels),
    ("labels", lambda ws: ws.labels_in_use),
    ("labels", lambda ws: ws.conflicts),
    ("labels", lambda ws: ws.called),
    ("labels", lambda ws: ws.train()),
    ("labels", lambda ws: ws.suspects()),
    ("model", lambda ws: ws.model),
    ("model", lambda ws: ws.confusion),
    ("model", lambda ws: ws.coverage),
    ("model", lambda ws: ws.score()),
    ("scores", lambda ws: ws.scores),
    ("scores", lambda ws: ws.drift),
]


@pytest.mark.parametrize(("stage", "call"), ASKED)
def test_what_was_not_made_yet_names_the_command(
    copy: WorkspaceView, stage: str, call: Callable[[WorkspaceView], object]
) -> None:
    shutil.rmtree(copy.workspace.root / stage)
    made_by = {"labels": "labels import", "model": "train", "scores": "score"}[stage]
    with pytest.raises(StageMissingError, match=f"{stage} does not exist yet.*Run: tsclust {made_by} -w"):
        call(copy)


def test_groups_of_other_features_are_refused_not_mixed_up(copy: WorkspaceView) -> None:
    rule = '[[rule]]\nname = "long"\nwhen = "run_length > 60"\nreason = "too long"\n'
    copy.workspace.config.write_text(copy.workspace.config.read_text(encoding="utf-8") + rule, encoding="utf-8")
    tsclust.filter(copy.workspace.root)
    with pytest.raises(StageMissingError, match="made from features that have changed since"):
        _ = copy.called
