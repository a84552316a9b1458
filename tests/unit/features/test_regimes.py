"""Ways of being normal that no column names: found where they are there, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from tsclust.arrays import Floats, Keys
from tsclust.stages.clusters import scaling
from tsclust.stages.features import reference, regimes

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


def test_a_baseline_that_says_it_all_or_the_users_word_leave_no_room_for_regimes() -> None:
    x, which = products(0.5, 0.5)
    assert scaling.fit(x, which.astype(str), "exceedance", LEAST).regimes is None
    assert scaling.fit(x, np.full(len(x), ""), "exceedance", LEAST, look=False).regimes is None
    assert scaling.fit(x, np.full(len(x), ""), "standard", LEAST).regimes is None


def test_a_row_has_its_regime_alone_as_among_others() -> None:
    x, _ = products(0.6, 0.4)
    whole = scaling.fit(x, np.full(len(x), ""), "robust", LEAST)
    found = regimes.find(x, whole.centers[0], whole.spreads[0], LEAST)
    assert found is not None
    np.testing.assert_array_equal(found.nearest(x), np.concatenate([found.nearest(row[None]) for row in x]))


def test_features_that_say_nothing_of_regimes_do_not_hide_them() -> None:
    x, which = products(0.5, 0.3, 0.2)
    x = np.hstack([x, np.random.default_rng(2).standard_t(2, (len(x), 25))])
    least = np.full(x.shape[1], 1e-9)
    found = regimes.find(x, *reference.center_and_spread(x, least), least)
    assert found is not None
    assert len({(int(a), int(b)) for a, b in zip(which, found.nearest(x), strict=True)}) == 3
    assert np.flatnonzero(found.weights).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("column", "deep"),
    [
        (np.repeat([0.0, 9.0], 500), True),
        (np.random.default_rng(3).normal(0, 1, 1_000), False),
        (np.random.default_rng(3).lognormal(0, 1, 1_000), False),
        (np.random.default_rng(3).integers(40, 47, 1_000).astype(float), False),  # counts, one beside the other
        (np.repeat([0.0, 9.0], [970, 30]), False),  # too few on one side
        (np.zeros(1_000), False),
    ],
)
def test_a_valley_has_enough_on_both_sides(column: Floats, deep: bool) -> None:
    order = np.random.default_rng(4).permutation(len(column))
    found = regimes.deepest_valleys(column[order, None], np.array([1.0]))
    assert (found[0] >= regimes.DEEP) == deep


def fleet_of_products(machines: int = 12, each: int = 150) -> tuple[Floats, Keys, Keys]:
    """(x, machine, product): every machine has a level of its own and makes three products; of each, one series in
    fifty is off by 8 deviations in the last feature. The last machine has too few series."""
    rng = np.random.default_rng(5)
    which = np.repeat(np.arange(machines), each)[: -(each - 20)]
    product = rng.choice(3, len(which), p=[0.5, 0.3, 0.2])
    x = rng.normal(0, 1, (len(which), 4)) + rng.normal(0, 20, machines)[which, None]
    x += 30 * product[:, None] * np.array([1, 1, -1, 1])
    x[::50, 3] += 8
    order = rng.permutation(len(which))
    return x[order], np.char.add("M", which[order].astype(str)), product[order].astype(str)


def test_products_of_every_machine_are_regimes_beside_the_baseline() -> None:
    x, machine, product = fleet_of_products()
    found = reference.fit(x, machine, LEAST)
    assert found.regimes is not None
    row = found.compared_with(x, machine)
    own = {(m, p): set(row[(machine == m) & (product == p)].tolist()) for m in set(machine) for p in set(product)}
    assert all(len(rows) == 1 for rows in own.values())
    assert len(set().union(*own.values())) == len(own)
    z = found.deviations(x, machine)
    off = np.abs(z[:, 3]) > 4
    assert 0.015 < off.mean() < 0.03
    one = (machine == "M3") & (product == "1")
    np.testing.assert_allclose(found.centers[row[one][0]], np.median(x[one], axis=0))
    np.testing.assert_array_equal(
        z[:9], np.concatenate([found.deviations(x[i : i + 1], machine[i : i + 1]) for i in range(9)])
    )


def test_regions_that_differ_in_too_few_features_are_one() -> None:
    x, which = products(0.4, 0.3, 0.3)
    x[:, 1:] = np.where(
        which[:, None] == 2, x[:, 1:] + 30 * np.array([-1, 1, 0]), x[:, 1:]
    )  # as the second but for one
    label = np.where(np.arange(len(x)) % 50 == 0, -1, which)
    found = regimes._merged(label, x, 3)
    assert {(int(a), int(b)) for a, b in zip(label, found, strict=True)} == {(-1, -1), (0, 0), (1, 1), (2, 1)}
    np.testing.assert_array_equal(regimes._merged(label, x, 1), label)
