"""When "don't know" is said: what of [train] decides, and that the plain series are not parted."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import tsclust
from tests.support.plant import cycles_file, describe_file, kept, label, scores
from tsclust.stages.model import abstention, classifier
from tsclust.stages.model.classifier import Examples
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES
from tsclust.workspace.folder import Workspace


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """So few series that rare kinds are hard to tell."""
    folder = tmp_path_factory.mktemp("threshold")
    path, truth = cycles_file(folder, 10_000)
    workspace = describe_file(folder, path)
    label(workspace, kept(workspace, truth).select("series_id", "kind"))
    return workspace


def chosen(plant: Workspace, train: dict[str, Any]) -> tuple[float, float]:
    """(share answered, share of errors left) out of fold."""
    tsclust.train(plant.root, {"train": train})
    found = pl.read_parquet(plant.stage(MODEL) / "out_of_fold.parquet")
    answered, wrong = found["probability"] >= plant.manifest(MODEL).facts["threshold"], found["said"] != found["kind"]
    weight = found["weight"]
    return weight.filter(answered).sum() / weight.sum(), weight.filter(answered & wrong).sum() / weight.filter(
        wrong
    ).sum()


def test_each_way_alone_does_what_it_says_and_both_withhold_the_less(plant: Workspace) -> None:
    answered, left = chosen(plant, {"reject_errors": "80%"})
    assert left <= 0.2
    assert answered < 0.9
    assert chosen(plant, {"answer": "95%"})[0] >= 0.95
    both = chosen(plant, {"reject_errors": "80%", "answer": "90%"})
    assert both[0] >= 0.9
    assert both[1] > 0.2
    assert both == chosen(plant, {})


def test_it_says_where_the_errors_asked_for_cost_too_much(plant: Workspace) -> None:
    notes = tsclust.train(plant.root, {"train": {"reject_errors": "81%", "answer": "90%"}}).notes
    assert any("use --reject-errors 81% for it" in note for note in notes)


def test_what_is_answered_out_of_fold_is_answered_by_the_classifier(plant: Workspace) -> None:
    """Most series are plain, one and the same point: a threshold next to it must not refuse them all."""
    for share in ("90%", "70%", "50%"):
        answered, _ = chosen(plant, {"answer": share})
        tsclust.score(plant.root)
        found = scores(plant).filter(pl.col("rejected_by").is_null())
        assert (found["probability"] >= plant.manifest(SCORES).facts["threshold"]).mean() > answered - 0.05


def test_the_plain_are_given_one_answer() -> None:
    x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    examples = Examples(x, np.zeros(3, np.int64), np.array([3.0, 1.0, 1.0]), np.array(["", "", ""]), ("a", "b"))
    found = classifier.average_plain_rows(np.array([[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]]), examples)
    np.testing.assert_allclose(found, [[0.8, 0.2], [0.3, 0.7], [0.8, 0.2]])
    some = examples.of(np.array([1]))
    np.testing.assert_array_equal(classifier.average_plain_rows(np.array([[0.3, 0.7]]), some), [[0.3, 0.7]])


@pytest.mark.parametrize(("threshold", "before", "now", "expected"), [
    (0.8, 0.9, 0.7, 0.7), (0.8, 0.9, 0.95, 0.8), (0.92, 0.9, 0.7, 0.92), (0.9, 0.9, 0.8, 0.8),
])  # fmt: skip
def test_a_threshold_that_answers_the_plain_goes_on_to(
    threshold: float, before: float, now: float, expected: float
) -> None:
    assert abstention.keep_ties_together(threshold, before, now) == expected
