"""Fill a PostgreSQL with the made mechanism: machine.cycles for the stages, truth.kinds for the score alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
import psycopg
import pyarrow as pa
from adbc_driver_postgresql import dbapi

from tsclust.engine.base import Listener, Progress, silent
from tsclust.errors import DemoServerError, DiskFullError
from tsclust.simulation import machines

TABLES = """
DROP SCHEMA IF EXISTS machine CASCADE;
DROP SCHEMA IF EXISTS truth CASCADE;
CREATE SCHEMA machine;
CREATE SCHEMA truth;
CREATE TABLE machine.cycles (
    series_id   bigint NOT NULL,
    machine_id  text NOT NULL,
    direction   text NOT NULL,
    recorded_at timestamptz NOT NULL,
    values      real[] NOT NULL
);
CREATE TABLE truth.kinds (series_id bigint NOT NULL, kind text NOT NULL);
"""
# After the rows: an index built once is cheaper than one kept up.
KEYS = """
ALTER TABLE machine.cycles ADD PRIMARY KEY (series_id);
ALTER TABLE truth.kinds ADD PRIMARY KEY (series_id);
"""


def fill(dsn: str, series: int, seed: int, listen: Listener = silent) -> bool:
    """Make `series` cycles and load them, in one transaction; False where these very cycles are there already."""
    made = f"tsclust demo: {series} cycles, seed {seed}, mechanism {machines.VERSION}"
    if _comment(dsn) == made:
        return False
    with _explained(), dbapi.connect(dsn) as connection, connection.cursor() as cursor:
        _run(cursor, TABLES)
        truth: list[pa.RecordBatch] = []
        batches = _with_progress(machines.make(series, seed), truth, series, listen)
        reader = pa.RecordBatchReader.from_batches(machines.SCHEMA, batches)
        cursor.adbc_ingest("cycles", reader, mode="append", db_schema_name="machine")
        kinds = pa.Table.from_batches(truth, machines.TRUTH_SCHEMA)
        cursor.adbc_ingest("kinds", kinds, mode="append", db_schema_name="truth")
        _run(cursor, f"{KEYS} COMMENT ON SCHEMA machine IS '{made}'")
        connection.commit()
    with psycopg.connect(dsn, autocommit=True) as plain:
        plain.execute("VACUUM (ANALYZE) machine.cycles")
    return True


def truth_of(dsn: str) -> pl.DataFrame:
    """series_id, kind ("normal", "impossible: ...", or a malfunction) of the cycles in the demo's database."""
    query = "SELECT series_id, kind FROM truth.kinds ORDER BY series_id"
    with dbapi.connect(dsn) as connection:  # any form of DSN: Polars alone takes URIs only
        return pl.read_database(query, connection)


@contextmanager
def _explained() -> Iterator[None]:
    """What can go wrong on the way to a server of our own: the disk is full, the server dies, Ctrl-C."""
    try:
        yield
    except dbapi.Error as error:
        if error.sqlstate == "57014":  # during a call ADBC takes Ctrl-C for itself and cancels the statement
            raise KeyboardInterrupt from None
        if error.sqlstate == "53100":
            raise DiskFullError("PostgreSQL has no space left for the demo's data", "Use fewer --series") from None
        raise DemoServerError(f"filling PostgreSQL failed: {error}", "Run the same command again") from None


def _run(cursor: dbapi.Cursor, script: str) -> None:
    """Statements one by one: ADBC prepares each, and a prepared statement is one."""
    for statement in filter(str.strip, script.split(";")):
        cursor.execute(statement)


def _with_progress(
    made: Iterator[tuple[pa.RecordBatch, pa.RecordBatch]], truth: list[pa.RecordBatch], series: int, listen: Listener
) -> Iterator[pa.RecordBatch]:
    """The series batches one by one; their truth is put aside, the listener told."""
    done = 0
    for batch, kinds in made:
        truth.append(kinds)
        yield batch
        done += len(batch)
        listen(Progress("demo: filling PostgreSQL", done, series))


def _comment(dsn: str) -> str | None:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT obj_description(to_regnamespace('machine'), 'pg_namespace')").fetchone()
    return None if row is None else row[0]
