"""Every feature against a slow, obvious version; properties; odd series."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.endurance import times
from tests.support.series import (
    CLUSTERED,
    CYCLE,
    array_of,
    block,
    features_of,
    machine_cycles,
    machine_features,
    possible,
)
from tsclust.arrays import Floats
from tsclust.engine.base import map_parts
from tsclust.series import SeriesBlock
from tsclust.stages.features.catalogue import CATALOGUE, NAMES
from tsclust.stages.features.kernels import FEWEST, describe, peak_votes

FACTS = ("n_values", "n_missing", "min", "max", "n_recorded", "n_lost", "least_step")


def oracle(raw: Floats, sign: int = 1) -> dict[str, float]:
    """All features of one series, written for reading."""
    facts = {"n_values": len(raw), "n_missing": int((~np.isfinite(raw)).sum())}
    known = np.flatnonzero(np.isfinite(raw))
    if len(known) == 0:
        return facts | {"n_recorded": 0, "n_lost": 0}
    inside = np.arange(known[0], known[-1] + 1)
    x = np.interp(inside, known, raw[known])
    facts |= {"min": x.min(), "max": x.max(), "n_recorded": len(x), "n_lost": len(x) - len(known)}
    facts["least_step"] = least_step(raw)
    if len(x) < FEWEST:
        return facts
    x = sign * x
    lower = lower_end(x)
    peak = peak_of(x, lower)
    start, end = active(x, lower, peak) if x.max() > lower else (0, len(x))
    first, last = side_movement(x, lower, peak, end, x.max() - lower)
    idle = [v for v in [*x[:start], *x[end:]] if abs(v - lower) <= 0.03 * (x.max() - lower)]
    rest = float(np.median(idle)) if idle and x.max() > lower else lower
    height = x.max() - rest
    side, run = x[first:last], x[start:end]
    middle, slope = np.arange(len(side)) - (len(side) - 1) / 2, line(side)
    std = side.std() if side.std() > 1e-9 * np.sqrt((side**2).mean()) else 0.0
    shape = {
        "longest_flat_run": len(x) if np.ptp(x) == 0 else longest(x, lower + 0.03 * (x.max() - lower)),
        "frozen_run": longest_below(x, lower + 0.03 * (x.max() - lower) if start > 0 else -np.inf),
        "spike": spike(x), "floor": sorted(x)[2], "first_level": x[0] - rest,
        "upright": upright(x),
        "start": start, "run_length": end - start, "peak_position": peak - start, "peak_height": height,
        "peak_width": crossing(x, peak, rest + height / 2, 1) - crossing(x, peak, rest + height / 2, -1),
        "decay_time": crossing(x, peak, np.median(side) + (x[peak] - np.median(side)) / np.e, 1) - peak,
        "side_mean": side.mean() - rest, "side_std": std,
        "side_skewness": scipy.stats.skew(side) if std else 0.0,
        "side_kurtosis": scipy.stats.kurtosis(side) if std else 0.0,
        "side_slope": slope, "side_roughness": np.abs(np.diff(side)).mean(),
        "side_rise": side.max() - np.median(side), "side_fall": np.median(side) - side.min(),
        "side_step": step(side), "step_or_line": step_or_line(side),
        "side_oscillation": swing(side - side.mean() - slope * middle),
        "return_time": max(end - last, 0), "return_level": (x[last:end].mean() - rest) if end > last else 0.0,
        "rest_level": x[-3:].min() - (x[0] if start > 0 else rest), "area": (run - rest).sum(),
    }  # fmt: skip
    for name, of in (
        ("side", "side_mean"),
        ("spread", "side_std"),
        ("rise", "side_rise"),
        ("roughness", "side_roughness"),
    ):
        shape[f"{name}_to_peak"] = shape[of] / height if height > 0 else 0.0
    percents = {f"p{q:02d}": np.percentile(run, q) - rest for q in (5, 25, 50, 75, 95)}
    return facts | shape | percents


def peak_of(x: Floats, rest: float) -> int:
    near = rest + 0.9 * (x.max() - rest)
    return next(i for i in range(len(x)) if x[i] >= near and x[i] >= x[min(i + 1, len(x) - 1)])


def lower_end(x: Floats) -> float:
    """The lower of both ends, none that is alone there or on the way down."""
    span, last = x.max() - x.min(), sorted(x[-3:])

    def leaves(value: float, neighbour: float, other: float) -> bool:
        alone, down = abs(neighbour - other) <= 0.03 * span, neighbour < value - 0.03 * span
        return 0.03 * span < other - value <= 0.5 * span and (alone or down)

    begin = last[0] if leaves(x[0], x[1], last[0]) else x[0]
    finish = x[0] if leaves(last[0], last[1], x[0]) or leaves(x[-1], x[-2], x[0]) else last[0]
    return float(min(begin, finish))


def upright(x: Floats) -> float:
    low, high = sorted(x)[2], sorted(x)[-3]
    up, down = max(high - max(x[0], x[-1]), 0), min(x[0], x[-1]) - low
    return up / (up + down) if down > 0.1 * np.ptp(x) else 1.0


def least_step(raw: Floats) -> float:
    steps = np.abs(np.diff(raw))[np.isfinite(raw[1:]) & np.isfinite(raw[:-1])]
    return min(steps[steps > 1e-6 * np.abs(raw[np.isfinite(raw)]).max()], default=0.0)


def longest_below(x: Floats, above: float) -> int:
    return max((len(list(run)) for value, run in groupby(x) if above < value < x.max()), default=0)


def spike(x: Floats) -> float:
    found = [0.0]
    for size in (1, 2):
        for i in range(len(x) - size + 1):
            inside, whole = x[i : i + size], 0 < i < len(x) - size
            beside = [x[i - 1], x[i + size]] if whole else [*x[:i], *x[i + size :]]
            found += [min(inside) - max(beside), min(beside) - max(inside)]
    return max(found)


def active(x: Floats, rest: float, peak: int) -> tuple[int, int]:
    away = np.abs(x - rest) > 0.03 * (x.max() - rest)
    pairs = np.flatnonzero(away[:-1] & away[1:])
    return min([peak, *pairs]), max([peak, *(pairs + 1)]) + 1


def side_movement(x: Floats, rest: float, peak: int, end: int, height: float) -> tuple[int, int]:
    first = next(i for i in range(peak, end) if i + 1 == end or x[i] - x[i + 1] < 0.01 * height)
    level = rest + 0.7 * (np.median(x[first:end]) - rest)
    last = max((i + 1 for i in range(first, end) if x[i] >= level), default=first)
    if last - first >= 3:
        return first, last
    return (peak, end) if end - peak >= 3 else (0, len(x))


def crossing(x: Floats, peak: int, level: float, way: int) -> float:
    """Where the line between neighbours first meets the level; the last sample when it never does."""
    if x[peak] <= level:
        return float(peak)
    path = x[peak:] if way == 1 else x[peak::-1]
    below = np.flatnonzero(path <= level)
    if len(below) == 0:
        return float(peak + way * (len(path) - 1))
    j = below[0]
    return float(peak + way * (j - 1 + (path[j - 1] - level) / (path[j - 1] - path[j])))


def step(x: Floats) -> float:
    w = min(5, len(x) // 2)
    steps = [abs(x[i : i + w].mean() - x[i - w : i].mean()) for i in range(w, len(x) - w + 1)]
    at = w + next(i for i, change in enumerate(steps) if change >= max(steps) * (1 - 1e-9))
    return float(np.median(x[at:]) - np.median(x[:at]))


def step_or_line(x: Floats) -> float:
    whole, n = float(((x - x.mean()) ** 2).sum()), np.arange(len(x))
    if whole <= 1e-18 * (x**2).sum():
        return 0.0
    line = float(((x - np.polyval(np.polyfit(n, x, 1), n)) ** 2).sum())
    splits = range(3, len(x) - 2)
    step = min([whole, *(((x[:i] - x[:i].mean()) ** 2).sum() + ((x[i:] - x[i:].mean()) ** 2).sum() for i in splits)])
    return float((line - step) / (line + step)) if line + step > 1e-9 * whole else 0.0


def line(x: Floats) -> float:
    """Joins the medians of the outer thirds, whose middles lie len - third samples apart."""
    third = (len(x) + 1) // 3
    return float((np.median(x[-third:]) - np.median(x[:third])) / max(len(x) - third, 1))


def swing(d: Floats) -> float:
    power = (d**2).sum()
    lags = range(3, min(20, len(d) // 2) + 1)
    return max([0.0, *((d[lag:] * d[:-lag]).sum() / power for lag in lags)]) if power > 1e-18 else 0.0


def longest(x: Floats, above: float) -> int:
    runs, run = [0], 0
    for i, v in enumerate(x):
        run = 0 if v <= above else run + 1 if run and v == x[i - 1] else 1
        runs.append(run)
    return max(runs)


def assert_same(found: dict[str, float], wanted: dict[str, float]) -> None:
    for name in NAMES:
        if name in wanted:
            assert found[name] == pytest.approx(wanted[name], rel=1e-6, abs=1e-7), name
        else:
            assert np.isnan(found[name]), name


def test_the_catalogue_describes_every_column_once() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(f.meaning.endswith(".") and f.formula for f in CATALOGUE)
    assert 20 <= len(CLUSTERED) <= 30
    assert "start" not in CLUSTERED  # says how the recording was cut, not what the mechanism did


@pytest.mark.slow
@pytest.mark.endurance
def test_oracle_on_made_cycles_of_all_kinds() -> None:
    table, truth = machine_cycles()
    rows = truth.with_row_index().filter(pl.int_range(pl.len()).over("kind") < times(30, 500))["index"]
    assert rows.len() > 400
    many = SeriesBlock.from_arrow(table.take(rows.to_arrow()))
    for i, row in enumerate(describe(many, 1).tolist()):
        assert_same(dict(zip(NAMES, row, strict=True)), oracle(array_of(many, i)))


VALUES = st.floats(-1e3, 1e3).map(lambda v: round(v, 2)) | st.sampled_from([0.0, 1.0, None])


@pytest.mark.slow
@pytest.mark.endurance
@settings(max_examples=times(150, 3_000))
@given(st.lists(VALUES, max_size=40), st.sampled_from([1, -1]))
def test_oracle_on_any_series(values: list[float | None], sign: int) -> None:
    raw = np.array([np.nan if v is None else v for v in values])
    assert_same(features_of(values, sign=sign)[0], oracle(raw, sign))


@pytest.mark.parametrize("shift", [-5, -3, -1, 1, 3, 5])
def test_a_shifted_cut_changes_nothing_but_the_start(shift: int) -> None:
    before, after = [0.0] * (6 + shift), [0.0] * (6 - shift)
    run = CYCLE[5:-6]
    plain, shifted = features_of([*[0.0] * 6, *run, *[0.0] * 6], [*before, *run, *after])
    assert shifted.pop("start") == plain.pop("start") + shift
    assert shifted == pytest.approx(plain)


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_a_noisy_cut_moves_features_less_than_normal_series_differ(cut: int) -> None:
    """99 % of the series of all kinds; the level of rest moves by its own noise, which is small against the peak."""
    table, _ = machine_cycles()
    frame = possible(machine_features()).with_row_index().filter(pl.col("start") >= 7).head(2_000)
    rows = frame["index"].to_list()
    many = SeriesBlock.from_arrow(pa.table(table.filter(pa.array(_possible_rows()))).take(rows))
    shorter = block(*(array_of(many, i)[cut:] for i in range(len(rows))))
    before, after = describe(many, 1), describe(shorter, 1)
    normal = before[(frame["kind"] == "normal").to_numpy()]
    spread = np.maximum(1.4826 * np.median(np.abs(normal - np.median(normal, axis=0)), axis=0), 0.02)
    moved = np.quantile(np.abs(after - before) / spread, 0.99, axis=0)
    assert {name: m for name in CLUSTERED if (m := moved[NAMES.index(name)]) > 0.5} == {}


def test_rest_appended_changes_nothing_but_the_length() -> None:
    plain, longer = features_of(CYCLE, [*CYCLE, *[0.0] * 9])
    for length in ("n_values", "n_recorded"):
        assert longer.pop(length) == plain.pop(length) + 9
    assert longer == pytest.approx(plain)


def test_one_sample_that_stands_out_of_rest_is_no_run() -> None:
    rest = np.zeros(6)
    plain, *spiked = features_of(
        [*rest, *CYCLE, *rest], [*rest[:3], 1.0, *rest[4:], *CYCLE, *rest], [*rest, *CYCLE, *rest[:4], 1.0, *rest[5:]]
    )
    assert [{n: f[n] for n in CLUSTERED} for f in spiked] == [pytest.approx({n: plain[n] for n in CLUSTERED})] * 2


ABOVE_REST = ("peak_height", "side_mean", "p05", "p50", "p95", "area")


@pytest.mark.parametrize("at", [0, -1, -2, -3])
@pytest.mark.parametrize("by", [-1.0, -0.3, 0.3])
def test_a_value_that_strays_at_an_end_moves_no_level(at: int, by: float) -> None:
    stray = CYCLE.copy()
    stray[at] += by
    plain, found = features_of(CYCLE, stray)
    assert [found[name] for name in ABOVE_REST] == pytest.approx([plain[name] for name in ABOVE_REST], abs=1e-9)


@pytest.mark.parametrize("rest_first", [True, False])
def test_one_value_at_rest_is_rest_where_the_run_was_cut_at_the_other_end(rest_first: bool) -> None:
    plateau = [4 + 0.02 * (-1) ** i for i in range(30)]
    found = features_of([0.0, *plateau] if rest_first else [*plateau, 0.0])[0]
    assert found["peak_height"] == pytest.approx(4.02)
    assert found["side_mean"] == pytest.approx(4.0, abs=0.01)
    assert features_of([5.0, 0.0] * 8 + [5.0])[0]["peak_height"] == 5


def test_noise_of_rest_hardly_moves_a_level() -> None:
    rng = np.random.default_rng(3)
    noisy = [CYCLE + np.where(CYCLE == 0, 0.02 * rng.standard_normal(len(CYCLE)), 0.0) for _ in range(200)]
    height = np.array([f["peak_height"] for f in features_of(*noisy)])
    assert abs(np.median(height) - 5.0) < 0.003  # the lowest of four would be 0.02 too low
    assert height.std() < 0.012


@pytest.mark.parametrize("cut", [0, 1])
def test_a_recording_that_begins_on_the_way_below_rest_has_the_levels_of_the_whole(cut: int) -> None:
    way = [-1.0, -2.0, -3.0]
    whole = [*np.zeros(4), *way, *np.full(10, -3.1), *way[::-1], *np.full(12, 4.0), 2.0, *np.zeros(5)]
    begun, turned = features_of(whole[4 + cut :]), features_of(whole[4 + cut :][::-1])
    expected = features_of(whole)[0]["peak_height"]
    assert [begun[0]["peak_height"], turned[0]["peak_height"]] == pytest.approx([expected] * 2)


def test_the_peak_is_in_the_run_even_if_it_stands_alone() -> None:
    found = features_of([*np.zeros(6), 9.0, *np.zeros(9)])[0]
    assert (found["start"], found["run_length"], found["peak_position"]) == (6, 1, 0)


def test_a_run_that_goes_below_rest_goes_on() -> None:
    there, back = np.full(10, 2.0), np.full(10, -2.0)
    found = features_of([*np.zeros(6), *there, *back, *np.zeros(6)])[0]
    assert (found["start"], found["run_length"]) == (6, 20)


def test_where_no_rest_was_recorded_before_the_run_there_is_none_to_compare_with() -> None:
    assert features_of([*CYCLE[8:], *np.zeros(6)])[0]["rest_level"] == 0


@pytest.mark.parametrize(("change", "least", "most"), [("step", 0.7, 1), ("line", -1, -0.7), ("noise", -0.2, 0.2)])
def test_a_step_is_told_from_a_line(change: str, least: float, most: float) -> None:
    side = {"step": np.repeat([0.0, 0.5], 20), "line": np.linspace(0, 0.5, 40), "noise": np.zeros(40)}[change]
    values = 1 + side + 0.01 * np.random.default_rng(1).standard_normal(40)
    found = features_of([*np.zeros(6), 3.0, 5.0, 2.5, 1.2, *values, 0.4, *np.zeros(6)])[0]
    assert least <= found["step_or_line"] <= most


def _possible_rows() -> list[bool]:
    return [not kind.startswith("impossible") for kind in machine_cycles()[1]["kind"]]


LEVELS = {f.name for f in CATALOGUE if f.unit in ("value", "value/sample", "value x samples")}


def test_a_scaled_series_has_scaled_levels_and_the_same_shape() -> None:
    plain, scaled = features_of(CYCLE, 3 * CYCLE)
    assert scaled == pytest.approx({name: v * 3 if name in LEVELS else v for name, v in plain.items()})


def test_a_constant_added_changes_only_the_extremes() -> None:
    plain, lifted = features_of(CYCLE, CYCLE + 2)
    assert lifted == pytest.approx({name: v + 2 if name in ("min", "max", "floor") else v for name, v in plain.items()})


def test_a_negative_peak_is_described_like_a_positive_one() -> None:
    plain, mirrored = features_of(CYCLE)[0], features_of(-CYCLE, sign=-1)[0]
    assert (mirrored.pop("min"), mirrored.pop("max")) == (-plain.pop("max"), -plain.pop("min"))
    assert mirrored == pytest.approx(plain)


ODD: dict[str, tuple[object, Callable[[dict[str, float]], bool]]] = {
    "empty": ([], lambda f: f["n_values"] == 0 and np.isnan(f["peak_height"])),
    "one value": ([1.0], lambda f: f["n_values"] == 1 and f["max"] == 1 and np.isnan(f["peak_height"])),
    "all missing": ([None] * 20, lambda f: f["n_missing"] == 20 and np.isnan(f["min"])),
    "constant": ([2.0] * 60, lambda f: f["longest_flat_run"] == 60 and f["peak_height"] == 0 and f["side_std"] == 0),
    "missing inside": ([*CYCLE[:20], None, *CYCLE[21:]], lambda f: f["n_missing"] == 1 and f["peak_height"] == 5),
    "infinite inside": ([*CYCLE[:20], np.inf, *CYCLE[21:]], lambda f: f["n_missing"] == 1 and f["max"] == 5),
    "all negative": (CYCLE - 10, lambda f: f["max"] == -5 and f["peak_height"] == pytest.approx(5)),
    "beyond float64": (CYCLE * 1e307, lambda f: f["max"] == 5e307 and np.isnan(f["area"])),
    "a swing beyond float64": ([1.7e308, -1.7e308] * 10, lambda f: f["max"] == 1.7e308 and np.isnan(f["area"])),
    "constant beyond float64": ([1e308] * 50, lambda f: f["max"] == 1e308 and np.isnan(f["area"])),
    "the least there is": ([5e-324, 0.0] * 25, lambda f: f["max"] == 5e-324 and f["n_values"] == 50),
    "missing between extremes": (
        [1.7e308, None, -1.7e308, *[0.0] * 9],
        lambda f: (f["min"], f["max"]) == (-1.7e308, 1.7e308),
    ),
    "in small units": (
        CYCLE * 1e-12,
        lambda f: f["side_std"] == pytest.approx(features_of(CYCLE)[0]["side_std"] * 1e-12),
    ),
    "long": (np.tile(CYCLE, 2_000), lambda f: f["n_values"] == 2_000 * len(CYCLE) and np.isfinite(f["area"])),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_series_follow_the_policy(name: str) -> None:
    series, holds = ODD[name]
    found = features_of(series)[0]
    assert holds(found)
    machine_features = [v for n, v in found.items() if n not in FACTS]
    assert np.isfinite(machine_features).all() or np.isnan(machine_features).all()


@pytest.mark.slow
@pytest.mark.endurance
@pytest.mark.parametrize(
    ("file", "sign"), [("unscrewing_torque/series", -1), ("unscrewing_torque/series_short", -1), ("wafer/series_76", 1)]
)
def test_oracle_on_real_series(shared_data: Path, file: str, sign: int) -> None:
    real = SeriesBlock.from_arrow(pq.read_table(shared_data / f"{file}.parquet").slice(0, times(150, 2_000)))
    for i, row in enumerate(describe(real, sign).tolist()):
        assert_same(dict(zip(NAMES, row, strict=True)), oracle(array_of(real, i), sign))


def test_values_rounded_to_float32_move_features_by_a_millionth_of_the_peak() -> None:
    """Counts of samples may step by one where a value lies at a limit: in 1 of 1,000 series."""
    table, _ = machine_cycles()
    single = SeriesBlock.from_arrow(table.filter(pa.array(_possible_rows())).slice(0, 2_000))
    noise = np.random.default_rng(1).uniform(-1e-4, 1e-4, len(single.values))
    double = SeriesBlock(single.ids, single.offsets, single.values + noise)
    rounded = SeriesBlock(single.ids, single.offsets, double.values.astype(np.float32))
    exact, found = describe(double, 1), describe(rounded, 1)
    away = np.abs(found - exact) / (1 + np.abs(exact) + exact[:, [NAMES.index("peak_height")]])
    assert np.quantile(away[:, [NAMES.index(n) for n in CLUSTERED]], 0.999, axis=0).max() < 1e-5


def test_float32_agrees_with_float64() -> None:
    table, _ = machine_cycles()
    single = SeriesBlock.from_arrow(table.slice(0, 2_000))
    double = SeriesBlock(single.ids, single.offsets, single.values.astype(np.float64))
    np.testing.assert_array_equal(describe(single, 1), describe(double, 1))


def test_the_same_bits_in_one_part_or_many_on_one_thread_or_two() -> None:
    table, _ = machine_cycles()
    whole = describe(SeriesBlock.from_arrow(table.slice(0, 5_000)), 1)
    for size, workers in ((5_000, 1), (997, 2), (64, 2)):
        parts = (SeriesBlock.from_arrow(table.slice(at, min(size, 5_000 - at))) for at in range(0, 5_000, size))
        pieces = list(map_parts(lambda part: describe(part, 1), parts, workers))
        np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_series_vote_on_the_direction_of_the_peak() -> None:
    assert peak_votes(block(CYCLE, -CYCLE, CYCLE, [1.0] * 20, [])) == (2, 1, 5)
