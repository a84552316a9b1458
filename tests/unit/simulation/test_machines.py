"""The made mechanism is what the demo says it is."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tests.support.series import machine_cycles, machine_features, possible
from tsclust.series import SeriesBlock
from tsclust.simulation import machines
from tsclust.simulation.machines import IMPOSSIBLE, KINDS


def bytes_of(series: int, seed: int, workers: int = 2) -> str:
    digest = hashlib.sha256()
    for batch, truth in machines.make(series, seed, workers):
        for column in (*batch.columns, *truth.columns):
            digest.update(pa.concat_arrays([column]).to_string(window=10_000).encode())
    return digest.hexdigest()


def test_the_same_seed_makes_the_same_bytes() -> None:
    assert bytes_of(2_000, 3) == bytes_of(2_000, 3, workers=1)
    assert bytes_of(2_000, 3) != bytes_of(2_000, 4)


@pytest.mark.slow
@pytest.mark.parametrize("series", [1, machines.CHUNK, machines.CHUNK + 1])
def test_as_many_as_asked_for_each_with_its_truth(series: int) -> None:
    pairs = list(machines.make(series))
    ids = np.concatenate([s["series_id"].to_numpy() for s, _ in pairs])
    assert ids.tolist() == list(range(1, series + 1))
    assert np.concatenate([t["series_id"].to_numpy() for _, t in pairs]).tolist() == ids.tolist()


def test_the_series_do_not_carry_their_truth() -> None:
    table, _ = machine_cycles()
    assert table.schema == machines.SCHEMA
    assert set(table.column_names) == {"series_id", "machine_id", "direction", "recorded_at", "values"}


def test_shares_are_as_planted() -> None:
    _, truth = machine_cycles(200_000, 1)
    counts = dict(truth["kind"].value_counts().iter_rows())
    impossible = sum(counts[f"impossible: {kind}"] for kind in IMPOSSIBLE)
    assert impossible / 200_000 == pytest.approx(0.15, abs=0.005)
    for kind, share in KINDS.items():
        planted = share * (200_000 - impossible)
        assert abs(counts[kind] - planted) < 4 * np.sqrt(planted), kind
    assert counts["normal"] / (200_000 - impossible) > 0.95
    assert len(KINDS) >= 12
    assert min(KINDS.values()) <= 0.0002
    assert max(KINDS.values()) == 0.01


def test_normal_cycles_look_like_a_point_machine() -> None:
    normal = machine_features().filter(pl.col("kind") == "normal")
    ratio = normal["peak_height"] / normal["side_mean"]
    assert ratio.is_between(3, 9).mean() > 0.99
    assert normal["peak_position"].max() <= 3
    assert normal["n_values"].is_between(50, 100).all()
    assert normal["start"].is_between(1, 11).all()
    assert normal["start"].n_unique() == 11
    assert normal["machine_id"].n_unique() == machines.MACHINES
    fall = normal["return_level"] / normal["side_mean"]
    assert fall.is_between(0.3, 0.6).mean() > 0.99  # two steps: a level between the side movement and rest


def test_the_two_directions_are_two_regimes() -> None:
    normal = machine_features().filter(pl.col("kind") == "normal")
    by_direction = normal.group_by("machine_id", "direction").agg(pl.col("side_mean").median()).pivot(
        "direction", index="machine_id", values="side_mean"
    )  # fmt: skip
    assert (by_direction["reverse"] / by_direction["normal"]).median() == pytest.approx(1.25, abs=0.02)


def test_possible_lengths_lie_between_50_and_100() -> None:
    assert possible(machine_features())["n_values"].is_between(50, 100).all()


def test_a_block_of_them_keeps_gaps_as_missing_values() -> None:
    table, truth = machine_cycles()
    block = SeriesBlock.from_arrow(table)
    gaps = truth["kind"] == "impossible: gaps"
    missing = np.add.reduceat(np.isnan(block.values), block.offsets[:-1]) > 0
    assert missing[gaps.to_numpy()].mean() > 0.95
    assert not missing[~gaps.to_numpy()].any()
