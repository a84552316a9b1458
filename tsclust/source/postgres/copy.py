"""COPY ... TO STDOUT (FORMAT binary) -> Arrow batches: the fastest way to arrays, and errors keep their SQLSTATE.

The driver hands over a row at a time, so this is for rows that hold a whole series. It is spoken to by its documented
libpq layer, psycopg.pq: a chunk costs one wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from psycopg import sql
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import Wait

from tsclust.source.postgres.copy_rows import CopyRows
from tsclust.source.postgres.session import Connection, DamagedStreamError

CHUNK = 2**20  # bytes decoded at a time


def batches(connection: Connection, query: sql.Composed, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of `query`, whose columns have the types of `schema`, about 1 MB at a time.

    Raises BadSeriesError where values have more than one dimension or text is not UTF-8, DamagedStreamError where what
    comes is not what a server sends; psycopg's errors as they are. That a stream was whole is known when this ends.
    A connection whose batches were not all taken is in the middle of a COPY: close it.
    """
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query).as_bytes(connection)
    connection.wait(_started(connection.pgconn, statement, len(schema)))
    rows, more = CopyRows(schema), True
    while more:
        messages, more = connection.wait(_chunk(connection.pgconn))
        if batch := rows.batch(messages):
            yield batch
    rows.finish(connection.wait(_ended(connection.pgconn)))


def _started(connection: PGconn, statement: bytes, columns: int) -> PQGen[None]:
    """Send a COPY and wait until its rows can come; `columns` is how many columns they have."""
    connection.send_query(statement)
    while connection.flush():
        yield Wait.W
    result = yield from _result(connection)
    if result.status != ExecStatus.COPY_OUT:
        raise error_from_result(result)
    if (result.nfields, result.binary_tuples) != (columns, 1):
        form = "binary" if result.binary_tuples else "text"
        raise DamagedStreamError(f"a COPY of {result.nfields} columns in {form} begins, expected {columns} in binary")


def _chunk(connection: PGconn) -> PQGen[tuple[list[memoryview], bool]]:
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
    return rows, length >= 0


def _ended(connection: PGconn) -> PQGen[int | None]:
    """What the server says at the end of a COPY: an error, or how many rows it sent."""
    sent = None
    while (result := (yield from _result(connection))) is not None:
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
        sent = result.command_tuples
    return sent


def _result(connection: PGconn) -> PQGen[Any]:
    while connection.is_busy():
        yield Wait.R
        connection.consume_input()
    return connection.get_result()
