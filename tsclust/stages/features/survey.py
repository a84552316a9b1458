"""A first look at all series: which way the peak points, and a sample that says what is typical of each feature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import polars.selectors as cs

from tsclust.arrays import Bools, Floats, Keys, UInt64s
from tsclust.hashing import hash_ids, limit, order_of
from tsclust.series import SeriesBlock, keys
from tsclust.stages.features import lost_groups
from tsclust.stages.features.explained import Explained, choose
from tsclust.stages.features.kernels import peak_votes
from tsclust.stages.features.typical import Sample

SAMPLE = 20_000  # series that say what is typical of all: their median is off by a hundredth of a deviation
OF_EACH = (15, 50)  # series of each baseline, and of all baselines about
OF_ALL_BASELINES = 60_000
MOST = 300_000  # series that are described twice
TO_CHOOSE = 4_000  # series: in fewer, what a baseline and regimes divide into is too few to say what is normal
SEED = 1

Describe = Callable[[SeriesBlock, int], pl.DataFrame]
Votes = tuple[int, int]


@dataclass(frozen=True)
class Drawn:
    """Series of a part that are in the sample: their carried columns, hashes and keys (n,); at_all (n,): see Sample."""

    block: SeriesBlock
    carried: pl.DataFrame
    hashes: UInt64s
    keys: Keys
    at_all: Bools


@dataclass(frozen=True)
class Survey:
    """votes: part -> (up, down), how many of its series say that the peak points which way; drawn: of each part."""

    votes: dict[str, Votes]
    drawn: tuple[Drawn, ...]


@dataclass(frozen=True)
class PartSurvey:
    """Of one part: its votes, the series of it that are in the sample, how many series it has."""

    votes: Votes
    drawn: Drawn
    series: int


@dataclass(frozen=True)
class Baselines:
    """The baselines of all series: the carried columns that name them, a row for each with `len`, its series."""

    columns: tuple[str, ...]
    counted: pl.DataFrame

    @classmethod
    def of_parts(cls, columns: Sequence[str], parts: Iterable[pl.DataFrame]) -> Baselines:
        """From what `count` gives of each part."""
        counted = pl.concat(list(parts)).group_by(columns, maintain_order=True).agg(pl.sum("len"))
        return cls(tuple(columns), counted)

    def limits(self, carried: pl.DataFrame) -> UInt64s:
        """(n,) the largest hash that is drawn of the baseline of each of n series."""
        least, most = OF_EACH
        wanted = min(most, max(least, OF_ALL_BASELINES // len(self.counted)), max(1, MOST // len(self.counted)))
        drawn = np.array([limit(wanted, n) for n in self.counted["len"].to_list()], np.uint64)
        known = self.counted.select(*self.columns, most=pl.Series(drawn))
        return carried.join(known, on=self.columns, how="left", nulls_equal=True, maintain_order="left")[
            "most"
        ].to_numpy()


def count(carried: pl.DataFrame) -> pl.DataFrame:
    """How many series of a part each baseline has."""
    return carried.group_by(carried.columns, maintain_order=True).len().cast({"len": pl.Int64})


def survey(block: SeriesBlock, rows: int, carried: pl.DataFrame, baselines: Baselines | None) -> PartSurvey:
    """Look at a part of `rows` series in all, with its carried columns. The sample is drawn by hash: the same for any
    parts."""
    up, down, series = peak_votes(block)
    hashes = hash_ids(block.ids, SEED)
    at_all = hashes <= limit(SAMPLE, rows)
    own = hashes <= baselines.limits(carried.select(baselines.columns)) if baselines else at_all
    rows_drawn = np.flatnonzero(at_all | own)
    of_drawn = carried[rows_drawn] if carried.width else carried
    named = keys(of_drawn.select(baselines.columns)) if baselines else np.full(len(rows_drawn), "")
    drawn = Drawn(block.take(rows_drawn), of_drawn, hashes[rows_drawn], named, at_all[rows_drawn])
    return PartSurvey((up, down), drawn, series)


def direction(peak: str, votes: Iterable[Votes]) -> tuple[int, float]:
    """(1 or -1, share of the series that agree): which way the peak points, by a vote of all series where `auto`."""
    if peak != "auto":
        return (1 if peak == "max" else -1), 1.0
    up, down = (sum(one) for one in zip(*votes, strict=True))
    return (1 if up >= down else -1), max(up, down) / max(up + down, 1)


def sample(drawn: Sequence[Drawn], described: Sequence[pl.DataFrame]) -> Sample:
    """What was drawn of all parts, described, in the order of the hashes: the same for any parts."""
    order = order_of([one.hashes for one in drawn])
    named, at_all = (np.concatenate(arrays) for arrays in zip(*((one.keys, one.at_all) for one in drawn), strict=True))
    return Sample(pl.concat(described)[order], named[order], at_all[order])


def explained(
    drawn: Sequence[Drawn], described: pl.DataFrame, compared: Sequence[str], least: Floats
) -> tuple[Explained, ...]:
    """The carried columns to compare series within, by all that was drawn, `described` in the order of the hashes.
    least (d,): the smallest meaningful spreads of the features `compared`."""
    columns = columns_of_groups(drawn)
    if not columns:
        return ()
    carried = pl.concat([one.carried.select(columns) for one in drawn])[order_of([one.hashes for one in drawn])]
    x = described.select(compared)
    known = ~x.select(pl.any_horizontal(pl.all().is_null())).to_series()
    return choose(carried.select(~cs.temporal()).filter(known), compared, x.filter(known).to_numpy(), least)


def columns_of_groups(drawn: Sequence[Drawn]) -> tuple[str, ...]:
    """The carried columns that name groups of series, by those that were drawn from all."""
    of_all = [one.carried.filter(pl.Series(one.at_all)) for one in drawn if one.carried.width]
    return lost_groups.columns_of_groups(pl.concat(of_all)) if of_all else ()
