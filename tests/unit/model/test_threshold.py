"""When "don't know" is said: what of [train] decides, and that the plain series are not parted."""

from __future__ import annotations

import numpy as np
import pytest

from tsclust.stages.model import abstention, classifier
from tsclust.stages.model.classifier import Examples


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
