"""What the report counts over all series: how often and when a group occurs, who its members are, who shares them.

A part gives a `Counts`, and their sum is that of all parts, in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Bools, Int64s, UInt64s
from tsclust.hashing import fingerprints
from tsclust.series import ID, carried
from tsclust.stages.labels import group_state
from tsclust.stages.labels.group_state import LabelIndex
from tsclust.times import drop_out_of_range

Time = date | datetime


Span = tuple[Time | None, Time | None]


MANY = 2_000  # a carried column with more values than this names series, not machines


@dataclass(frozen=True)
class Counts:
    """Of all series, and of each of g groups.

    tallies  carried column -> a row per value: value, all, 0, 1, ... (members of each group); None: too many values
    spans    carried column of times -> first and last: of all series, then of the members of each group
    fingerprints  (g, 2) fingerprint of the members' ids
    shared   (g, g) members that two groups have in common
    """

    tallies: dict[str, pl.DataFrame | None]
    spans: dict[str, list[Span]]
    fingerprints: UInt64s
    shared: Int64s
    called: Int64s

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            {name: _summed(tally, other.tallies[name]) for name, tally in self.tallies.items()},
            {name: _longest(spans, other.spans[name]) for name, spans in self.spans.items()},
            self.fingerprints + other.fingerprints,
            self.shared + other.shared,
            self.called + other.called,
        )


NONE = Counts({}, {}, np.zeros((0, 2), np.uint64), np.zeros((0, 0), np.int64), np.zeros((0, 0), np.int64))


def count(series: pa.Table, kept: Bools, inside: Bools, labelled: LabelIndex | None) -> Counts:
    """Of a part of series/ (n rows), of which the rules keep some (n,); inside (n, g) are the members of the groups."""
    columns, members = _carried(series), inside.astype(np.float32)  # of a part: counts far below 2**24 are exact
    by_group = _ByGroup.of(inside)
    return Counts(
        {column.name: _tally(column, kept, by_group) for column in columns.iter_columns()},
        {column.name: _spans(column, by_group) for column in columns.iter_columns() if column.dtype.is_temporal()},
        fingerprints(series[ID].combine_chunks(), inside),
        (members.T @ members).astype(np.int64),
        group_state.tally(labelled, series[ID], inside) if labelled else NONE.called,
    )


@dataclass(frozen=True)
class _ByGroup:
    """Which rows are members of each of `count` groups: group (m,) and row (m,) of every membership."""

    group: Int64s
    row: Int64s
    count: int

    @classmethod
    def of(cls, inside: Bools) -> _ByGroup:
        group, row = np.nonzero(np.ascontiguousarray(inside.T))
        return cls(group, row, inside.shape[1])


def _carried(series: pa.Table) -> pl.DataFrame:
    """The carried columns that can be counted: text, whole numbers, yes and no, times."""
    fine = [name for name in carried(series.column_names) if _countable(series.schema.field(name).type)]
    frame = pl.DataFrame(series.select(fine))
    return frame.with_columns(drop_out_of_range(c) for c in frame.iter_columns() if c.dtype.is_temporal())


def _countable(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean, pa.types.is_date,
             pa.types.is_timestamp)  # fmt: skip
    return any(test(kind) for test in tests)


def _tally(column: pl.Series, kept: Bools, members: _ByGroup) -> pl.DataFrame | None:
    """How often each value occurs among those kept, and in each group, whose members are all kept; times count by their
    month. None for too many values."""
    value = column.dt.strftime("%Y-%m") if column.dtype.is_temporal() else column.cast(pl.String)
    coded = value.to_arrow().dictionary_encode(null_encoding="encode")
    codes, values = coded.indices.to_numpy(), pl.Series("value", coded.dictionary, pl.String)
    every = np.bincount(codes[kept], minlength=len(values))
    if np.count_nonzero(every) > MANY:
        return None
    at = members.group * len(values) + codes[members.row]
    counts = np.bincount(at, minlength=members.count * len(values)).reshape(members.count, len(values))
    columns = {str(j): row for j, row in enumerate(counts)}
    return pl.DataFrame([values, pl.Series("all", every)]).with_columns(**columns).filter(every > 0).sort("value")


def _sums() -> pl.Expr:
    return pl.exclude("value", "all").cast(pl.Int64).sum()


def _summed(a: pl.DataFrame | None, b: pl.DataFrame | None) -> pl.DataFrame | None:
    """None where one of them, or both together, have too many values."""
    if a is None or b is None:
        return None
    tally = pl.concat([a, b]).group_by("value").agg(pl.col("all").sum(), _sums()).sort("value")
    return tally if len(tally) <= MANY else None


def _spans(times: pl.Series, members: _ByGroup) -> list[Span]:
    """First and last of all, then of the members of each group."""
    known = pl.DataFrame({"group": members.group, "time": times.gather(members.row)}).group_by("group")
    found = known.agg(first=pl.col("time").min(), last=pl.col("time").max())
    of_groups = {group: (first, last) for group, first, last in found.iter_rows()}
    return [_span(times), *(of_groups.get(j, (None, None)) for j in range(members.count))]


def _span(times: pl.Series) -> Span:
    first, last = times.min(), times.max()
    return (first, last) if isinstance(first, date) and isinstance(last, date) else (None, None)


def _longest(a: Iterable[Span], b: Iterable[Span]) -> list[Span]:
    return [(_edge(min, x[0], y[0]), _edge(max, x[1], y[1])) for x, y in zip(a, b, strict=True)]


def _edge(of: Callable[[list[Any]], Time], *times: Time | None) -> Time | None:
    known = [time for time in times if time is not None]
    return of(known) if known else None
