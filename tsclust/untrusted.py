"""Arrow streams and columns that anybody may have sent: what would grow when it is unpacked or decoded is refused.

A small message may claim to unpack to more than there is memory. An Arrow stream whose buffers are compressed states
that only buffer by buffer, and is refused; one text may stand for many rows, and values may take no space at all.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

LONGEST = 1_000  # bytes of an id, or of another text that stands for many rows
FEW = 10_000  # values that may take no space in a message: they take little anywhere
_VERSION, _HEADER_TYPE, _HEADER, _BODY_LENGTH = 0, 1, 2, 3  # of Arrow's Message.fbs
_RECORD_BATCH, _COMPRESSION, _V5 = 3, 3, 4
_DICTIONARY, _DATA = 2, 1  # a dictionary's values are a record batch of their own


class UnfitError(ValueError):
    """What is refused: why, and the next step."""

    def __init__(self, why: Literal["encoding", "large", "type"], problem: str, next_step: str) -> None:
        super().__init__(f"{problem}. {next_step}")
        self.why, self.problem, self.next_step = why, problem, next_step


def arrow_table(content: bytes, columns: Collection[str] | None, most_rows: int) -> pa.Table:
    """The table of an Arrow IPC stream. columns: those that are looked at, None for all. Raises UnfitError for what is
    refused, and what pyarrow and struct raise for what is none."""
    _refuse_encodings(content)
    batches: list[pa.RecordBatch] = []
    with pa.ipc.open_stream(content) as reader:
        for batch in reader:
            batches.append(batch)
            refuse_rows(sum(map(len, batches)), most_rows)
        table = valid(pa.Table.from_batches(batches, reader.schema))
    check(table, table.column_names if columns is None else columns, max(8 * len(content), FEW))  # a bit may be one
    if columns is None:
        _refuse_cells(table, max(len(content), FEW))
    else:
        _check_plain_texts(table, columns)
    return table


def valid(table: pa.Table) -> pa.Table:
    """Offsets that lead out of a buffer would be read all the same."""
    table.validate(full=True)
    return table


def refuse_rows(rows: int, most: int) -> None:
    """Raises UnfitError for more than `most`."""
    if rows > most:
        raise UnfitError("large", f"{rows:,} series: expected at most {most:,} together", "Send fewer at a time")


def text_names(schema: pa.Schema, columns: Sequence[str]) -> list[str]:
    """Those of the columns that are text. Raises UnfitError for text within lists or structs."""
    for name in columns:
        kind = schema.field(name).type
        if _has_text_inside(kind):
            raise UnfitError("type", f"column {name} is of type {kind}: expected numbers", "Cast it")
        if _is_spread(kind) or (pa.types.is_fixed_size_binary(kind) and kind.byte_width > LONGEST):
            raise _not_plain(name, kind)
    kinds = {name: schema.field(name).type for name in columns}
    return [name for name, kind in kinds.items() if _is_text(kind) and not pa.types.is_fixed_size_binary(kind)]


def check(table: pa.Table, columns: Collection[str], most_values: int) -> None:
    """Raises UnfitError for what would grow when it is decoded."""
    values = 0
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in columns:
            values += sum(_grown(name, chunk) for chunk in column.chunks)
    if values > most_values:
        raise UnfitError(
            "large", f"its lists and structs have {values:,} values: more than it can hold", "Send fewer at a time"
        )


def decoded(table: pa.Table, texts: Sequence[str]) -> pa.Table:
    """With these columns, which are dictionaries, as text."""
    for name in texts:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            table = table.set_column(table.column_names.index(name), name, column.cast(column.type.value_type))
    return table


def _grown(name: str, column: pa.Array) -> int:
    """Values in lists and in structs, those within them too."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _grown(name, column.storage)
    if pa.types.is_dictionary(kind):
        if not (_is_text(kind.value_type) or pa.types.is_primitive(kind.value_type)):
            raise _not_plain(name, kind)
        _check_texts(name, column.dictionary)
        return 0
    if _is_spread(kind):
        raise _not_plain(name, kind)
    if pa.types.is_struct(kind):
        return sum(len(column) + _grown(name, column.field(at)) for at in range(kind.num_fields))
    if pa.types.is_map(kind):
        return len(column.keys) + _grown(name, column.keys) + _grown(name, column.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return int(pc.sum(pc.list_value_length(column)).as_py() or 0) + _grown(name, column.values)
    return 0


def _not_plain(name: str, kind: pa.DataType) -> UnfitError:
    return UnfitError("type", f"column {name} is of type {str(kind)[:200]}: expected a plain one", "Cast it")


def _refuse_cells(table: pa.Table, most: int) -> None:
    """Columns of nulls take no space, and each of their rows does in Python."""
    if (cells := table.num_rows * table.num_columns) > most:
        problem = (
            f"it has {table.num_columns:,} columns in {table.num_rows:,} rows: {cells:,} values, and room for fewer"
        )
        raise UnfitError("large", problem, "Leave out columns that hold nothing")


def _check_plain_texts(table: pa.Table, columns: Collection[str]) -> None:
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in columns:
            for chunk in column.chunks:
                _check_texts(name, chunk)


def _check_texts(name: str, column: pa.Array) -> None:
    longest = (pc.max(pc.binary_length(column)).as_py() or 0) if _is_text(column.type) else 0
    if longest > LONGEST:
        problem = f"column {name} has a text of {longest:,} bytes: expected at most {LONGEST:,}"
        raise UnfitError("type", problem, "Cut it")


def _is_text(kind: pa.DataType) -> bool:
    return any(
        is_one(kind)
        for is_one in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_fixed_size_binary,
        )
    )


