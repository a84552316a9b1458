"""Series that tests make: by the thousand from the mechanism, or one by one by hand."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tsclust.arrays import Floats, Keys
from tsclust.series import SeriesBlock, keys
from tsclust.simulation import machines
from tsclust.stages.features import typical
from tsclust.stages.features.catalogue import CATALOGUE, NAMES, clustered
from tsclust.stages.features.kernels import describe

CLUSTERED = clustered(CATALOGUE)
CYCLE = np.concatenate(
    [[0.0] * 5, [2.8, 5.0, 3.1, 2.0, 1.5, 1.2], 1 + 0.02 * np.sin(np.arange(40)), [0.45] * 3, [0.0] * 6]
)


def block(*series: Iterable[float | None], dtype: type = np.float64) -> SeriesBlock:
    """A block of these series, numbered from 0; None among the values is a missing value."""
    arrays: list[npt.NDArray[Any]] = [np.array([np.nan if v is None else v for v in s], dtype) for s in series]
    offsets = np.cumsum([0, *map(len, arrays)])
    return SeriesBlock(pa.array(range(len(arrays))), offsets, np.concatenate([*arrays, np.empty(0, dtype)]))


def features_of(*series: Iterable[float | None], sign: int = 1, dtype: type = np.float64) -> list[dict[str, float]]:
    """Name -> value for each series."""
    return [dict(zip(NAMES, row, strict=True)) for row in describe(block(*series, dtype=dtype), sign).tolist()]


@functools.cache
def machine_cycles(series: int = 20_000, seed: int = 7) -> tuple[pa.Table, pl.DataFrame]:
    """(series table, truth) of the made mechanism."""
    pairs = list(machines.make(series, seed))
    return pa.Table.from_batches([s for s, _ in pairs]), pl.DataFrame(pa.Table.from_batches([t for _, t in pairs]))


@functools.cache
def machine_features(series: int = 20_000, seed: int = 7) -> pl.DataFrame:
    """The features of `cycles` with what is typical, their kind and carried columns."""
    table, truth = machine_cycles(series, seed)
    frame = pl.DataFrame(describe(SeriesBlock.from_arrow(table), 1), schema=list(NAMES)).fill_nan(None)
    frame = with_typical_of_baseline(frame, keys(pl.DataFrame(table.select(["machine_id", "direction"]))))
    return pl.concat([frame, pl.DataFrame(table.drop_columns(["values"])), truth.select("kind")], how="horizontal")


def with_typical(frame: pl.DataFrame) -> pl.DataFrame:
    """With typical_ and spread_ columns, as if all series were like CYCLE."""
    return of_kind(frame, CYCLE)


def with_typical_of_baseline(frame: pl.DataFrame, baselines: Keys) -> pl.DataFrame:
    """With typical_ and spread_ columns of the baseline of each series."""
    sample = typical.Sample(frame, baselines, np.ones(len(frame), bool))
    found = typical.fit(sample, ["baseline"], CLUSTERED, {}, look=False)
    rows = found.rows({}, baselines)
    return frame.with_columns(**{name: pl.Series(found.column(name, rows)) for name in found.columns})


def of_kind(frame: pl.DataFrame, series: Iterable[float | None]) -> pl.DataFrame:
    """With typical_ and spread_ columns, as if all series were like this one."""
    (own,) = features_of(series)
    spread = {"n_recorded": 3.0, "run_length": 2.0, "floor": 0.01}
    columns = {f"typical_{name}": value for name, value in own.items()}
    columns |= {f"spread_{name}": spread.get(name, 0.0) for name in NAMES}
    return frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def possible(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that are no planted impossible recordings."""
    return frame.filter(~pl.col("kind").str.starts_with("impossible"))


def array_of(series: SeriesBlock, i: int) -> Floats:
    """Series i as float64."""
    return np.asarray(series[i], np.float64)
