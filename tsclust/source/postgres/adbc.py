"""ADBC: rows of single values as Arrow batches, where a Python step per row would be too slow.

Imported only where it is needed: its driver manager loads polars (or pandas), 40 MB that arrays do without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import psycopg
import pyarrow as pa
from adbc_driver_postgresql import dbapi
from psycopg import errors
from psycopg.conninfo import make_conninfo

from tsclust.source.postgres.session import (
    BEGIN,
    SETTINGS,
    Connection,
    DamagedStreamError,
    params_of,
    reached,
    refused,
    set_snapshot,
    snapshot_gone,
    translate,
)


def batches(
    dsn: str, holder: Connection, snapshot: str, query: str, schema: pa.Schema, label: str
) -> Iterator[pa.RecordBatch]:
    """The rows of `query` with the types of `schema`, on the holder's snapshot. Errors are those of `session`."""
    with closing(join_snapshot(dsn, holder, snapshot)) as connection, connection.cursor() as cursor:
        try:
            _execute(cursor, query)
            for batch in _readable(cursor.fetch_record_batch(), label):
                yield batch.cast(schema)
        except dbapi.Error as error:
            raise translate(_class_of(error.sqlstate), label, _first_line(str(error))) from error
        except OSError as error:  # amid the rows, where the driver keeps no SQLSTATE
            kind = errors.DatabaseError if _is_there(connection) else errors.OperationalError
            raise translate(kind, label, _first_line(str(error))) from error


def _readable(batches: Iterator[pa.RecordBatch], label: str) -> Iterator[pa.RecordBatch]:
    """The batches. Raises DamagedStreamError where the driver finds that rows have not the form of rows."""
    try:
        yield from batches
    except pa.ArrowInvalid as error:
        raise DamagedStreamError(f"{label}: a row of the stream is damaged: {_first_line(str(error))}") from error


def _execute(cursor: dbapi.Cursor, query: str) -> None:
    """Run the query in a thread: in the main one the driver takes Ctrl-C for itself, asks the server to cancel, and
    waits with it where the server stalls."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(cursor.execute, query)
        try:
            running.result()
        except KeyboardInterrupt:
            with suppress(dbapi.Error):
                cursor.adbc_cancel()
            raise


def _is_there(connection: dbapi.Connection) -> bool:
    """Does the server still answer, if only that the transaction failed? Then it was the query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except dbapi.Error as error:
        return bool(error.sqlstate == errors.InFailedSqlTransaction.sqlstate)
    return True


def join_snapshot(dsn: str, holder: Connection, snapshot: str) -> dbapi.Connection:
    """`session.join_snapshot` for Arrow."""
    params = params_of(dsn) | reached(holder)
    try:
        connection = dbapi.connect(make_conninfo("", **params), autocommit=True)
    except dbapi.Error as error:
        raise refused(_first_line(str(error)), params) from None
    try:
        with connection.cursor() as cursor:
            _execute(cursor, BEGIN)
            try:
                _execute(cursor, set_snapshot(snapshot).as_string())
            except dbapi.Error as error:
                raise snapshot_gone(snapshot, _first_line(str(error))) from error
            _execute(cursor, SETTINGS)
            cursor.fetchall()
    except dbapi.Error as error:
        connection.close()
        raise translate(_class_of(error.sqlstate), "the server", _first_line(str(error))) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _class_of(sqlstate: str | None) -> type[psycopg.Error]:
    try:
        return errors.lookup(sqlstate or "")
    except KeyError:
        return errors.DatabaseError if sqlstate else errors.OperationalError


def _first_line(told: str) -> str:
    """What the server said in an ADBC message, without the driver's words before and the whole query behind."""
    line = told.strip().splitlines()[0] if told.strip() else "no reason given"
    return re.sub(
        r"^(?:[A-Z_]+: )?(?:\[libpq\] )?(?:Failed to [^:]*: |Execution error \[\w+\]: )?(?:[A-Z]+: +)?", "", line
    )
