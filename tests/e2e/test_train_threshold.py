"""When "don't know" is the answer: what of [train] decides, on a real plant."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.plant import Plant, scores
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES
from tsclust.workspace.folder import Workspace

pytestmark = pytest.mark.usefixtures("learned_once")


@pytest.fixture(scope="module")
def trained(small_plant: Plant, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy that is trained again and again."""
    return small_plant.copy_to(tmp_path_factory.mktemp("threshold") / "ws")


def chosen(trained: Workspace, train: dict[str, Any]) -> tuple[float, float]:
    """(share answered, share of errors left) out of fold."""
    tsclust.train(trained.root, {"train": train})
    found = pl.read_parquet(trained.stage(MODEL) / "out_of_fold.parquet")
    answered, wrong = found["probability"] >= trained.manifest(MODEL).facts.threshold, found["said"] != found["kind"]
    weight = found["weight"]
    return weight.filter(answered).sum() / weight.sum(), weight.filter(answered & wrong).sum() / weight.filter(
        wrong
    ).sum()


def test_each_way_alone_does_what_it_says_and_both_withhold_the_less(trained: Workspace) -> None:
    answered, left = chosen(trained, {"reject_errors": "80%"})
    assert left <= 0.2
    assert answered < 0.9
    assert chosen(trained, {"answer": "95%"})[0] >= 0.95
    both = chosen(trained, {"reject_errors": "80%", "answer": "90%"})
    assert both[0] >= 0.9
    assert both[1] > 0.2
    assert both == chosen(trained, {})


def test_it_says_where_the_errors_asked_for_cost_too_much(trained: Workspace) -> None:
    notes = tsclust.train(trained.root, {"train": {"reject_errors": "81%", "answer": "90%"}}).notes
    assert any("to accept that: --reject-errors 81%" in note for note in notes)


def test_what_is_answered_out_of_fold_is_answered_by_the_classifier(trained: Workspace) -> None:
    """Most series are plain, one and the same point: a threshold next to it must not refuse them all."""
    for share in ("90%", "70%", "50%"):
        answered, _ = chosen(trained, {"answer": share})
        tsclust.score(trained.root)
        found = scores(trained).filter(pl.col("rejected_by").is_null())
        assert (found["probability"] >= trained.manifest(SCORES).facts.threshold).mean() > answered - 0.05
