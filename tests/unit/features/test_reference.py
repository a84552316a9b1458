"""What is normal of each baseline, against a loop over the baselines."""

from __future__ import annotations

import numpy as np
import pytest

from tsclust.arrays import Floats, Keys
from tsclust.stages.features import reference
from tsclust.stages.features.catalogue import Feature, least_spreads
from tsclust.stages.features.reference import MIN_SERIES

LEAST = np.array([1e-9, 1e-9, 0.5])


def plant(seed: int = 0) -> tuple[Floats, Keys]:
    """(x, keys): machines with levels of their own; of W8 and W9 too few series; the last feature hardly moves."""
    rng = np.random.default_rng(seed)
    which = np.concatenate([np.repeat(np.arange(8), 100), np.repeat([8, 9], MIN_SERIES - 1), [10] * MIN_SERIES])
    x = rng.normal(0, 1, (len(which), 3)) * [1, 10, 0.01] + which[:, None]
    x[::50, 0] += 100  # what is looked for
    order = rng.permutation(len(which))
    return x[order], np.char.add("W", which[order].astype(str))


def slowly(x: Floats) -> tuple[Floats, Floats]:
    center = np.median(x, axis=0)
    mad = 1.4826 * np.median(np.abs(x - center), axis=0)
    tenths = (np.quantile(x, 0.9, axis=0) - np.quantile(x, 0.1, axis=0)) / 2.5631
    return center, np.maximum(np.maximum(mad, tenths), LEAST)


def test_each_baseline_has_its_own_middle_and_spread() -> None:
    x, keys = plant()
    found = reference.fit(x, keys, LEAST)
    assert found.too_few == 2
    assert found.keys.tolist() == ["", *sorted(f"W{n}" for n in (*range(8), 10))]
    for row, key in enumerate(found.keys):
        center, spread = slowly(x if key == "" else x[keys == key])
        np.testing.assert_allclose(found.centers[row], center)
        np.testing.assert_allclose(found.spreads[row], spread)


@pytest.mark.parametrize("unknown", ["W8", "W99", ""])
def test_a_baseline_without_a_middle_is_compared_with_the_whole(unknown: str) -> None:
    x, keys = plant()
    found = reference.fit(x, keys, LEAST)
    center, spread = slowly(x)
    np.testing.assert_allclose(found.deviations(x[:5], np.full(5, unknown)), (x[:5] - center) / spread)


def test_without_robustness_the_mean_and_its_deviation_are_taken() -> None:
    x, keys = plant()
    found = reference.fit(x, keys, LEAST, robust=False)
    own = x[keys == "W3"]
    row = found.keys.tolist().index("W3")
    np.testing.assert_allclose(found.centers[row], own.mean(axis=0))
    np.testing.assert_allclose(found.spreads[row], np.maximum(own.std(axis=0), LEAST))


def test_a_feature_that_is_mostly_one_value_has_the_spread_of_the_others() -> None:
    x = np.zeros((100, 1))
    x[:3] = 8
    assert reference.center_and_spread(x, np.array([1e-9]))[1] == pytest.approx([0.24])


def test_on_a_coarse_scale_one_step_is_no_deviation() -> None:
    """A machine in kW among others in W: each has the step of its own scale."""
    rng = np.random.default_rng(1)
    unit = np.repeat([1.0, 1000.0], 200)
    step = 0.1 * unit
    level = np.where(rng.random(400) < 0.04, 5.1, 5.0) * unit
    level[:2] = [5.5, 5.0 + 1e-12]  # five steps off; the same, rounded otherwise
    x = np.column_stack([level, level / 10 / unit])
    features = [Feature("p50", "value", "run", "-", "-"), Feature("side_to_peak", "1", "run", "-", "-")]
    sizes = np.column_stack([step, 10 * unit, np.full(400, 60.0)])
    least = least_spreads(features, x, sizes)
    keys = np.where(unit == 1, "W", "kW")
    z = np.abs(reference.fit(x, keys, least).deviations(x, keys))
    assert z[0] == pytest.approx([5, 5])
    assert z[1:].max() < 1.001
    assert np.abs(reference.fit(x, keys, least_spreads(features, x)).deviations(x, keys)).max() > 20
