"""Ways of being normal that no column names: found where they are there, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from tsclust.arrays import Floats
from tsclust.stages.clusters import scaling
from tsclust.stages.features import regimes

LEAST = np.full(4, 1e-9)


def products(*shares: float, rows: int = 4_000, odd: int = 20) -> tuple[Floats, Floats]:
    """(x, which): four features, each product with levels of its own; of each, `odd` series have a feature far off."""
    rng = np.random.default_rng(0)
    which = rng.choice(len(shares), rows, p=shares)
    x = rng.normal(0, 1, (rows, 4)) + 30 * which[:, None] * np.array([1, 1, -1, 0])
    for product in range(len(shares)):
        x[np.flatnonzero(which == product)[:odd], 3] += 12
    return x, which


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.6, 0.3, 0.1)])
def test_each_product_is_a_regime_and_its_odd_series_stay_in_it(shares: tuple[float, ...]) -> None:
    x, which = products(*shares)
    scaler = scaling.fit(x, np.full(len(x), ""), "exceedance", LEAST)
    assert scaler.regimes is not None
    own = scaler.regimes.nearest(x)
    assert {(int(a), int(b)) for a, b in zip(which, own, strict=True)} == {
        (p, int(own[which == p][0])) for p in range(len(shares))
    }
    rows = scaler.transform(x, np.full(len(x), ""))
    assert (rows[x[:, 3] > 8, 3] > scaling.GRID).all()
    assert (np.abs(rows[x[:, 3] < 4]) > 1.5 * scaling.GRID).mean() < 0.001


@pytest.mark.parametrize("x", [np.random.default_rng(1).normal(0, 1, (4_000, 4)), np.zeros((4_000, 4)), np.eye(4)])
def test_one_mass_has_no_regimes(x: Floats) -> None:
    assert scaling.fit(x, np.full(len(x), ""), "exceedance", LEAST).regimes is None


def test_a_rare_malfunction_is_no_regime() -> None:
    x, _ = products(0.97, 0.03)
    scaler = scaling.fit(x, np.full(len(x), ""), "exceedance", LEAST)
    assert scaler.regimes is None
    assert (np.abs(scaler.transform(x, np.full(len(x), ""))[x[:, 0] > 15, 0]) > scaling.GRID).all()


def test_a_baseline_or_the_users_word_leave_no_room_for_regimes() -> None:
    x, which = products(0.5, 0.5)
    assert scaling.fit(x, which.astype(str), "exceedance", LEAST).regimes is None
    assert scaling.fit(x, np.full(len(x), ""), "exceedance", LEAST, look=False).regimes is None
    assert scaling.fit(x, np.full(len(x), ""), "standard", LEAST).regimes is None


def test_a_row_has_its_regime_alone_as_among_others() -> None:
    x, _ = products(0.6, 0.4)
    whole = scaling.fit(x, np.full(len(x), ""), "robust", LEAST)
    found = regimes.find(x, whole.centers[0], whole.spreads[0])
    assert found is not None
    np.testing.assert_array_equal(found.nearest(x), np.concatenate([found.nearest(row[None]) for row in x]))
