"""What is typical of a series' own kind."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support.series import CLUSTERED, CYCLE, features_of
from tsclust.arrays import Keys
from tsclust.stages.features import parts, typical
from tsclust.stages.features.catalogue import NAMES
from tsclust.stages.features.typical import Sample, Typical


def fitted(frame: pl.DataFrame, keys: Keys, *, look: bool = False) -> Typical:
    sample = Sample(frame, keys, np.ones(len(frame), bool))
    baseline = ["machine"] if (keys != "").any() else []
    return typical.fit(sample, baseline, CLUSTERED, dict.fromkeys(CLUSTERED, 1e-6), look=look)


def typical_of(*values: float | None) -> tuple[float, float]:
    """Of a feature with these values."""
    frame = pl.DataFrame({"max": pl.Series(values, dtype=pl.Float64)})
    return fitted(frame, np.full(len(frame), "")).whole["max"]


def test_the_median_and_the_robust_deviation_of_what_is_known() -> None:
    assert typical_of(1, 2, 3, None, 4, 5) == (3.0, pytest.approx(1.4826))
    assert typical_of(None, None) == (0.0, 0.0)


def test_a_manifest_can_hold_what_is_typical_of_the_largest_numbers() -> None:
    largest = sys.float_info.max
    with np.errstate(all="ignore"):
        assert max(map(abs, typical_of(largest, -largest, largest, -largest))) <= largest
        assert typical_of(largest, largest)[1] == 0.0


def two_machines(few: int = 8) -> tuple[pl.DataFrame, Keys]:
    """Three of one machine in kW, 60 and `few` of two others in W."""
    rng = np.random.default_rng(1)
    sizes = [0.001 * rng.normal(1, 0.02, 3), rng.normal(1, 0.02, 60), rng.normal(1, 0.02, few) / 1000]
    rows = [size * CYCLE for size in np.concatenate(sizes)]
    keys = np.array(["few"] * 3 + ["watts"] * 60 + ["kilowatts"] * few)
    return pl.DataFrame(features_of(*rows)).fill_nan(None), keys


def test_a_baseline_has_what_is_typical_of_it_where_it_has_enough_series() -> None:
    frame, keys = two_machines()
    found = fitted(frame, keys)
    heights = found.column("typical_peak_height", found.rows({}, np.array(["watts", "kilowatts", "few", "unknown"])))
    assert heights == pytest.approx([5, 0.005, 5, 5], rel=0.1)
    assert found.normal.too_few == 1


def test_without_a_baseline_it_is_that_of_the_regime() -> None:
    frame, keys = two_machines(few=40)
    found = fitted(frame, np.full(len(keys), ""), look=True)
    assert found.normal.regimes is not None
    rows = found.rows({name: frame[name].to_numpy() for name in CLUSTERED}, keys)
    heights = found.column("typical_peak_height", rows)
    np.testing.assert_allclose(heights, np.where(keys == "watts", 5, 0.005), rtol=0.1)


@pytest.mark.parametrize("look", [False, True])
def test_it_is_the_same_bits_from_its_file(tmp_path: Path, look: bool) -> None:
    frame, keys = two_machines(few=40)
    found = fitted(frame, np.full(len(keys), "") if look else keys, look=look)
    path = tmp_path / parts.TYPICAL_FILE
    path.write_bytes(parts.typical_bytes(found))
    again = parts.read_typical(path, type(found.kinds).model_validate_json(found.kinds.model_dump_json()))
    features = {name: frame[name].to_numpy() for name in NAMES}
    for name in found.columns:
        there, here = (one.column(name, one.rows(features, keys)) for one in (found, again))
        assert (there == here).all()
    assert parts.typical_bytes(again) == parts.typical_bytes(found)
    assert again.only(["typical_max"]).columns == ("typical_max", "spread_max")
