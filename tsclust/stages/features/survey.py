"""A first look at all series: which way the peak points, and a sample that says what is typical of each feature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.hashing import hash_ids, limit
from tsclust.series import SeriesBlock
from tsclust.stages.features.kernels import peak_votes
from tsclust.stages.features.reference import MAD
from tsclust.stages.series import parts

SAMPLE = 20_000  # series that say what is typical: a median of so many is off by a hundredth of a deviation
WORKERS = 2
SEED = 1

Describe = Callable[[SeriesBlock, int], pl.DataFrame]
Votes = tuple[int, int]


@dataclass(frozen=True)
class Survey:
    """votes: part -> (up, down), how many of its series say that the peak points which way; samples: of each part."""

    votes: dict[str, Votes]
    samples: tuple[SeriesBlock, ...]


def survey(paths: Sequence[Path], rows: int, listen: Listener) -> Survey:
    """Read these parts of series/, of `rows` series in all. The sample is drawn by hash: the same for any parts."""
    of_part = partial(_of_part, limit(SAMPLE, rows))
    votes, samples, seen = {}, [], 0
    for path, (vote, sample, series) in zip(paths, map_parts(of_part, paths, WORKERS), strict=True):
        votes[path.name], seen = vote, seen + series
        samples.append(sample)
        listen(Progress("features: a first look", seen, rows))
    return Survey(votes, tuple(samples))


def _of_part(largest: np.uint64, path: Path) -> tuple[Votes, SeriesBlock, int]:
    """(votes, sample, how many series) of one part."""
    block = parts.read_block(path)
    up, down, series = peak_votes(block)
    drawn = np.flatnonzero(hash_ids(block.ids, SEED) <= largest)
    return (up, down), block.take(drawn), series


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
    middle = np.median(values)
    return float(middle), float(MAD * np.median(np.abs(values - middle)))
