"""One pass over the parts: the few series that the report draws, and what it counts over all of them.

Which series are drawn is decided by a hash of their id: the same ones for any order of rows and any number of parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tsclust.engine import map_parts
from tsclust.series import Floats, Int64s, SeriesBlock, UInt64s, hash_ids
from tsclust.workspace import Members, Workspace

Bools = npt.NDArray[np.bool_]
Strings = npt.NDArray[np.str_]

PER_GROUP = 2_000  # members that stand for a group: its band, its medians
NORMAL = 60_000  # series that say what is normal, of each baseline too
EXAMPLES = 6  # series shown of those a rule rejects
MANY = 2_000  # a carried column with more values than this names series, not machines
SEED = 1
WORKERS = 1  # Arrow and Polars use all cores within a part; two parts at a time cost memory and win nothing
BETWEEN = "\x1f"  # between the columns of a baseline's key: cannot stand in text that people type
_YEARS = (-719_161, 2_932_895)  # days since 1970 of the years 1 to 9999, one short: a time zone may add one
_PER_DAY = {None: 1, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


@dataclass(frozen=True)
class Asked:
    """What to look for.

    groups    the members of each group shown
    normal    (groups,) which of them make up the normal mass; all series do where none is
    kept      series that the rules keep
    baseline  carried columns within which series are compared
    features  (d,) names of the clustered ones
    """

    groups: tuple[Members, ...]
    normal: Bools
    kept: int
    baseline: tuple[str, ...]
    features: tuple[str, ...]

    @property
    def limits(self) -> UInt64s:
        """(groups,) the largest hash that is drawn of each group, about PER_GROUP members."""
        return np.array([limit(PER_GROUP, group.size) for group in self.groups], np.uint64)


@dataclass(frozen=True)
class Drawn:
    """The series drawn, in the order of their hashes, and counts over all. n series, g groups.

    table     (n rows) series_id, carried columns, values
    hashes    (n,)
    starts    (n,) int64: where the run starts, 0 where that is not known
    x         (n, d) the clustered features
    keys      (n,) baseline key, "" without a baseline
    inside    (n, g) drawn as a member of the group
    normal    (n,) drawn as a member of the normal mass
    rejected  (n,) name of the rule, "" = kept
    counts    carried column -> a row per value: value, all, 0, 1, ... (members of each group); None: too many values
    periods   carried column of times -> first and last
    """

    table: pa.Table
    hashes: UInt64s
    starts: Int64s
    x: Floats
    keys: Strings
    inside: Bools
    normal: Bools
    rejected: Strings
    counts: dict[str, pl.DataFrame | None]
    periods: dict[str, tuple[Any, Any]]

    @cached_property
    def block(self) -> SeriesBlock:
        return SeriesBlock.from_arrow(self.table)


def draw(workspace: Workspace, asked: Asked) -> Drawn:
    """Go through all parts once."""
    return joined(list(map_parts(partial(_draw, workspace, asked), workspace.parts("features"), WORKERS)))


def joined(parts: Sequence[Drawn]) -> Drawn:
    """The parts as one, in the order of the hashes."""
    order = np.argsort(np.concatenate([p.hashes for p in parts]), kind="stable")
    drawn: dict[str, Any] = {
        name: np.concatenate([getattr(p, name) for p in parts])[order]
        for name in ("hashes", "starts", "x", "keys", "inside", "normal", "rejected")
    }
    return Drawn(
        table=pa.concat_tables([p.table for p in parts]).take(order).combine_chunks(),
        counts={name: _summed(p.counts.get(name) for p in parts) for name in parts[0].counts},
        periods={name: _longest(p.periods.get(name) for p in parts) for name in parts[0].periods},
        **drawn,
    )


def _draw(workspace: Workspace, asked: Asked, path: Path) -> Drawn:
    """What `draw` wants of one part."""
    features = pq.read_table(path, columns=["series_id", "start", *asked.features, "rejected_by"])
    series = pq.read_table(workspace.stage("series") / path.name)
    carried = _carried(series)
    rejected = texts(pl.Series(features["rejected_by"]))
    kept = rejected == ""
    hashes = hash_ids(features["series_id"].combine_chunks(), SEED)
    inside = _inside(workspace, path.name, asked, features["series_id"], kept)
    normal = inside[:, asked.normal].any(axis=1) if asked.normal.any() else kept
    keys = keys_of(series, asked.baseline)
    members = inside & (hashes[:, None] <= asked.limits)
    usual = normal & (hashes <= limit(NORMAL, asked.kept))
    rows = np.flatnonzero(members.any(axis=1) | usual | examples(rejected, hashes))
    x = np.column_stack([features[name].take(rows).to_numpy() for name in asked.features])
    times = [column for column in carried.iter_columns() if column.dtype.is_temporal()]
    return Drawn(
        series.take(rows), hashes[rows], whole(features["start"])[rows], x, keys[rows], members[rows],
        usual[rows], rejected[rows], _count(carried, kept, inside), {t.name: (t.min(), t.max()) for t in times},
    )  # fmt: skip


def limit(wanted: int, of: int) -> np.uint64:
    """The hash below which about `wanted` of `of` lie."""
    return np.uint64(min(2**64 - 1, wanted * 2**64 // max(of, 1)))


def _inside(workspace: Workspace, part: str, asked: Asked, ids: pa.ChunkedArray, kept: Bools) -> Bools:
    """(n, g) whether the rows of a part are members of the groups; assignments have the rows that they are about."""
    inside = np.zeros((len(kept), len(asked.groups)), bool)
    for within in {group.within for group in asked.groups}:
        mine = [j for j, group in enumerate(asked.groups) if group.within == within]
        columns = sorted({asked.groups[j].column for j in mine})
        labels = pq.read_table(workspace.assignments(within) / part, columns=["series_id", *columns])
        rows = kept if within is None else pc.is_in(ids, value_set=labels["series_id"].combine_chunks()).to_numpy()
        for j in mine:
            inside[rows, j] = labels[asked.groups[j].column].to_numpy() == asked.groups[j].cluster
    return inside


def examples(rejected: Strings, hashes: UInt64s) -> Bools:
    """(n,) the few rows of each rule with the smallest hashes."""
    chosen = np.zeros(len(rejected), bool)
    for rule in np.unique(rejected[rejected != ""]):
        rows = np.flatnonzero(rejected == rule)
        chosen[rows[np.argsort(hashes[rows], kind="stable")[:EXAMPLES]]] = True
    return chosen


def _carried(series: pa.Table) -> pl.DataFrame:
    """The carried columns that can be counted: text, whole numbers, yes and no, times."""
    fine = [f.name for f in series.schema if f.name not in ("series_id", "values") and _countable(f.type)]
    frame = pl.DataFrame(series.select(fine))
    return frame.with_columns(_possible(c) for c in frame.iter_columns() if c.dtype.is_temporal())


def _possible(times: pl.Series) -> pl.Series:
    """Null for what lies outside of the years 1 to 9999, like PostgreSQL's infinity: Polars panics on it."""
    per_day = _PER_DAY[getattr(times.dtype, "time_unit", None)]
    first, last = max(_YEARS[0] * per_day, -(2**63)), min(_YEARS[1] * per_day, 2**63 - 1)
    inside = times.to_physical().is_between(first, last)
    return pl.select(pl.when(inside).then(times)).to_series().alias(times.name)


