"""The first and the last time of long rows: one column MOMENT while they are rows, two of the series."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from tsclust.arrays import Int64s
from tsclust.source.layouts import MOMENT


def moment(type_: pa.DataType, ends: Sequence[str]) -> pa.Field:
    """The column MOMENT of long rows: a time, whose first and last are called `ends` in the table of series."""
    first, last = ends
    return pa.field(MOMENT, type_, metadata={b"first": first.encode(), b"last": last.encode()})


def ends_of(field: pa.Field) -> list[pa.Field]:
    """A column of long rows as those of the series that it becomes: MOMENT becomes two, others stay."""
    if field.name != MOMENT:
        return [field]
    return [pa.field(field.metadata[end].decode(), field.type) for end in (b"first", b"last")]


def with_ends(series: pa.Table, rows: pa.Table, lasts: Int64s) -> pa.Table:
    """The series with the last times beside the first; `lasts` are the last rows of each."""
    at = rows.schema.get_field_index(MOMENT)
    if at < 0:
        return series
    field, there = rows.schema.field(at), series.schema.get_field_index(MOMENT)
    first, last = ends_of(field)
    times = rows[MOMENT].combine_chunks().take(pa.array(lasts[: len(series)]))
    return series.set_column(there, first, series[MOMENT]).add_column(there + 1, last, times)
