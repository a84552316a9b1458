"""The carried columns that a model uses, by their types: of another type, the same column gives other keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from polars.exceptions import PanicException, PolarsError
from pyarrow import types

from tsclust.errors import SettingsError

# Within a family a cast may keep all that there is; to another one it makes 1 of true, or an hour of a number.
FAMILIES = {
    "text": (types.is_string, types.is_large_string, types.is_string_view),
    "numbers": (types.is_integer, types.is_floating, types.is_decimal128),
    "true or false": (types.is_boolean,),
    "times": (lambda kind: types.is_timestamp(kind) and kind.tz is None,),
    "times in a zone": (lambda kind: types.is_timestamp(kind) and kind.tz is not None,),
    "dates": (types.is_date,),
    "times of day": (types.is_time,),
    "durations": (types.is_duration,),
    "bytes": (types.is_binary, types.is_large_binary),
    "nothing": (types.is_null,),
}
_ZONED = re.compile(r"timestamp\[(s|ms|us|ns), tz=(.+)\]")
_DECIMAL = re.compile(r"decimal128\((\d+), (-?\d+)\)")


def names_of(schema: pa.Schema, columns: Iterable[str]) -> dict[str, str]:
    """Column -> its type as text, of those of these columns that there are; a dictionary's is that of its values."""
    kinds = {name: schema.field(name).type for name in columns if name in schema.names}
    return {name: str(kind.value_type if types.is_dictionary(kind) else kind) for name, kind in kinds.items()}


def as_trained(table: pa.Table, columns: Iterable[str], trained: Mapping[str, str]) -> pl.DataFrame:
    """These columns of a table as they were in training. trained: column -> type as text, where it is known.

    Raises SettingsError for a column of which a cast would not keep all that there is.
    """
    cast = {name: _as_trained(name, table[name], type_named(trained.get(name, "null"))) for name in columns}
    try:
        return pl.DataFrame(pa.table(cast))
    except (PolarsError, PanicException, pa.ArrowException, ValueError, TypeError) as error:
        of = ", ".join(f"{name} ({column.type})" for name, column in cast.items())
        raise SettingsError(f"a carried column cannot be read: {of}: {error}"[:500], "Cast it") from None


def _as_trained(name: str, column: pa.ChunkedArray, to: pa.DataType) -> pa.ChunkedArray:
    column = _decoded(column)
    if column.type == to:
        return column
    if types.is_null(to):
        return _of_a_family(name, column)
    known = column if types.is_floating(to) else _without_nan(column)
    if types.is_null(column.type) or 0 < len(known) == known.null_count:
        return pa.chunked_array([pa.nulls(len(known), to)])
    if _family(column.type) != _family(to) and not _ids(column.type, to):
        raise _other(name, column.type, to)
    return _cast(name, known, to)


def _of_a_family(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of which no type is known: a model of before types were kept, or one that had no value in training."""
    if _family(column.type) is None:
        raise SettingsError(
            f"column {name} is of type {str(column.type)[:200]}: expected text, numbers or times",
            "Cast it to what it was in training",
        )
    return column


def _cast(name: str, column: pa.ChunkedArray, to: pa.DataType) -> pa.ChunkedArray:
    try:
        cast = column.cast(to)
        lost = not _without_nan(cast.cast(column.type)).equals(_without_nan(column))
    except pa.ArrowException as error:
        raise _other(name, column.type, to, f" ({error})") from None
    if lost:
        raise _other(name, column.type, to, " (it has more digits)")
    return cast


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not types.is_dictionary(column.type):
        return column
    return pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], column.type.value_type)


def _without_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """With null for it: pandas has no other missing number."""
    if not types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def _family(kind: pa.DataType) -> str | None:
    return next((name for name, members in FAMILIES.items() if any(is_(kind) for is_ in members)), None)


def _ids(found: pa.DataType, to: pa.DataType) -> bool:
    """Whether these are whole numbers and text: a CSV of machine ids is read as either, and 7 is "7" and back."""
    whole, text = map(types.is_integer, (found, to)), ("text" in (_family(found), _family(to)))
    return any(whole) and text


def type_named(text: str) -> pa.DataType:
    """The type that `names_of` calls so; null for one that has no family."""
    try:
        if zoned := _ZONED.fullmatch(text):
            return pa.timestamp(zoned[1], zoned[2])
        if decimal := _DECIMAL.fullmatch(text):
            return pa.decimal128(int(decimal[1]), int(decimal[2]))
        return pa.type_for_alias(text)
    except ValueError:
        return pa.null()


def _other(name: str, found: pa.DataType, to: pa.DataType, why: str = "") -> SettingsError:
    return SettingsError(
        f"column {name} is of type {str(found)[:200]}: the model was trained on {to}{why}", f"Cast it to {to}"
    )
