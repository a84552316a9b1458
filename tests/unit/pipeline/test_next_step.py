"""What comes next, for every state that a workspace can be in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tsclust.pipeline import next_step
from tsclust.pipeline.next_step import Standing
from tsclust.pipeline.stage_state import State

NEW, OTHER, GROWN, FRESH = State.MISSING, State.OTHER, State.GROWN, State.FRESH
EXTRACTED = Standing(series=FRESH)
DESCRIBED = replace(EXTRACTED, features=FRESH)
SWEPT = replace(DESCRIBED, clusters=FRESH)
REPORTED = replace(SWEPT, reported=True)
ANSWERED = replace(REPORTED, labelled=True, answered=True)
TRAINED = replace(ANSWERED, model=FRESH)
SCORED = replace(TRAINED, scores=FRESH)
AGAIN = replace(SCORED, unnamed=400, swept=True, reported=False, answered=False)  # after cluster --unlabelled

WAYS: list[tuple[str, Standing, dict[str, Any], str]] = [
    ("a new workspace", Standing(), {"has_place": False}, "extract --from FILES"),
    ("after init --table", Standing(), {}, "extract"),
    ("other settings of the source", SCORED, {"series": OTHER}, "extract"),
    ("after extract", EXTRACTED, {}, "features"),
    (
        "after extract --update",
        SCORED,
        {"features": OTHER, "clusters": GROWN, "model": GROWN, "scores": OTHER},
        "features",
    ),
    ("other rules", DESCRIBED, {"other_rules": True}, "filter"),
    ("after features", DESCRIBED, {}, "cluster"),
    ("after cluster", SWEPT, {}, "report"),
    ("after new rows, before any report", SWEPT, {"clusters": GROWN}, "cluster"),
    ("after new rows, before any label", REPORTED, {"clusters": GROWN}, "labels import answers-*.json"),
    ("other settings of the sweep", SCORED, {"clusters": OTHER}, "cluster"),
    ("after report", REPORTED, {}, "labels import answers-*.json"),
    ("an answers file came", REPORTED, {"waiting": (Path("a.json"),)}, "labels import"),
    ("an answers file came after new rows", SCORED, {"clusters": GROWN, "waiting": (Path("a.json"),)}, "labels import"),
    ("after import", ANSWERED, {}, "train"),
    ("after import, all of it normal", ANSWERED, {"one_kind": True}, "labels import answers-*.json"),
    ("after a second import", SCORED, {"model": OTHER, "scores": OTHER}, "train"),
    ("after train", TRAINED, {}, "score"),
    ("after new rows, with a model", SCORED, {"clusters": GROWN, "model": GROWN, "scores": OTHER}, "score"),
    ("after score, much without a name", SCORED, {"unnamed": 400}, "cluster --unlabelled"),
    ("after score, little without a name", SCORED, {"unnamed": 4}, "run"),
    ("a second round: swept", AGAIN, {}, "report"),
    ("a second round: reported", AGAIN, {"reported": True}, "labels import answers-*.json"),
    ("a second round: answered", AGAIN, {"reported": True, "answered": True, "model": OTHER}, "train"),
    ("after score, everything has a name", SCORED, {}, "run"),
    ("after new rows were scored", SCORED, {"clusters": GROWN, "model": GROWN, "unnamed": 400}, "run"),
]


@pytest.mark.parametrize(("at", "change", "expected"), [way[1:] for way in WAYS], ids=[way[0] for way in WAYS])
def test_next_step(at: Standing, change: dict[str, Any], expected: str) -> None:
    step = next_step.next_step(replace(at, **change))
    assert f"{step.name} {step.more}".strip() == expected


def test_every_step_is_reached_by_some_state() -> None:
    reached = {next_step.next_step(replace(at, **change)) for _, at, change, _ in WAYS}
    assert reached == {step for step, _ in next_step.STEPS}
