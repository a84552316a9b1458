"""Messages of a binary COPY -> Arrow batches. Nothing in them is believed before it fits what must be there.

A proxy, a bad cable or a stranger may have changed any byte. What the form of the stream shows is refused here: header,
columns, lengths, types, counts, the end mark, the number of rows. A value that became another value of its type cannot
be seen: only TLS protects those (docs/sources.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tsclust.arrays import Bools, Int64s
from tsclust.errors import BadSeriesError
from tsclust.source.postgres import kernels
from tsclust.source.postgres.kernels import Bytes, Fault
from tsclust.source.postgres.session import DamagedStreamError

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)  # no flags, no extension: no server sends any
_TRAILER = b"\xff\xff"
_MESSAGE = 2**30  # bytes: no server sends a longer one
_EPOCH_DAYS = 10_957  # 1970-01-01 to 2000-01-01, where PostgreSQL counts from
_EPOCH_US = _EPOCH_DAYS * 86_400_000_000
_FAULTS = {
    kernels.NO_ROW: "it has {found} bytes, expected at least {expected}",
    kernels.COLUMNS: "it has {found} columns, expected {expected}",
    kernels.WIDTH: "{column} has {found} bytes, expected {expected}",
    kernels.TOO_LONG: "{column} has {found} bytes, expected at most the {expected} that follow in the row",
    kernels.TOO_SHORT: "{found} bytes are left for {column}, expected {expected}",
    kernels.BOOLEAN: "{column} is a boolean of {found}, expected 0 or 1",
    kernels.DIMENSIONS: "{column} is an array of {found} dimensions, expected 0 to {expected}",
    kernels.NULL_FLAG: "{column} is an array whose flag for NULLs is {found}, expected 0 or 1",
    kernels.ELEMENT_TYPE: "{column} is an array of type {found}, expected {expected}",
    kernels.ELEMENTS: "{column} is an array of {found} elements, expected at most {expected} in its bytes",
    kernels.ARRAY_LENGTH: "{column} is an array of {found} bytes, expected {expected} by its elements",
    kernels.ELEMENT_LENGTH: "{column} has an element of {found} bytes, expected {expected}, or -1 for NULL",
}


class DimensionsError(BadSeriesError):
    """Values are an array of arrays."""


class CopyRows:
    """The rows of one COPY whose columns have the types of a schema: `batch` all messages in order, then `finish`."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema, self._kinds = schema, np.array([_kind(f.type) for f in schema], np.int64)
        self._rows, self._begun, self._ended = 0, False, False

    def batch(self, messages: Sequence[bytes | memoryview]) -> pa.RecordBatch | None:
        """The rows of the next messages, None where there are none. Servers send a row a message.

        Raises DamagedStreamError, and BadSeriesError where an array has several dimensions or text is not UTF-8.
        """
        if not messages:
            return None
        data = np.frombuffer(b"".join(messages), np.uint8)
        ends = np.cumsum(np.fromiter(map(len, messages), np.int64, len(messages)))
        data, ends = self._without_trailer(*self._without_header(data, ends))
        if not len(ends):
            return None
        starts, lengths, row, fault = kernels.fields(data, ends, self._kinds)
        self._refuse(row, fault)
        batch = self._decoded(data, starts, lengths)
        self._rows += len(ends)
        return batch

    def finish(self, rows: int | None) -> None:
        """The COPY is over, and `rows` were sent by the server's own count. Raises DamagedStreamError."""
        if not self._ended:
            raise DamagedStreamError(f"the stream ends after row {self._rows} without its end mark, expected one")
        if rows != self._rows:
            raise DamagedStreamError(f"{self._rows} rows came, expected {rows} by the server's count")

    def _without_header(self, data: Bytes, ends: Int64s) -> tuple[Bytes, Int64s]:
        """The same without the header of the stream, which comes with the first message."""
        if int(np.diff(ends, prepend=0).max()) > _MESSAGE:
            raise DamagedStreamError(f"a message is longer than {_MESSAGE} bytes, expected a row of at most that")
        if self._begun:
            return data, ends
        header = data[: min(len(_HEADER), int(ends[0]))].tobytes()
        if header != _HEADER:
            raise DamagedStreamError(f"the stream begins with {header.hex()}, expected the header {_HEADER.hex()}")
        self._begun, ends = True, ends - len(_HEADER)
        return data[len(_HEADER) :], ends if ends[0] else ends[1:]

    def _without_trailer(self, data: Bytes, ends: Int64s) -> tuple[Bytes, Int64s]:
        """The same without the message that ends all rows; nothing may come behind it."""
        if self._ended and len(ends):
            raise DamagedStreamError(f"{ends[-1]} bytes come behind the end mark, expected none")
        last = data[ends[-2] if len(ends) > 1 else 0 :].tobytes() if len(ends) else b""
        self._ended = last == _TRAILER
        return data, ends[:-1] if self._ended else ends

    def _refuse(self, row: int, fault: Fault) -> None:
        """Raises DamagedStreamError where a kernel found a fault in a row of this batch."""
        what, column, found, expected = fault
        if what != kernels.NONE:
            name = f"column {self._schema.names[column]}" if column < len(self._schema) else "the end of the row"
            why = _FAULTS[what].format(column=name, found=found, expected=expected)
            raise DamagedStreamError(f"row {self._rows + row + 1} of the stream is damaged: {why}")

    def _decoded(self, data: Bytes, starts: Int64s, lengths: Int64s) -> pa.RecordBatch:
        """A batch of the fields that begin at starts (columns, rows) of data; a length of -1 is NULL."""
        columns: list[Any] = [self._column(data, starts, lengths, i) for i in range(len(self._schema))]
        if columns[-1] is None:
            sizes = _sizes(data, starts[-1], lengths[-1])
            raise DimensionsError(
                f"series {columns[0][int(np.argmin(sizes))]}: its values are an array of several dimensions,"
                " expected one list of numbers",
                "Pick one column of it in a query, for example ARRAY(SELECT unnest(c[:][2:2])) of the column c, or"
                " exclude such series with --where",
            )
        return pa.record_batch(columns, schema=self._schema)

    def _column(self, data: Bytes, starts: Int64s, lengths: Int64s, number: int) -> pa.Array | None:
        """The Arrow array of one column; None where an array has several dimensions."""
        type_, kind = self._schema.field(number).type, int(self._kinds[number])
        if kind < 0:
            return self._lists(data, starts[number], lengths[number], number)
        if kind == kernels.TEXT:
            texts = _texts(data, starts[number], lengths[number])
            return texts if pa.types.is_string(type_) else _numbers(texts, type_)
        return _typed(_bytes(data, starts[number], kind), lengths[number] < 0, type_)

    def _lists(self, data: Bytes, starts: Int64s, lengths: Int64s, number: int) -> pa.Array | None:
        type_, single = self._schema.field(number).type, self._kinds[number] == kernels.FLOAT4S
        sizes = _sizes(data, starts, lengths)
        if sizes.min(initial=0) < 0:
            return None
        offsets = _offsets(sizes)
        out = np.zeros(offsets[-1], np.uint32 if single else np.uint64)
        missing = np.zeros(offsets[-1], np.uint8)
        decode = kernels.floats if single else kernels.doubles
        nulls, row, (what, _, found, expected) = decode(data, starts, lengths, offsets, out, missing)
        self._refuse(row, (what, number, found, expected))
        buffers = [_valid(missing != 0) if nulls else None, pa.py_buffer(out)]
        flat = pa.Array.from_buffers(type_.value_type, len(out), buffers)
        null = lengths < 0
        return pa.ListArray.from_buffers(
            type_, len(starts), [_valid(null), pa.py_buffer(offsets)], int(null.sum()), children=[flat]
        )