def _countable(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean, pa.types.is_date,
             pa.types.is_timestamp)  # fmt: skip
    return any(test(kind) for test in tests)


def keys_of(series: pa.Table, baseline: Sequence[str]) -> Strings:
    """(n,) the baseline key of each row of a part of series/, "" without a baseline."""
    if not baseline:
        return np.full(len(series), "")
    text = pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator=BETWEEN)
    return pl.DataFrame(series.select(list(baseline))).select(text).to_series().to_numpy().astype(str)


def _count(carried: pl.DataFrame, kept: Bools, inside: Bools) -> dict[str, pl.DataFrame | None]:
    """Per column, how often each value occurs in all and in each group; times count by their month."""
    members = pl.DataFrame({str(j): inside[kept, j] for j in range(inside.shape[1])})
    counts: dict[str, pl.DataFrame | None] = {}
    for column in carried.filter(kept).iter_columns():
        value = column.dt.strftime("%Y-%m") if column.dtype.is_temporal() else column.cast(pl.String)
        tally = members.with_columns(value=value).group_by("value").agg(pl.len().cast(pl.Int64).alias("all"), _sums())
        counts[column.name] = tally if len(tally) <= MANY else None
    return counts


def _sums() -> pl.Expr:
    return pl.exclude("value", "all").cast(pl.Int64).sum()


def _summed(counts: Iterable[pl.DataFrame | None]) -> pl.DataFrame | None:
    """The counts of all parts; None where one of them, or all together, have too many values."""
    parts = list(counts)
    known = [c for c in parts if c is not None]
    if len(known) < len(parts):
        return None
    tally = pl.concat(known).group_by("value").agg(pl.col("all").sum(), _sums()).sort("value")
    return tally if len(tally) <= MANY else None


def _longest(periods: Iterable[tuple[Any, Any] | None]) -> tuple[Any, Any]:
    known = [p for p in periods if p is not None and p[0] is not None]
    return (min(p[0] for p in known), max(p[1] for p in known)) if known else (None, None)


def texts(column: pl.Series) -> Strings:
    """(n,) a column of text, "" for null."""
    return column.fill_null("").to_numpy().astype(str)


def whole(column: pa.ChunkedArray) -> Int64s:
    """(n,) a column of whole numbers, 0 for null."""
    whole: Int64s = np.nan_to_num(column.to_numpy().astype(np.float64)).astype(np.int64)
    return whole
