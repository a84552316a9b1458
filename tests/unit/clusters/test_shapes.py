"""The view of shapes: curves laid along typical ones, measured by stretch, and what that tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.runs import Rng, run
from tests.support.series import block
from tsclust.arrays import Floats
from tsclust.stages.clusters.parts import SHAPES, GroupRow, Trait
from tsclust.stages.clusters.shapes import alignment, curves, kernels, traits, view
from tsclust.stages.clusters.shapes.alignment import FARTHEST, PAD, PENALTY
from tsclust.stages.clusters.shapes.curves import TypicalCurves
from tsclust.stages.clusters.shapes.traits import Shared
from tsclust.wording.language import Language
from tsclust.wording.shapes import shape_in_words


def own(series: Sequence[Floats]) -> list[Floats]:
    return [kernels.of_own_size(one, 1)[0] for one in series]


def typical(series: Sequence[Floats]) -> TypicalCurves:
    found = curves.fit(series)
    assert found is not None
    return found


def slow_cost(y: Floats, curve: Floats) -> float:
    """What the cheapest way costs, cell by cell, without a band: the oracle."""
    n, m = len(y), len(curve)
    cost = np.full((n, m), np.inf)
    near = np.minimum(np.abs(y[:, None] - curve[None]), FARTHEST)
    cost[0] = PENALTY * np.maximum(0, np.arange(m) - 2 * PAD) + near[0]
    for i in range(1, n):
        for j in range(m):
            ways = [cost[i - 1, j - k] + PENALTY * (1, 0, 1, 2)[k] for k in range(4) if j >= k]
            cost[i, j] = min(ways) + near[i, j]
    return float((cost[-1] + PENALTY * np.maximum(0, m - 1 - 2 * PAD - np.arange(m))).min()) / n


@given(st.integers(0, 10_000))
def test_the_cheapest_way_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, curve = own([run(rng)])[0], np.concatenate([np.zeros(PAD), own([run(rng)])[0], np.zeros(PAD)])
    at = np.zeros(len(y), np.int64)
    cost = alignment.align(y, curve, at)
    assert (np.diff(at) >= 0).all()
    assert (np.diff(at) <= 3).all()
    assert cost == pytest.approx(slow_cost(y, curve), abs=1e-4)  # the band is wider than these runs differ
    paid = PENALTY * np.array([1, 0, 1, 2])[np.diff(at)].sum() + np.minimum(np.abs(y - curve[at]), FARTHEST).sum()
    ends = PENALTY * (max(0, at[0] - 2 * PAD) + max(0, len(curve) - 1 - 2 * PAD - at[-1]))
    assert cost == pytest.approx((paid + ends) / len(y), abs=1e-4)


def test_a_series_far_longer_or_shorter_than_its_curve_is_laid_along_it_all_the_same() -> None:
    rng = np.random.default_rng(1)
    curve = np.concatenate([np.zeros(PAD), own([run(rng)])[0], np.zeros(PAD)])
    for samples in ((1, 2, 1), (60, 200, 90)):
        y = own([run(rng, samples=samples)])[0]
        at = np.zeros(len(y), np.int64)
        assert np.isfinite(alignment.align(y, curve, at))
        assert (at >= 0).all()
        assert (at < len(curve)).all()
        assert (np.diff(at) >= 0).all()


@pytest.mark.parametrize("products", [1, 2, 3])
def test_there_is_a_typical_curve_for_each_product_whatever_the_machines(products: int) -> None:
    rng = np.random.default_rng(products)
    of = ((3.0, 1.0, 2.0), (2.0, 2.6, 0.8), (1.0, 2.0, 3.0))[:products]
    made = rng.integers(0, products, 300)
    machine = rng.lognormal(0, 0.3, 40)[rng.integers(0, 40, 300)]
    series = own([size * run(rng, of[which]) for which, size in zip(made, machine, strict=True)])
    found = typical(series)
    assert len(found) == products
    offsets = np.cumsum([0, *map(len, series)])
    label = alignment.costs(np.concatenate(series), offsets, found.values, found.lengths).argmin(axis=1)
    assert len({*zip(made.tolist(), label.tolist(), strict=True)}) == products


def test_stretches_are_where_the_plateaus_are() -> None:
    rng = np.random.default_rng(3)
    found = typical(own([run(rng) for _ in range(200)]))
    borders = found.borders[0, : found.stretches[0] + 1]
    for border in np.cumsum([0, 6, 20, 12]):
        assert np.abs(borders - borders[0] - border).min() <= 2


@pytest.mark.parametrize(
    ("change", "measure", "more"),
    [
        ({"samples": (6, 26, 12)}, "duration_2", True),
        ({"samples": (6, 14, 12)}, "duration_2", False),
        ({"levels": (3.0, 1.0, 2.6)}, "level_3", True),
        ({"levels": (3.0, 1.0, 1.4)}, "level_3", False),
    ],
)
def test_what_changes_in_one_stretch_is_measured_there(
    change: dict[str, Sequence[float]], measure: str, more: bool
) -> None:
    rng = np.random.default_rng(4)
    normal, odd = [run(rng) for _ in range(300)], [run(rng, **change) for _ in range(30)]
    found = typical(own(normal))
    assert found.stretches.tolist() == [3]
    x = np.array([measured(one, found) for one in [*normal, *odd]])[:, 1:]
    away = (np.median(x[300:], axis=0) - np.median(x[:300], axis=0)) / np.maximum(x[:300].std(axis=0), 0.002)
    of_stretches = dict(zip(view.names(found)[1:], away.tolist(), strict=True))
    same = [name for name in of_stretches if name.startswith(measure.partition("_")[0] + "_")]
    assert max(same, key=lambda name: abs(of_stretches[name])) == measure
    assert (of_stretches[measure] > 3) == more
    assert (of_stretches[measure] < -3) != more


def ramped(rng: Rng, missing: float = 0.0, phase: float | None = None) -> Floats:
    """A plateau between ramps of 4 samples that begin anywhere between two: of the first one `missing`, a share."""
    start = 6 + (rng.uniform() if phase is None else phase)
    at = np.arange(50) - start
    up = np.clip(np.maximum(at / 4, (at > 0) * missing), 0, 1)
    return 2 * up * np.clip((36 - at) / 4, 0, 1) + rng.normal(0, 0.01, 50)


def test_what_is_missing_of_a_ramp_is_seen_wherever_the_samples_fall_on_it() -> None:
    rng = np.random.default_rng(6)
    found = typical(own([ramped(rng) for _ in range(200)]))
    steepest = view.names(found).index("slope_1")
    normal = [measured(ramped(rng), found)[steepest] for _ in range(300)]
    odd = [measured(ramped(rng, 0.5), found)[steepest] for _ in range(30)]
    assert min(odd) > max(normal)


def test_a_plateau_is_as_high_wherever_the_samples_fall_on_its_ramps() -> None:
    rng = np.random.default_rng(7)
    found = typical(own([ramped(rng) for _ in range(200)]))
    longest = int(np.diff(found.borders[0, : found.stretches[0] + 1]).argmax()) + 1
    level = view.names(found).index(f"level_{longest}")
    of_phase = [
        np.median([measured(ramped(rng, phase=p), found)[level] for _ in range(50)]) for p in (0.0, 0.3, 0.6, 0.9)
    ]
    assert np.ptp(of_phase) < 0.005


def test_pulses_at_any_place_have_no_typical_curve() -> None:
    rng = np.random.default_rng(9)
    series = []
    for _ in range(100):
        values = np.zeros(800)
        at = rng.integers(100, 700)
        values[at : at + 10] = 1.0
        series.append(values)
    assert curves.fit(own(series)) is None


def test_a_stretch_has_a_place_only_where_the_members_are_along_one_curve() -> None:
    found = TypicalCurves(np.zeros((3, 60)), np.full(3, 60), np.array([[10, 20, 40]] * 3), np.array([2, 2, 2]))
    rows = [GroupRow(n, 5, n, 50, 0.1, 2, 5, None, SHAPES, False, 0.5, 1.0, True) for n in range(3)]
    away = np.array([[0.0, 0.2, -2.0], [0.0, 0.1, 3.0], [0.0, -1.0, 0.5]])
    along = np.array([[25, 0, 25], [2, 48, 0], [50, 0, 0]])
    assert traits.of(rows, Shared(along, away), ("curve", "run", "duration_2"), found) == [
        Trait(5, 0, "duration", True, False), Trait(5, 1, "duration", True, True, 10, 30),
        Trait(5, 2, "run", False, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "seconds", "words"),
    [
        ("en", None, "samples 10–30: takes longer than normal"),
        ("en", 0.0005, "0.005–0.015 s: takes longer than normal"),
        ("ru", None, "отсчёты 10–30: длится дольше обычного"),
    ],
)
def test_a_trait_in_words(lang: str, seconds: float | None, words: str) -> None:
    language = replace(Language.load(lang), seconds=seconds)
    assert shape_in_words(language, Trait(5, 1, "duration", True, True, 10, 30)) == words
    somewhere = "one stretch of the run: " if lang == "en" else "на одном из участков хода: "
    assert shape_in_words(language, Trait(5, 1, "duration", True, True)) == somewhere + words.partition(": ")[2]


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_measure_has_words(lang: str) -> None:
    for language in (Language.load(lang), Language.load(lang).pointing_down()):
        for more in (True, False):
            said = {shape_in_words(language, Trait(2, 0, name, False, more)) for name in view.OF_ALL}
            said |= {shape_in_words(language, Trait(2, 0, name, True, more, 1, 9)) for name in view.OF_STRETCH}
            same = 1 if more else 0  # a bump up or down is to be seen, where it is measured from is not
            assert len(said) == len(view.OF_ALL) + len(view.OF_STRETCH) - same


def measured(series: Floats, found: TypicalCurves) -> Floats:
    return view.measured(block(series), found, 1)[0]


@pytest.mark.parametrize("series", [[], [1.0] * 40, [np.nan] * 40, [0.0, 1.0], [np.inf] * 40])
def test_what_has_no_shape_has_no_measures(series: list[float]) -> None:
    found = typical(own([run(np.random.default_rng(5)) for _ in range(50)]))
    row = measured(np.array(series, np.float64), found)
    assert row[0] == -1
    assert (row[1:] == 0).all()


@pytest.mark.parametrize(("name", "where"), [("early", 3), ("late", -3), ("stray", 30)])
@pytest.mark.parametrize("height", [2.0, -2.0])
def test_a_single_value_off_the_curve_is_measured_where_it_is(name: str, where: int, height: float) -> None:
    rng = np.random.default_rng(11)
    found = typical(own([run(rng) for _ in range(50)]))
    series = np.concatenate([np.zeros(6), run(rng), np.zeros(6)])
    spiked = series.copy()
    spiked[where] += height
    at = 1 + view.OF_ALL.index(name)
    before, after = measured(series, found), measured(spiked, found)
    assert (after[at] - before[at]) * np.sign(height) > 0.5


def test_recordings_whose_peak_points_down_are_measured_as_the_others() -> None:
    series = run(np.random.default_rng(6))
    up, down = kernels.of_own_size(series, 1), kernels.of_own_size(-series, -1)
    assert np.array_equal(up[0], down[0])
    assert up[1] == down[1]
