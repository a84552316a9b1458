"""An Arrow table of series, as a caller has it -> a block of series."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from tsclust.errors import BadSeriesError, SettingsError
from tsclust.series import ID, VALUES, SeriesBlock, nameless


def block_of(table: pa.Table, carried: Sequence[str]) -> SeriesBlock:
    """The series of a table with series_id, values and these carried columns.

    Raises SettingsError for a column that is missing, there twice or not of its type, BadSeriesError for a series
    without an id.
    """
    check_names(table.column_names, (ID, VALUES, *carried))
    ids = _cast(table, ID, _type_of_id(table.schema.field(ID).type))
    if missing := int(nameless(ids).sum()):
        raise BadSeriesError(f"{missing:,} series have no {ID}", "Give every series an id")
    values = _cast(table, VALUES, _type_of_values(table.schema.field(VALUES).type))
    return SeriesBlock.from_arrow(pa.table({ID: ids, VALUES: values}))


def ids_of(table: pa.Table) -> pa.Array:
    """(n,) series_id as integers or text, null where there is none. Raises SettingsError for another type."""
    ids = _cast(table, ID, _type_of_id(table.schema.field(ID).type)).combine_chunks()
    return ids.chunk(0) if isinstance(ids, pa.ChunkedArray) else ids


def check_names(there: Sequence[str], needed: Sequence[str]) -> None:
    """Raises SettingsError for a column that is missing or there twice."""
    if missing := next((name for name in needed if name not in there), None):
        has = f"they have: {', '.join(there)[:200]}" if there else "they have no columns"
        raise SettingsError(
            f"the series have no column {missing!r}, which the model needs ({has})",
            "Add it to the table, or name a source that has it",
        )
    if twice := next((name for name in needed if there.count(name) > 1), None):
        raise SettingsError(
            f"the series have {there.count(twice)} columns {twice!r}: expected one", "Rename the others"
        )


def _cast(table: pa.Table, name: str, to: pa.DataType) -> pa.ChunkedArray:
    column = table[name]
    if column.type == to:
        return column
    try:
        return column.cast(to)
    except pa.ArrowException as error:
        raise SettingsError(f"column {name}: {error}", f"Expected {to}") from None


def _type_of_id(given: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(given):
        return pa.int64()
    if pa.types.is_string(given) or pa.types.is_large_string(given) or pa.types.is_string_view(given):
        return pa.string()
    if pa.types.is_null(given):  # a column of nothing: what is wrong is that no series has an id
        return pa.string()
    raise SettingsError(f"column {ID} is of type {given}: expected integers or text", "Cast it")


def _type_of_values(given: pa.DataType) -> pa.DataType:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    inner = given.value_type if any(is_(given) for is_ in lists) else given
    if inner is given or not (pa.types.is_floating(inner) or pa.types.is_integer(inner) or pa.types.is_null(inner)):
        raise SettingsError(f"column {VALUES} is of type {given}: expected a list of numbers", "Cast it")
    single = pa.types.is_float32(inner) or pa.types.is_float16(inner)
    return given if given in (pa.list_(pa.float64()), pa.list_(pa.float32())) else _list_of(single)


def _list_of(single: bool) -> pa.DataType:
    return pa.list_(pa.float32() if single else pa.float64())
