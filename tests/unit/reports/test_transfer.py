"""A series as if it were of another machine."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tsclust.arrays import Floats
from tsclust.stages.reports.charts.transfer import Usual, transferred
from tsclust.stages.reports.data import Line

FIRST, LAST = -6, 90


def curve(level: float, peak: float, length: int, rest: float = 0.0) -> Floats:
    """From FIRST to LAST: rest, a peak at 2, a plateau, rest again from `length` on."""
    at = np.arange(FIRST, LAST)
    run = level * (1 + (peak - 1) * np.exp(-np.abs(at - 2) / 2.0))
    return rest + np.where((at >= 0) & (at < length), run, 0.0)


def line(values: Floats) -> Usual:
    return Usual.of(Line(tuple(range(FIRST, FIRST + len(values))), tuple(values.tolist())))


def moved(member: Floats, here: Usual, there: Usual) -> Floats:
    return transferred(member[None], FIRST, [here], np.zeros(1, np.int64), there)[0]


machines = st.tuples(
    st.floats(0.5, 20),
    st.floats(1.5, 8),
    st.integers(20, 70),
    st.sampled_from([0.0, 3.0, -5.0]),
    st.sampled_from([1, -1]),
)


@given(machines, machines)
def test_what_is_usual_becomes_what_is_usual_there(one: tuple[float, ...], other: tuple[float, ...]) -> None:
    level, peak, length, rest, way = one
    here, there = curve(level * way, peak, int(length), rest), curve(other[0] * way, other[1], int(other[2]), other[3])
    found = moved(here, line(here), line(there))
    wide = min(len(found), len(there))
    np.testing.assert_allclose(found[:wide], there[:wide], atol=1e-6 * np.abs(there).max())


@given(machines, machines, st.integers(-18, 18), st.floats(0.0, 0.8))
def test_a_run_that_ends_early_or_late_or_is_lower_gets_no_level_that_no_recording_has(
    one: tuple[float, ...], other: tuple[float, ...], longer: int, lower: float
) -> None:
    """Between rest and the peak there, on the side of rest that it is on here."""
    (level, peak, length, rest, way), (there_level, there_peak, there_length, there_rest, _) = one, other
    here, there = (
        line(curve(level * way, peak, int(length), rest)),
        line(curve(there_level * way, there_peak, int(there_length), there_rest)),
    )
    member = curve(level * way * (1 - lower), peak, int(length) + longer, rest)
    found = way * (moved(member, here, there) - there.rest)
    assert np.nanmin(found) >= -1e-6 * there.largest
    assert np.nanmax(found) <= there.largest * (1 + 1e-6)


def test_a_longer_run_is_as_much_longer_and_what_is_missing_stays_missing() -> None:
    here, there = line(curve(1.0, 4.0, 40)), line(curve(3.0, 4.0, 60))
    member = curve(1.0, 4.0, 45)
    member[50] = np.nan
    found = moved(member, here, there)
    assert np.flatnonzero(np.nan_to_num(found, nan=1.0) > 0.5)[-1] + FIRST == 64
    assert np.isnan(found).any()


def test_series_of_many_machines_at_once_are_as_each_one_alone() -> None:
    """Machines whose runs, peaks and rests differ, one without a peak after the start, one that lacks samples."""
    curves = [curve(1.0, 4.0, 40), curve(3.0, 2.0, 60, rest=2.0), -curve(2.0, 5.0, 30), curve(1.0, 1.0, 50)]
    lacking = np.delete(np.arange(FIRST, LAST), [20, 21, 40])
    holes = Usual.of(Line(tuple(lacking.tolist()), tuple(curves[0][lacking - FIRST].tolist())))
    here, there = [*map(line, curves), holes], line(curve(2.0, 3.0, 45))
    which = np.array([4, 0, 1, 2, 3, 0, 1])
    series = np.stack([curves[i % 4] * (1 + 0.1 * n) for n, i in enumerate(which)])
    found = transferred(series, FIRST, here, which, there)
    for row, member, own in zip(found, series, which.tolist(), strict=True):
        alone = moved(member, here[own], there)
        np.testing.assert_array_equal(row[: len(alone)], alone)
        assert np.isnan(row[len(alone) :]).all()
