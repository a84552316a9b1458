"""What is stated of a group never contradicts its curve: made-up groups, and each sentence held against them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.series import CLUSTERED, block
from tsclust.arrays import Floats
from tsclust.stages.clusters import scaling
from tsclust.stages.features.catalogue import CATALOGUE, NAMES, least_spreads
from tsclust.stages.features.kernels import describe
from tsclust.stages.reports.data import Unusual
from tsclust.stages.reports.groups.facts import WHOLE
from tsclust.stages.reports.groups.plateau import FALLS, PLATEAU, RISES, STEP_DOWN, STEP_UP, SWING
from tsclust.stages.reports.groups.unusual import NormalReference, stands_out

FEATURES = tuple(feature for feature in CATALOGUE if feature.clustered)
COLUMNS = [NAMES.index(name) for name in CLUSTERED]
LENGTH, PEAK, NOISE, DECAY = 60, 5.0, 0.004, 1.2
Shape = Callable[[Floats, Floats], Floats]  # (plateau of ones, samples from its beginning), changed


@dataclass(frozen=True)
class Recorder:
    """How it records: the unit's size, the level of rest, and which way the peak points."""

    size: float = 1.0
    rest: float = 0.0


PLAIN = Recorder()
Make = Callable[[np.random.Generator], Floats]


def run(
    rng: np.random.Generator, shape: Shape | None = None, length: int = LENGTH, decay: float = DECAY, peak: float = PEAK
) -> Floats:
    """Rest, a peak that falls to a plateau of 1, and rest again."""
    at = np.arange(float(length))
    level = 1 + (peak - 1) * np.exp(-np.maximum(at - 1, 0) / decay)
    if shape is not None:
        level[8:] = shape(level[8:].copy(), at[8:] - 8)
    level[0] = peak / 2
    return np.concatenate([np.zeros(6), level, [0.5], np.zeros(8)]) + NOISE * rng.standard_normal(length + 15)


def features(curves: list[Floats], recorder: Recorder) -> Floats:
    return describe(block(*(recorder.rest + recorder.size * curve for curve in curves)), 1)[:, COLUMNS]


@functools.cache
def normal(recorder: Recorder, usual: Make) -> NormalReference:
    rng = np.random.default_rng(5)
    x = features([usual(rng) for _ in range(60)], recorder)
    scaler = scaling.fit(x, np.full(len(x), ""), "exceedance", least_spreads(FEATURES, x), look=False)
    return NormalReference(FEATURES, scaler)


def stated(make: Make, recorder: Recorder = PLAIN, usual: Make = run) -> tuple[Unusual, ...]:
    """Of ten series of a group."""
    rng = np.random.default_rng(6)
    members = features([make(rng) for _ in range(10)], recorder)
    return stands_out(members, np.full(len(members), ""), normal(recorder, usual), recorder.rest)


def swing(by: float, period: float) -> Shape:
    return lambda level, at: level + by / 2 * np.sin(2 * np.pi * at / period)


def saw(by: float, period: int) -> Shape:
    return lambda level, at: level + by * ((at % period) / (period - 1) - 0.5)


def drift(by: float) -> Shape:
    return lambda level, at: level + by * at / at[-1]


def step(by: float, share: float) -> Shape:
    return lambda level, at: level + by * (at >= share * at[-1])


def bump(by: float, share: float) -> Shape:
    return lambda level, at: level + by * np.exp(-(((at - share * at[-1]) / 3) ** 2))


recorders = st.builds(Recorder, st.sampled_from([1.0, 1e-4, 3e5]), st.just(0.0))


@settings(max_examples=5, deadline=None)
@given(st.floats(0.2, 1.0), st.floats(4, 9), recorders)
def test_a_plateau_that_vibrates_swings_and_nothing_else(by: float, period: float, recorder: Recorder) -> None:
    (only,) = stated(lambda rng: run(rng, swing(by, period)), recorder)
    assert only.feature == SWING
    assert only.value == pytest.approx(by * recorder.size, rel=0.25)


