"""A first look at all series: which way the peak points, and a sample that says what is typical of each feature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from tsclust.hashing import hash_ids, limit
from tsclust.series import SeriesBlock
from tsclust.stages.features.kernels import peak_votes
from tsclust.stages.features.reference import MAD

SAMPLE = 20_000  # series that say what is typical: a median of so many is off by a hundredth of a deviation
SEED = 1

Describe = Callable[[SeriesBlock, int], pl.DataFrame]
Votes = tuple[int, int]


@dataclass(frozen=True)
class Survey:
    """votes: part -> (up, down), how many of its series say that the peak points which way; samples: of each part."""

    votes: dict[str, Votes]
    samples: tuple[SeriesBlock, ...]


@dataclass(frozen=True)
class PartSurvey:
    """Of one part: its votes, the series of it that are in the sample, how many series it has."""

    votes: Votes
    sample: SeriesBlock
    series: int


def survey(block: SeriesBlock, rows: int) -> PartSurvey:
    """Look at a part of `rows` series in all. The sample is drawn by hash: the same for any parts."""
    up, down, series = peak_votes(block)
    drawn = np.flatnonzero(hash_ids(block.ids, SEED) <= limit(SAMPLE, rows))
    return PartSurvey((up, down), block.take(drawn), series)


def direction(peak: str, votes: Iterable[Votes]) -> tuple[int, float]:
    """(1 or -1, share of the series that agree): which way the peak points, by a vote of all series where `auto`."""
    if peak != "auto":
        return (1 if peak == "max" else -1), 1.0
    up, down = (sum(one) for one in zip(*votes, strict=True))
    return (1 if up >= down else -1), max(up, down) / max(up + down, 1)


def typical(samples: Iterable[SeriesBlock], sign: int, describe: Describe) -> dict[str, tuple[float, float]]:
    """Feature -> (median, robust deviation) over the sample; 0 where nothing is known of it."""
    frame = pl.concat([describe(sample, sign) for sample in samples])
    return {column.name: _middle(column.drop_nulls().to_numpy()) for column in frame.iter_columns()}


def as_columns(typical: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """What rules call it: typical_<feature> and spread_<feature>."""
    named = {f"typical_{name}": middle for name, (middle, _) in typical.items()}
    return named | {f"spread_{name}": spread for name, (_, spread) in typical.items()}


def _middle(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return 0.0, 0.0
    # A manifest, which is JSON, knows no infinity.
    middle = np.nan_to_num(np.median(values))
    return float(middle), float(np.nan_to_num(MAD * np.median(np.abs(values - middle))))