def compile_for(schema: pa.Schema) -> None:
    """Let numba compile what decodes these columns: seconds the first time, then it comes from its cache."""
    rows, none = CopyRows(schema), np.empty(0, np.int64)
    data, fields = np.frombuffer(b"", np.uint8), kernels.fields(np.frombuffer(b"", np.uint8), none, rows._kinds)
    rows._decoded(data, *fields[:2])


def _kind(type_: pa.DataType) -> int:
    """What the kernels call a column of this type."""
    if pa.types.is_list(type_):
        return kernels.FLOAT4S if pa.types.is_float32(type_.value_type) else kernels.FLOAT8S
    if pa.types.is_string(type_) or pa.types.is_decimal(type_):
        return kernels.TEXT
    return 1 if pa.types.is_boolean(type_) else type_.bit_width // 8


def _bytes(data: Bytes, starts: Int64s, width: int) -> Bytes:
    """(rows, width): the bytes from each start on, turned to little-endian. What a NULL gets means nothing."""
    backwards = np.arange(width - 1, -1, -1)
    return np.take(data, starts[:, None] + backwards, mode="clip")


def _sizes(data: Bytes, starts: Int64s, lengths: Int64s) -> Int64s:
    """(rows,) the number of elements of each array: 0 for NULL and empty ones, -1 for one of several dimensions."""
    dimensions, first = (_bytes(data, starts + at, 4).view(np.int32)[:, 0] for at in (0, 12))
    sizes = np.where(dimensions == 1, first, np.where(dimensions > 1, -1, 0))
    return np.where(lengths < 0, 0, sizes).astype(np.int64)


def _typed(raw: Bytes, null: Bools, type_: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(type_):
        return pa.array(raw[:, 0].astype(bool), mask=null)
    flat: npt.NDArray[Any] = raw.reshape(-1)
    if pa.types.is_date(type_):
        flat = flat.view(np.int32) + np.int32(_EPOCH_DAYS)
    elif pa.types.is_timestamp(type_):
        flat = flat.view(np.int64) + _EPOCH_US
    return pa.Array.from_buffers(type_, len(raw), [_valid(null), pa.py_buffer(flat)])


def _texts(data: Bytes, starts: Int64s, lengths: Int64s) -> pa.Array:
    offsets = _offsets(np.maximum(lengths, 0))
    out = np.empty(offsets[-1], np.uint8)
    kernels.texts(data, starts, lengths, offsets, out)
    null = lengths < 0
    array = pa.StringArray.from_buffers(
        len(starts), pa.py_buffer(offsets), pa.py_buffer(out), _valid(null), int(null.sum())
    )
    try:
        array.validate(full=True)  # a database without an encoding sends any bytes
    except pa.ArrowInvalid as error:
        raise BadSeriesError(
            f"a text is not UTF-8 ({error})",
            "Remove the column from source.carry, or repair it in a query: convert_from(c::bytea, 'LATIN1') AS c",
        ) from None
    return array


def _numbers(texts: pa.Array, type_: pa.DataType) -> pa.Array:
    """Numbers that came as text, for all their digits."""
    try:
        return texts.cast(type_)
    except pa.ArrowInvalid as error:
        raise DamagedStreamError(f"a number cannot be read: {error}") from None


def _offsets(sizes: Int64s) -> np.ndarray:
    offsets = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def _valid(null: Bools) -> pa.Buffer | None:
    """The validity bitmap, None where nothing is NULL."""
    return pa.py_buffer(np.packbits(~null, bitorder="little")) if null.any() else None
