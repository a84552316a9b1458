"""What is typical of a feature."""

from __future__ import annotations

import sys

import numpy as np
import polars as pl

from tests.support.series import block
from tsclust.series import SeriesBlock
from tsclust.stages.features import survey


def typical_of(*values: float | None) -> tuple[float, float]:
    """Of a feature with these values."""

    def describe(block: SeriesBlock, sign: int) -> pl.DataFrame:
        return pl.DataFrame({"max": pl.Series(values, dtype=pl.Float64)})

    return survey.typical([block([0.0])], 1, describe)["max"]


def test_the_median_and_the_robust_deviation_of_what_is_known() -> None:
    assert typical_of(1, 2, None, 3, 10) == (2.5, 1.4826)
    assert typical_of(None, None) == (0.0, 0.0)


def test_a_manifest_can_hold_what_is_typical_of_the_largest_numbers() -> None:
    largest = sys.float_info.max
    with np.errstate(over="ignore"):
        assert typical_of(largest, -largest, largest, -largest) == (0.0, largest)
        assert typical_of(largest, largest) == (largest, 0.0)


def test_the_sample_and_the_votes_are_the_same_for_any_parts() -> None:
    up, down = [0.0, 0, 5, 1, 1, 1, 0, 0], [0.0, 0, -5, -1, -1, -1, 0, 0]
    whole = block(up, down, up)
    parts = [whole.take(np.array(rows)) for rows in ([0, 1], [2])]
    surveys = [survey.survey(part, 3) for part in parts]
    assert survey.survey(whole, 3).votes == (2, 1)
    assert [one.votes for one in surveys] == [(1, 1), (1, 0)]
    assert [one.series for one in surveys] == [2, 1]
    assert [i for one in surveys for i in one.sample.ids.to_pylist()] == [0, 1, 2]
