"""COPY ... TO STDOUT (FORMAT binary) -> Arrow batches: the fastest way to arrays, and errors keep their SQLSTATE.

The driver hands over a row at a time, so this is for rows that hold a whole series. It is spoken to by its documented
libpq layer, psycopg.pq: a chunk costs one wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from psycopg import sql
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import Wait

from tsclust.arrays import Int64s
from tsclust.errors import BadSeriesError
from tsclust.source.postgres import kernels
from tsclust.source.postgres.kernels import Bytes
from tsclust.source.postgres.session import Connection

CHUNK = 2**20  # bytes decoded at a time
_HEADER = len(b"PGCOPY\n\xff\r\n\x00") + 8  # flags and the length of an extension, which no server sends
Bools = npt.NDArray[np.bool_]
_EPOCH_DAYS = 10_957  # 1970-01-01 to 2000-01-01, where PostgreSQL counts from
_EPOCH_US = _EPOCH_DAYS * 86_400_000_000


class DimensionsError(BadSeriesError):
    """Values are an array of arrays."""


def batches(connection: Connection, query: sql.Composed, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of `query`, whose columns have the types of `schema`, about 1 MB at a time.

    Raises BadSeriesError where values have more than one dimension or text is not UTF-8; psycopg's errors as they are.
    A connection whose batches were not all taken is in the middle of a COPY: close it.
    """
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query).as_bytes(connection)
    connection.wait(_started(connection.pgconn, statement))
    rest, header, more = np.empty(0, np.uint8), _HEADER, True
    while more:
        chunk, more = connection.wait(_chunk(connection.pgconn))
        data = np.frombuffer(chunk, np.uint8)[header:]
        data = np.concatenate([rest, data]) if len(rest) else data  # servers send whole rows, the protocol need not
        starts, lengths, used = kernels.fields(data, len(schema), len(data) // (2 + 4 * len(schema)))
        rest, header = data[used:].copy(), 0
        if starts.shape[1]:
            yield decoded(data, starts, lengths, schema)
    connection.wait(_ended(connection.pgconn))


def compile_for(schema: pa.Schema) -> None:
    """Let numba compile what decodes these columns: seconds the first time, then it comes from its cache."""
    data, none = np.empty(0, np.uint8), np.empty((len(schema), 0), np.int64)
    kernels.fields(data, len(schema), 0)
    decoded(data, none, none, schema)


def decoded(data: Bytes, starts: Int64s, lengths: Int64s, schema: pa.Schema) -> pa.RecordBatch:
    """A batch of the fields that begin at starts (columns, rows) of data; a length of -1 is NULL."""
    columns: list[Any] = [_column(data, s, n, f.type) for s, n, f in zip(starts, lengths, schema, strict=True)]
    if columns[-1] is None:
        sizes = _sizes(data, starts[-1], lengths[-1])
        raise DimensionsError(
            f"series {columns[0][int(np.argmin(sizes))]}: its values are an array of several dimensions,"
            " expected one list of numbers",
            "Pick one column of it in a query, for example ARRAY(SELECT unnest(c[:][2:2])) of the column c, or exclude"
            " such series with --where",
        )
    return pa.record_batch(columns, schema=schema)


def _started(connection: PGconn, statement: bytes) -> PQGen[None]:
    """Send a COPY and wait until rows can come."""
    connection.send_query(statement)
    while connection.flush():
        yield Wait.W
    result = yield from _result(connection)
    if result.status != ExecStatus.COPY_OUT:
        raise error_from_result(result)


def _chunk(connection: PGconn) -> PQGen[tuple[bytes, bool]]:
    """(CHUNK bytes of rows or a row more, are there more?). psycopg's own Copy takes a generator for each row."""
    rows: list[memoryview] = []
    size, length, dry = 0, 1, False
    while size < CHUNK and length >= 0:
        length, row = connection.get_copy_data(1)
        if length > 0:
            rows.append(row)
            size, dry = size + length, False
        elif length == 0:
            if dry:  # libpq takes 16 KB at a time: mostly there is more, and a wait costs more than a look
                yield Wait.R
            connection.consume_input()
            dry = True
    return b"".join(rows), length >= 0


def _ended(connection: PGconn) -> PQGen[None]:
    """Take what the server says at the end of a COPY: an error, or that all rows came."""
    while (result := (yield from _result(connection))) is not None:
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)


def _result(connection: PGconn) -> PQGen[Any]:
    while connection.is_busy():
        yield Wait.R
        connection.consume_input()
    return connection.get_result()


def _column(data: Bytes, starts: Int64s, lengths: Int64s, type_: pa.DataType) -> pa.Array | None:
    """The Arrow array of one column; None where an array has several dimensions."""
    if pa.types.is_list(type_):
        return _lists(data, starts, lengths, type_)
    if pa.types.is_string(type_):
        return _texts(data, starts, lengths)
    width = 1 if pa.types.is_boolean(type_) else type_.bit_width // 8
    return _typed(_bytes(data, starts, width), lengths < 0, type_)


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


def _lists(data: Bytes, starts: Int64s, lengths: Int64s, type_: pa.DataType) -> pa.Array | None:
    sizes = _sizes(data, starts, lengths)
    if sizes.min(initial=0) < 0:
        return None
    offsets, single = _offsets(sizes), pa.types.is_float32(type_.value_type)
    out = np.zeros(offsets[-1], np.uint32 if single else np.uint64)
    missing = np.zeros(offsets[-1], np.uint8)
    nulls = (kernels.floats if single else kernels.doubles)(data, starts, offsets, out, missing)
    buffers = [_valid(missing != 0) if nulls else None, pa.py_buffer(out)]
    flat = pa.Array.from_buffers(type_.value_type, len(out), buffers)
    null = lengths < 0
    return pa.ListArray.from_buffers(
        type_, len(starts), [_valid(null), pa.py_buffer(offsets)], int(null.sum()), children=[flat]
    )


def _offsets(sizes: Int64s) -> np.ndarray:
    offsets = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def _valid(null: Bools) -> pa.Buffer | None:
    """The validity bitmap, None where nothing is NULL."""
    return pa.py_buffer(np.packbits(~null, bitorder="little")) if null.any() else None