@settings(max_examples=3, deadline=None)
@given(st.floats(0.2, 1.0), st.integers(4, 8))
def test_a_saw_tooth_is_a_vibration_too(by: float, period: int) -> None:
    (only,) = stated(lambda rng: run(rng, saw(by, period)))
    assert only.feature in (SWING, "side_roughness")
    assert only.value <= 1.3 * by


@settings(max_examples=5, deadline=None)
@given(st.floats(0.8, 2.0), st.sampled_from([-0.15, 1]), recorders)
def test_a_slow_drift_is_no_step_and_no_higher_level(by: float, way: float, recorder: Recorder) -> None:
    (only,) = stated(lambda rng: run(rng, drift(by * way)), recorder)
    assert only.feature == (RISES if way > 0 else FALLS)
    assert only.value == pytest.approx(by * abs(way) * recorder.size, rel=0.3)


@settings(max_examples=5, deadline=None)
@given(st.floats(0.15, 0.25), st.sampled_from([-1, 2]), st.floats(0.35, 0.65))
def test_a_step_is_no_drift(by: float, way: int, share: float) -> None:
    """Down by no more than to where the return begins."""
    (only,) = stated(lambda rng: run(rng, step(by * way, share)))
    assert only.feature == (STEP_UP if way > 0 else STEP_DOWN)
    assert only.value == pytest.approx(by * abs(way), rel=0.2)


@settings(max_examples=5, deadline=None)
@given(st.floats(0.3, 0.9), st.sampled_from([-1, 1]), st.floats(0.3, 0.7))
def test_what_strays_for_a_while_is_no_swing_no_step_and_no_other_level(by: float, way: int, share: float) -> None:
    (only,) = stated(lambda rng: run(rng, bump(by * way, share)))
    assert only.feature == ("side_rise" if way > 0 else "side_fall")
    assert only.value == pytest.approx(by, rel=0.2)


def test_a_slow_fall_from_the_peak_is_that_alone() -> None:
    names = {one.feature for one in stated(lambda rng: run(rng, decay=5.0))}
    assert names & {"decay_time", "peak_width"}
    assert not names & {RISES, FALLS, STEP_UP, STEP_DOWN, SWING, "side_rise", "side_std"}


def test_a_saturated_sensor_has_a_lower_peak_and_no_other_plateau() -> None:
    names = {one.feature for one in stated(lambda rng: np.minimum(run(rng), 2.0))}
    assert "peak_height" in names
    assert not [name for name in names if name.startswith("side_") or "plateau" in name]


@settings(max_examples=3, deadline=None)
@given(st.integers(12, 16), st.floats(0.2, 0.8), st.sampled_from([swing(0.6, 4), drift(0.6), step(0.5, 0.5)]))
def test_of_a_short_plateau_nothing_is_stated(length: int, by: float, shape: Shape) -> None:
    usual = lambda rng: run(rng, length=length)  # noqa: E731
    members = lambda rng: run(rng, shape, length=length)  # noqa: E731
    of = features([members(np.random.default_rng(1))], Recorder())[0]
    samples = of[CLUSTERED.index("run_length")] - sum(
        of[CLUSTERED.index(n)] for n in ("peak_position", "decay_time", "return_time")
    )
    for one in stated(members, usual=usual):
        assert samples >= PLATEAU or not (
            one.feature.startswith(("side_", "step_", "level_", "plateau_")) or one.feature.endswith("_to_peak")
        )


def low(level: float) -> Make:
    """A plateau at this level."""
    return lambda rng: run(rng, lambda plateau, _: plateau - 1 + level)


@settings(max_examples=3, deadline=None)
@given(st.floats(0.16, 0.19), st.floats(0.5, 1.5))
def test_nothing_is_so_many_times_what_is_normally_next_to_nothing(usual: float, now: float) -> None:
    """A plateau at next to no level, and so a ratio of it to the peak, that now has one."""
    times = {one.feature: one.times for one in stated(low(now), usual=low(usual))}
    assert times["side_mean"] is None


@settings(max_examples=3, deadline=None)
@given(st.floats(0.0, 0.05), st.floats(0.2, 0.6))
def test_where_there_is_normally_no_plateau_none_is_compared_with_it(usual: float, now: float) -> None:
    (only,) = stated(low(now), usual=low(usual))
    assert only.feature == "run_length"


