"""A look at the first rows of files: which columns are the same in a whole series, and which differ in every row."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tsclust.config import Source
from tsclust.source.files.order import columns_of
from tsclust.source.identity import sameness, varying
from tsclust.source.layouts import Layout
from tsclust.source.long_rows import two_names
from tsclust.source.protocols import Rows, first_batch


def all_different(rows: Rows, schema: pa.Schema, name: str) -> bool:
    """Is every value of the column there once in the first rows?"""
    first = first_batch(rows, {name: schema.field(name).type})
    ids = first.column(0).drop_null() if first else pa.array([])
    return len(ids) > 1 and bool(pc.count_distinct(ids).as_py() == len(ids))


def same_in_series(rows: Rows, schema: pa.Schema, source: Source, found: Layout) -> tuple[str, ...]:
    """The columns of long rows that are the same in all rows of a series.

    Raises BadSeriesError where a column that names a machine or a sensor is not.
    """
    types = {name: schema.field(name).type for name in (*found.ids, *found.carry)}
    names = [name for name in found.carry if not pa.types.is_list(types[name])]  # Arrow cannot count different lists
    first = first_batch(rows, types)
    if first is None or not names:
        return tuple(names)
    every = pa.Table.from_batches([first])
    kept = tuple(name for name in names if _first_with_several(every, found.ids, name, "all") is None)
    same = sameness(found, {column.name: column for column in columns_of(rows, schema)}, source)
    for name in varying(same, found, kept):
        if (two := _first_with_several(every, found.ids, name, "only_valid")) is not None:
            raise two_names(two[0], name, two[1], same.apart(name) if same else "")
    return kept


def _first_with_several(
    table: pa.Table, ids: Sequence[str], name: str, mode: str
) -> tuple[str, tuple[object, object]] | None:
    """The first id that has several values of a column, and two of them. mode: "all" = a NULL is a value too."""
    if name in ids:
        return None
    counted = table.group_by(list(ids)).aggregate([(name, "count_distinct", pc.CountOptions(mode=mode))])
    several = counted.filter(pc.greater(counted[f"{name}_count_distinct"], 1)).slice(0, 1)
    if not several.num_rows:
        return None
    its = table
    for id_ in ids:
        its = its.filter(pc.equal(its[id_], several[id_][0]))
    values = its[name].unique().to_pylist()
    return "/".join(str(several[id_][0]) for id_ in ids), (values[0], values[-1])
