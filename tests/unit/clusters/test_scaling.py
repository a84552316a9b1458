"""Features made comparable, and back: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tsclust.stages.clusters import scaling


def test_exceedance_forgets_what_is_normal_for_the_machine() -> None:
    rng = np.random.default_rng(0)
    keys = np.repeat(["a", "b"], 500)
    x = rng.normal(0, 1, (1_000, 2)) + np.where(keys == "a", 0, 100)[:, None]
    x[0] += 20
    scaler = scaling.fit(x, keys, "exceedance", np.full(2, 1e-9))
    rows = scaler.transform(x, keys)
    assert (rows[0] > 0).all()
    assert (rows[1:] != 0).mean() == pytest.approx(0.0455, abs=0.02)  # what of a normal distribution exceeds the band
    assert (scaler.transform(x[1:2], np.array(["unknown machine"])) == scaler.transform(x[1:2], np.array([""]))).all()


def test_a_feature_without_spread_weighs_nothing_and_copies_share_a_weight() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_t(2, (2, 5_000))
    x = np.column_stack([one, one, one, other, np.full(5_000, 7.0)])
    weights = scaling.fit(x, np.full(5_000, ""), "exceedance", np.full(5, 1e-9)).weights
    assert weights[4] == 0
    assert (weights[:3] ** 2).sum() == pytest.approx(weights[3] ** 2, rel=0.1)


@pytest.mark.parametrize("method", ["exceedance", "robust", "standard"])
def test_sums_of_features_are_exact_in_their_units(method: str) -> None:
    x = np.random.default_rng(0).normal(3, 2, (400, 2))
    scaler = scaling.fit(x, np.full(400, ""), method, np.full(2, 1e-9))
    total = scaling.to_fine(scaler, x).sum(axis=0, keepdims=True)
    assert scaling.from_fine(scaler, total, np.array([400]))[0] == pytest.approx(x.mean(axis=0), abs=1e-4)