@pytest.mark.parametrize("times", [0.6, 1.5, 2.5])
def test_a_curve_that_is_changed_by_one_factor_is_one_statement(times: float) -> None:
    (only,) = stated(lambda rng: times * run(rng))
    assert (only.feature, only.times) == (WHOLE, pytest.approx(times, rel=0.05))


def test_above_a_rest_far_from_zero_a_level_is_higher_by_a_difference() -> None:
    found = stated(lambda rng: run(rng, lambda level, _: 1.3 * level), Recorder(rest=100.0))
    assert found
    assert all(one.times is None for one in found)


@settings(max_examples=5, deadline=None)
@given(st.floats(0.001, 0.01))
def test_what_nobody_sees_is_not_stated(by: float) -> None:
    quiet = lambda rng: run(rng) - NOISE * 0.9 * rng.standard_normal(LENGTH + 15)  # noqa: E731
    assert stated(lambda rng: run(rng, drift(by)), usual=quiet) == ()


def ramp(rng: np.random.Generator, first: float, last: float) -> Floats:
    """Without a peak: from rest at once to one level, along a line to another, and back."""
    level = np.linspace(first, last, LENGTH)
    return np.concatenate([np.zeros(6), level, np.zeros(8)]) + NOISE * rng.standard_normal(LENGTH + 14)


def test_what_has_no_peak_is_not_called_late_or_wide_but_its_highest_value_is_named() -> None:
    names = {one.feature for one in stated(lambda rng: run(rng, peak=1.0))}
    assert "highest" in names
    assert not names & {"peak_height", "peak_position", "peak_width", "decay_time"}


def test_where_no_series_has_a_peak_it_is_said_where_the_highest_value_is_now() -> None:
    facts = stated(lambda rng: ramp(rng, 0.7, 1.0), usual=lambda rng: ramp(rng, 1.0, 0.7))
    (moved,) = [one for one in facts if one.feature == "highest_at"]
    assert moved.value > 0.6 * LENGTH > 0.2 * LENGTH > moved.usual
    assert not {one.feature for one in facts} & {"peak_position", "peak_width", "decay_time"}


def jittery(rng: np.random.Generator, by: float) -> Floats:
    """A flat top on which noise decides when the highest value is nearly reached."""
    curve = ramp(rng, 1.0, 1.0)
    curve[6 : 6 + LENGTH] += by * rng.standard_normal(LENGTH)
    return curve


@pytest.mark.parametrize("by", [0.1, 0.2, 0.3])
def test_a_flat_top_has_no_place_where_it_is_highest(by: float) -> None:
    names = {one.feature for one in stated(lambda rng: jittery(rng, by), usual=lambda rng: ramp(rng, 1.0, 1.0))}
    assert "side_roughness" in names
    assert not names & {"peak_position", "peak_width", "decay_time", "highest_at"}


def slipping(rng: np.random.Generator, slip: float, once: float) -> Floats:
    """Without a peak: from a level it slips again and again by as much, and `once` times that somewhere."""
    away = np.maximum(np.sin(np.arange(LENGTH) + 6 * rng.random()), 0.0) ** 6
    away[20 + away[20:26].argmax()] *= once
    return np.concatenate([np.zeros(6), 0.1 + slip * away, np.zeros(8)]) + NOISE * rng.standard_normal(LENGTH + 14)


@pytest.mark.parametrize("slip", [0.2, 0.5])
def test_one_slip_more_of_a_run_without_a_peak_is_no_late_peak(slip: float) -> None:
    """As of screws that do not come loose: normal ones have a peak at the start, and then a low level."""

    def loose(rng: np.random.Generator) -> Floats:
        return run(rng, lambda plateau, _: plateau - 0.8, peak=2.5)

    facts = {one.feature for one in stated(lambda rng: slipping(rng, slip, 1.5), usual=loose)}
    assert facts
    assert not facts & {"peak_position", "peak_width", "decay_time"}
    towering = {one.feature for one in stated(lambda rng: slipping(rng, slip, 4.0), usual=loose)}
    assert "peak_position" in towering