def _is_spread(kind: pa.DataType) -> bool:
    """Whether rows may share what they hold, or take no space."""
    of = pa.types
    views = of.is_string_view(kind) or of.is_binary_view(kind) or of.is_list_view(kind) or of.is_large_list_view(kind)
    return bool(views or of.is_run_end_encoded(kind) or of.is_union(kind))


def _has_text_inside(kind: pa.DataType) -> bool:
    inside = [kind.field(at).type for at in range(kind.num_fields)]
    return any(_is_text(one) or _has_text_inside(one) for one in inside)


def _refuse_encodings(content: bytes) -> None:
    for at in _messages(content):
        kind = _byte(content, at, _HEADER_TYPE)
        if kind not in (_RECORD_BATCH, _DICTIONARY):
            continue
        if _byte(content, at, _VERSION) < _V5:  # which may state in other places that its buffers are compressed
            problem = f"the Arrow stream is of metadata version V{_byte(content, at, _VERSION) + 1}: expected V5"
            raise UnfitError("encoding", problem, "Write it as Arrow 1.0 and later do")
        if _is_compressed(content, at, kind):
            problem = "the Arrow stream has compressed buffers: expected plain ones"
            raise UnfitError("encoding", problem, "Write it without compression")


def _is_compressed(content: bytes, message: int, kind: int) -> bool:
    header = _table(content, message, _HEADER)
    if kind == _DICTIONARY and header:
        header = _table(content, header, _DATA)
    return bool(header and _field(content, header, _COMPRESSION))


def _messages(content: bytes) -> Iterator[int]:
    """Where the root table of the metadata of each message begins."""
    at = 0
    while at + 8 <= len(content):
        marker, length = struct.unpack_from("<Ii", content, at)
        if marker != 0xFFFFFFFF:  # before Arrow 0.15 there was none
            length, at = marker, at - 4
        if length <= 0:
            return
        root = at + 8 + struct.unpack_from("<I", content, at + 8)[0]
        yield root
        body = _field(content, root, _BODY_LENGTH)
        size = struct.unpack_from("<q", content, body)[0] if body else 0
        if size < 0:
            return
        at += 8 + length + size


def _field(content: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffers table is, 0 where it has none."""
    vtable = table - struct.unpack_from("<i", content, table)[0]
    size = struct.unpack_from("<H", content, vtable)[0]
    at = 4 + 2 * number
    offset = struct.unpack_from("<H", content, vtable + at)[0] if at < size else 0
    return table + offset if offset else 0


def _byte(content: bytes, table: int, number: int) -> int:
    at = _field(content, table, number)
    return content[at] if at else 0


def _table(content: bytes, table: int, number: int) -> int:
    """Where the table that a field refers to is, 0 where there is none."""
    at = _field(content, table, number)
    return at + int(struct.unpack_from("<I", content, at)[0]) if at else 0
