"""The axis of a histogram: for any values, extreme ones too."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tests.support.features_workspace import EXTREMES
from tsclust.stages.reports.charts import axis


def test_the_axis_is_logarithmic_where_the_bulk_is_narrow() -> None:
    rng = np.random.default_rng(1)
    normal = rng.normal(10, 1, 10_000)
    even = axis.fit(normal, normal, [], (10.0, 1.0))
    assert (even.scale, len(even.edges)) == ("linear", 61)
    wild = np.concatenate([normal, rng.normal(10, 1e4, 100)])
    uneven = axis.fit(wild, normal, [], (10.0, 1.0))
    assert uneven.scale == "log"
    inside = uneven.along(np.quantile(normal, [0.01, 0.99]))
    assert 0.05 < inside[1] - inside[0] < 0.5
    assert all(uneven.edges[0] <= t <= uneven.edges[-1] for t in uneven.ticks())


@pytest.mark.parametrize("values", [[], [3.0], [0.0, 0.0], [1e-9, 2e-9], [-1e300, 0.0, 1e300], [5.0, 7.0], [1e6] * 9])
@pytest.mark.parametrize("limits", [[], [6.5, -3.0], [1e12]])
def test_any_values_have_an_axis(values: list[float], limits: list[float]) -> None:
    x = np.array(values)
    made = axis.fit(x, x, limits, (float(np.median(x)) if values else 0.0, 0.0))
    assert all(a < b for a, b in itertools.pairwise(made.edges))
    assert len(made.edges) <= axis.BINS + 3
    assert all(map(math.isfinite, (*made.ticks(), *made.along(made.edges), *made.along(limits))))
    assert len(set(made.ticks())) == len(made.ticks())


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("spread", [0.0, 1e-310, 1.0, 1.7e308, math.inf])
@pytest.mark.parametrize("limits", [[], [6.5, -1.7e308], [2.0**53, 1e-310]])
def test_extreme_values_have_an_axis(name: str, spread: float, limits: list[float]) -> None:
    x = EXTREMES[name]
    made = axis.fit(x, x, limits, (float(np.sort(x)[len(x) // 2]), spread))
    assert all(a < b for a, b in itertools.pairwise(made.edges))
    assert all(a < b for a, b in itertools.pairwise(made.ticks()))
    assert all(map(math.isfinite, (*made.edges, *made.ticks(), *made.along(limits), *made.along(x))))
    places = made.along(made.edges)
    assert (np.diff(places) >= 0).all()
    assert (places[0], places[-1]) == (0.0, 1.0)
    assert set(made.bins(x).tolist()) & set(range(1, len(made.edges)))


def test_whole_numbers_lie_in_the_middle_of_their_bins() -> None:
    x = np.array([3.0, 4.0, 4.0, 9.0])
    made = axis.fit(x, x, [], (4.0, 0.0))
    assert made.edges == tuple(n + 0.5 for n in range(2, 10))
    assert made.bins(np.array([2.0, 3.0, 9.0, 10.0, np.nan])).tolist() == [0, 1, 7, 8, 9]