def from_top(level: float, top: float) -> Make:
    """At once up to the highest value, from there within some samples to a long level, and at once to rest."""
    curve = np.concatenate([np.zeros(6), level + (top - level) * np.exp(-np.arange(80) / 4), np.zeros(8)])
    return lambda rng: curve + NOISE * rng.standard_normal(94)


@settings(max_examples=3, deadline=None)
@given(st.floats(1.3, 1.4))
def test_a_peak_that_is_not_spoken_of_does_not_hide_that_the_plateau_is_higher(level: float) -> None:
    """It grows up to the peak's height, which is then as wide as the run: of that nobody speaks."""
    (only,) = stated(from_top(level, 1.5), usual=from_top(0.7, 1.5))
    assert only.feature in ("side_mean", "p50")
    assert only.value - only.usual == pytest.approx(level - 0.7, rel=0.1)


@pytest.mark.parametrize("by", [0.3, -0.3])
def test_a_plateau_without_a_peak_that_is_higher_is_one_sentence(by: float) -> None:
    """Of which nobody says that it is so many times as high: the sensor rests far from 0."""
    far = Recorder(rest=100.0)
    (only,) = stated(lambda rng: ramp(rng, 1 + by, 1 + by), far, usual=lambda rng: ramp(rng, 1.0, 1.0))
    assert only.feature == "highest"
    assert only.value - only.usual == pytest.approx(by, rel=0.1)


def test_a_higher_top_of_a_plateau_that_is_as_high_as_ever_is_no_higher_plateau() -> None:
    names = {one.feature for one in stated(from_top(1.0, 1.15), Recorder(rest=100.0), usual=from_top(1.0, 1.05))}
    assert "highest" in names
    assert not names & {"side_mean", "p50"}
    both = {one.feature for one in stated(from_top(1.4, 1.5), Recorder(rest=100.0), usual=from_top(1.0, 1.05))}
    assert both == {"highest"}


def cut(rng: np.random.Generator, level: float) -> Floats:
    """A recording that ends before the return."""
    return run(rng, lambda plateau, _: plateau * level)[:-14]


def test_a_recording_that_ends_on_its_plateau_is_not_said_to_be_high_after_the_return_as_well() -> None:
    names = {one.feature for one in stated(lambda rng: cut(rng, 1.4), usual=lambda rng: cut(rng, 1.0))}
    assert "rest_level" not in names
    assert names & {"side_mean", "p50"}


def test_a_machine_that_does_not_return_to_rest_is_said_to_stay_above_it() -> None:
    """Its plateau is higher as well, which is no reason: it normally ends at rest."""

    def left_at(rng: np.random.Generator, level: float, last: float) -> Floats:
        end = last + NOISE * rng.standard_normal(8)
        return np.concatenate([run(rng, lambda plateau, _: plateau * level)[:-8], end])

    found = {one.feature: one for one in stated(lambda rng: left_at(rng, 1.4, 0.35), usual=run)}
    assert found["rest_level"].value == pytest.approx(0.35, rel=0.1)
    assert {"side_mean", "p50"} & found.keys()


def to_and_fro(rng: np.random.Generator, back: float) -> Floats:
    """One way, coasting, and the other way, below rest."""
    levels = np.concatenate([np.zeros(6), np.full(12, 1.0), np.full(24, 0.15), np.full(10, back), np.zeros(8)])
    return levels + NOISE * rng.standard_normal(len(levels))


@pytest.mark.parametrize("back", [-1.1, -0.5])
def test_a_stroke_below_rest_is_no_return_to_it(back: float) -> None:
    (only,) = stated(lambda rng: to_and_fro(rng, back), usual=lambda rng: to_and_fro(rng, -0.8))
    assert (only.feature, only.value) == ("below_rest", pytest.approx(back, rel=0.1))
    (short,) = stated(lambda rng: to_and_fro(rng, 0.4), usual=lambda rng: to_and_fro(rng, 0.1))
    assert short.feature != "below_rest"
