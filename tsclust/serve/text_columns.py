"""Texts and lists of a body that are short while they are packed: one text for many rows, values that take no space."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tsclust.serve.problems import Refusal

LONGEST = 1_000  # bytes of an id, or of another text


def names(schema: pa.Schema, columns: Sequence[str]) -> list[str]:
    """Those of the columns that are text. Raises Refusal for text within lists or structs."""
    for name in columns:
        if _has_text_inside(schema.field(name).type):
            raise Refusal(422, f"column {name} is of type {schema.field(name).type}: expected numbers", "Cast it")
    return [name for name in columns if _is_text(schema.field(name).type)]


def check(table: pa.Table, columns: Collection[str], most_values: int) -> None:
    """Raises Refusal for what would grow when it is decoded."""
    values = 0
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in columns:
            _check_texts(name, column)
            values += _values(column)
    if values > most_values:
        raise Refusal(413, f"the lists have {values:,} values: more than the body can hold", "Send fewer at a time")


def decoded(table: pa.Table, texts: Sequence[str]) -> pa.Table:
    """With these columns, which are dictionaries, as text."""
    for name in texts:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            table = table.set_column(table.column_names.index(name), name, column.cast(column.type.value_type))
    return table


def _check_texts(name: str, column: pa.ChunkedArray) -> None:
    kind = column.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind) or pa.types.is_run_end_encoded(kind):
        raise Refusal(422, f"column {name} is of type {kind}: expected a plain one", "Cast it")
    chunks = [one.dictionary if pa.types.is_dictionary(kind) else one for one in column.chunks]
    longest = max((pc.max(pc.binary_length(one)).as_py() or 0 for one in chunks if _is_text(one.type)), default=0)
    if longest > LONGEST:
        raise Refusal(422, f"column {name} has a text of {longest:,} bytes: expected at most {LONGEST:,}", "Cut it")


def _values(column: pa.ChunkedArray) -> int:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return int(pc.sum(pc.list_value_length(column)).as_py() or 0)
    return 0


def _is_text(kind: pa.DataType) -> bool:
    return any(
        is_one(kind)
        for is_one in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )


def _has_text_inside(kind: pa.DataType) -> bool:
    inside = [kind.field(at).type for at in range(kind.num_fields)]
    return any(_is_text(one) or _has_text_inside(one) for one in inside)
