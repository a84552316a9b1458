"""What a report draws of curves, as plain arrays: bands, the typical ones, few points; against plain ways."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tsclust.series import SeriesBlock
from tsclust.stages.reports.charts import curves


def block(*series: list[float]) -> SeriesBlock:
    return SeriesBlock.from_arrow(pa.table({"series_id": list(range(len(series))), "values": list(series)}))


def test_quantiles_agree_with_the_obvious_way() -> None:
    rng = np.random.default_rng(3)
    series = [rng.normal(size=n).tolist() for n in rng.integers(5, 12, 40)]
    starts = rng.integers(0, 4, 40)
    at, (low, high) = curves.quantiles(block(*series), np.arange(40), starts, (0.05, 0.95))
    for t, a, b in zip(at, low, high, strict=True):
        column = sorted(s[start + t] for s, start in zip(series, starts, strict=True) if 0 <= start + t < len(s))
        assert len(column) >= 4
        assert (a, b) == (column[round(0.05 * (len(column) - 1))], column[round(0.95 * (len(column) - 1))])


def test_one_endless_series_costs_no_room() -> None:
    _, matrix = curves.aligned(block(*[[1.0] * 8] * 30, [2.0] * 100_000), np.arange(31), np.zeros(31, np.int64))
    assert matrix.shape == (31, 8)


@pytest.mark.parametrize(("n", "count"), [(1, 12), (12, 12), (13, 12), (2_000, 12), (5, 1)])
def test_strata_start_with_the_typical_and_reach_the_rim(n: int, count: int) -> None:
    rows = curves.strata(np.arange(n), count)
    assert rows[0] == 0
    assert len(rows) == min(n, count) == len(set(rows))
    assert list(rows) == sorted(rows)
    assert n <= count or count == 1 or n - 1 - rows[-1] <= n / count


def test_the_typical_one_is_nearest_the_middle() -> None:
    order = curves.typical_first(np.array([[0.0], [10.0], [4.0], [5.0], [1.0]]))
    assert order[0] == 2
    assert order[-1] == 1


def test_a_thinned_curve_keeps_its_peaks() -> None:
    values = np.random.default_rng(1).normal(size=10_000)
    values[[17, 4_321]] = [9.0, -9.0]
    values[500:600] = np.nan
    at, kept = curves.thinned(np.arange(10_000), values, 240)
    assert len(at) <= 242
    assert np.nanmax(kept) == 9.0
    assert np.nanmin(kept) == -9.0
    assert list(at) == sorted(set(at))


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 11.7), (1e-9, 7e-9), (-5e30, 1e30), (99.5, 100.1)])
def test_ticks_are_few_and_inside(low: float, high: float) -> None:
    ticks = curves.nice_ticks(low, high, 5)
    assert 2 <= len(ticks) <= 6
    slack = 1e-9 * (high - low)
    assert all(low - slack <= t <= high + slack for t in ticks)
