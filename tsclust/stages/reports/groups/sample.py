"""The few series that the report draws.

A hash of their id decides which: the same ones for any order of rows and parts."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Bools, Floats, Int64s, Keys, UInt64s
from tsclust.hashing import limit, order_of
from tsclust.series import SeriesBlock
from tsclust.stages.clusters.parts import GroupRef
from tsclust.stages.labels.group_state import LabelIndex
from tsclust.stages.reports.groups.counts import Counts

MEMBERS_DRAWN = 2_000  # members that stand for a group: its band, its medians
NORMAL_DRAWN = 60_000  # series that say what is normal, of each baseline too
EXAMPLES_PER_RULE = 6  # series shown of those a rule rejects
SEED = 1


@dataclass(frozen=True)
class SampleRequest:
    """What to look for.

    groups    the members of each group shown
    normal    (groups,) which of them make up the normal mass; all series do where none is
    kept      series that the rules keep
    baseline  carried columns within which series are compared
    features  (d,) names of the clustered ones
    labelled  what series were called before; None where nothing is labelled yet
    """

    groups: tuple[GroupRef, ...]
    normal: Bools
    kept: int
    baseline: tuple[str, ...]
    features: tuple[str, ...]
    labelled: LabelIndex | None

    @property
    def limits(self) -> UInt64s:
        """(groups,) the largest hash that is drawn of each group, about MEMBERS_DRAWN members."""
        return np.array([limit(MEMBERS_DRAWN, group.size) for group in self.groups], np.uint64)


@dataclass(frozen=True)
class Sample:
    """The series drawn, in the order of their hashes, and counts over all. n series, g groups.

    table     (n rows) series_id, carried columns, values
    hashes    (n,)
    starts    (n,) int64: where the run starts, 0 where that is not known
    x         (n, d) the clustered features
    keys      (n,) baseline key, "" without a baseline
    inside    (n, g) drawn as a member of the group
    normal    (n,) drawn as a member of the normal mass
    rejected  (n,) name of the rule, "" = kept
    counts    over all series, not only those drawn
    """

    table: pa.Table
    hashes: UInt64s
    starts: Int64s
    x: Floats
    keys: Keys
    inside: Bools
    normal: Bools
    rejected: Keys
    counts: Counts

    @cached_property
    def block(self) -> SeriesBlock:
        return SeriesBlock.from_arrow(self.table)

    @cached_property
    def rest(self) -> float:
        """The level that normal recordings begin at; 0 where there are none."""
        first = self.block.offsets[:-1][self.normal & (np.diff(self.block.offsets) > 0)]
        values = self.block.values[first]
        return float(np.median(values[np.isfinite(values)])) if np.isfinite(values).any() else 0.0


def join_samples(parts: Sequence[Sample]) -> Sample:
    """The parts as one, in the order of the hashes."""
    order = order_of([p.hashes for p in parts])
    drawn: dict[str, Any] = {
        name: np.concatenate([getattr(p, name) for p in parts])[order]
        for name in ("hashes", "starts", "x", "keys", "inside", "normal", "rejected")
    }
    return Sample(
        table=pa.concat_tables([p.table for p in parts]).take(order).combine_chunks(),
        counts=reduce(operator.add, (p.counts for p in parts)),
        **drawn,
    )


def normal_mass(asked: SampleRequest, inside: Bools, kept: Bools) -> Bools:
    """(n,) the series of the normal mass."""
    mass: Bools = np.any(inside[:, asked.normal], axis=1)
    return mass if asked.normal.any() else kept


def first_of_each_rule(rejected_by: pa.Array, hashes: UInt64s) -> Int64s:
    """The few rows of each rule with the smallest hashes, of a part's rows (n,), null where no rule rejects them."""
    there = np.flatnonzero(rejected_by.is_valid())
    found = pl.DataFrame({"rule": pl.Series(rejected_by.take(there)), "hash": hashes[there], "row": there})
    first = pl.col("row").sort_by("hash").head(EXAMPLES_PER_RULE)
    return found.group_by("rule").agg(first)["row"].explode().drop_nulls().to_numpy()


def texts(column: pl.Series) -> Keys:
    """(n,) a column of text, "" for null."""
    return column.fill_null("").to_numpy().astype(str)


def whole(column: Floats) -> Int64s:
    """(n,) a column of whole numbers, 0 for NaN."""
    whole: Int64s = np.nan_to_num(column).astype(np.int64)
    return whole
