"""Connections that only read, all on one snapshot, and what a server's refusals mean for the user."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import Wait

from tsclust.errors import BadSeriesError, ConnectError, QueryError, SourceLostError, TsclustError
from tsclust.source.table import near

Connection = psycopg.Connection[tuple[Any, ...]]

ANSWER = 10.0  # seconds that a server may take to begin a transaction
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# For the transaction: a slow disk here must not end a statement there, and text must not depend on who asks.
SETTINGS = """
    SELECT set_config(name, wanted, true) FROM pg_settings JOIN (VALUES
      ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'),
      ('work_mem', '64MB'), ('synchronize_seqscans', 'off'), ('extra_float_digits', '1'), ('bytea_output', 'hex'),
      ('DateStyle', 'ISO'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'), ('lc_monetary', 'C')
    ) AS ours(name, wanted) USING (name)"""
# For what the DSN leaves open. A connection through a firewall dies unnoticed without keepalives.
_DEFAULTS = {
    "fallback_application_name": "tsclust",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "6",
    "connect_timeout": "20",
}

_CHECK_SERVER = "Check that the server runs and that TSCLUST_DSN (or PGHOST, PGPORT, PGSERVICE) points to it"
# libpq gives no SQLSTATE for a connection that fails, and servers speak many languages: only hints hang on these words.
_WHY_REFUSED = (
    ("pg_hba.conf", "Ask the administrator to allow this user, database and address in pg_hba.conf"),
    ("too many", "Lower source.workers, or try again later"),
    ("slots", "Lower source.workers, or try again later"),
    ("password", "Check the user and the password (TSCLUST_DSN, PGPASSWORD or ~/.pgpass)"),
    ("database", "Name one of the server's databases (psql -l lists them)"),
    ("role", "Check the user's name"),
    ("resolve", "Check the host's name"),
)

_ASK_AGAIN = "Check the server and the network, then run tsclust extract again"
_CHANGED = (
    "Something between the server and here changed the data: check the network, or connect with sslmode=verify-full;"
    " then run tsclust extract again"
)
_MEND_QUERY = "Correct [source] in tsclust.toml; run the query in psql to see more"
# The first class that fits. psycopg has one for every SQLSTATE, under the classes of PEP 249.
Meanings = tuple[tuple[tuple[type[psycopg.Error], ...], type[TsclustError], str], ...]
_MEANINGS: Meanings = (
    ((errors.InsufficientPrivilege,), QueryError, "Ask the owner for GRANT USAGE ON SCHEMA and GRANT SELECT"),
    ((errors.ReadOnlySqlTransaction,), QueryError, "tsclust only reads: use a query that writes nothing"),
    (
        (errors.SerializationFailure,),
        SourceLostError,
        "A standby dropped our snapshot to keep up with its primary: read from the primary,"
        " or set hot_standby_feedback = on or a longer max_standby_streaming_delay",
    ),
    (
        (errors.CharacterNotInRepertoire, errors.UntranslatableCharacter),
        BadSeriesError,
        "Remove the column from source.carry, or repair it in a query: convert_from(c::bytea, 'LATIN1') AS c",
    ),
    ((errors.QueryCanceled,), SourceLostError, "It was cancelled on the server: run tsclust extract again"),
    ((errors.LockNotAvailable,), SourceLostError, "Another session locks the table: try again later"),
    (
        (errors.DiskFull, errors.OutOfMemory, errors.ConfigurationLimitExceeded),
        SourceLostError,
        "The server is short of space: read a smaller selection, or free some",
    ),
    ((errors.OperationalError, errors.InternalError), SourceLostError, _ASK_AGAIN),
    ((errors.Error,), QueryError, _MEND_QUERY),
)


_POOL = (
    "A pooler before the server has none free: try again later, raise default_pool_size in pgbouncer.ini,"
    " or connect to the server itself, past the pooler"
)
_WHY_POOLED = (
    ("query_wait_timeout", _POOL),
    ("statement pooling", "Set pool_mode = transaction for this database in pgbouncer.ini, or connect past the pooler"),
)


class PooledError(ConnectError):
    """A pooler (pgbouncer) between us and the server gives no connection that we can work with."""


class SnapshotGoneError(SourceLostError):
    """The snapshot ended with the last session that held it: nobody can read it any more."""


class DamagedStreamError(SourceLostError):
    """What came is not what a server sends: it was changed on the way. Reading on would believe it."""

    def __init__(self, problem: str, next_step: str = _CHANGED) -> None:
        super().__init__(problem, next_step)


def open_snapshot(dsn: str) -> Connection:
    """A connection in a transaction that only reads and sees the database as it is now. "" = libpq's environment.

    Raises ConnectError, which never tells a password.
    """
    connection = _connected(_params_of(dsn))
    try:
        with translate_errors("the server"):
            _begin(connection)
            connection.execute(SETTINGS)
    except BaseException:
        connection.close()
        raise
    return connection


def connect(dsn: str) -> Connection:
    """A connection that may write, every statement for itself. Raises ConnectError, which never tells a password."""
    return _connected(_params_of(dsn))


def started_at(connection: Connection) -> str:
    """When the server of this connection started."""
    return str((connection.execute("SELECT pg_postmaster_start_time()::text").fetchone() or ("",))[0])


def join_snapshot(dsn: str, holder: Connection, snapshot: str, start: str) -> Connection:
    """Another connection to the holder's server, which started at `start`, in a transaction on the holder's `snapshot`.

    A server counts snapshots from the beginning when it starts again: another program's may have the name of ours.

    Raises ConnectError (PooledError where a pooler has no second connection for us), or SourceLostError where the
    holder has gone and the snapshot with it.
    """
    connection = _connected(_params_of(dsn) | _reached(holder))
    try:
        with translate_errors("the server"):
            _begin(connection)
        try:
            connection.execute(_set_snapshot(snapshot))
        except psycopg.Error as error:
            raise _snapshot_gone(snapshot, str(error)) from error
        with translate_errors("the server"):
            connection.execute(SETTINGS)
            if started_at(connection) != start:
                raise _snapshot_gone(snapshot, "the server was restarted")
    except BaseException:
        connection.close()
        raise
    return connection


def _connected(params: dict[str, Any]) -> Connection:
    try:
        connection: Connection = psycopg.connect(make_conninfo("", **params), autocommit=True)
    except psycopg.Error as error:
        raise _refused(str(error), params) from None
    return connection


def _begin(connection: Connection) -> None:
    """Begin the transaction. A server answers at once; a pooler lets us wait, minutes, for a connection to it.

    Raises PooledError, psycopg.Error.
    """
    connection.pgconn.send_query(BEGIN.encode())
    result = connection.wait(_answer(connection.pgconn, time.monotonic() + ANSWER))
    if result.status != ExecStatus.COMMAND_OK:
        raise errors.error_from_result(result)


def _answer(connection: PGconn, until: float) -> PQGen[Any]:
    """The result of the statement that was sent, when the server is ready for the next one."""
    while connection.flush():
        yield Wait.W
    result = None
    while True:
        while connection.is_busy():
            if time.monotonic() > until:
                raise PooledError(f"the server gave no answer to BEGIN in {ANSWER:.0f} s: expected one at once", _POOL)
            yield Wait.R
            connection.consume_input()
        more = connection.get_result()
        result = more if result is None else result
        if more is None or more.status != ExecStatus.COMMAND_OK:  # after an error a pooler may say no more
            return result


def _set_snapshot(snapshot: str) -> sql.Composed:
    return sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot)


def _snapshot_gone(snapshot: str, told: str) -> SnapshotGoneError:
    return SnapshotGoneError(f"the snapshot {snapshot} is gone: {told}", _ASK_AGAIN)


@contextmanager
def translate_errors(label: str, meanings: Meanings = _MEANINGS) -> Iterator[None]:
    """Errors of psycopg leave as ours: one line, what `label` met and what to do."""
    try:
        yield
    except psycopg.Error as error:
        # Without an SQLSTATE it is libpq that speaks: what came makes no sense to it.
        lost = type(error) is psycopg.DatabaseError and error.sqlstate is None
        kind = psycopg.OperationalError if lost else type(error)
        raise _translate(kind, label, _server_message(error), meanings) from error


def no_such_table(holder: Connection, label: str, error: psycopg.Error) -> QueryError:
    """The error for a table that is not there, with the names of tables that are."""
    told = error.diag.message_primary or str(error)
    asked = re.search('"([^"]+)"', told)
    holder.execute("ROLLBACK")
    rows = holder.execute(
        """SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
           WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname NOT LIKE 'pg\\_%'
             AND nspname <> 'information_schema' ORDER BY 1 LIMIT 10000"""
    ).fetchall()
    names = near(asked[1] if asked else label, [name.removeprefix("public.") for (name,) in rows])
    return QueryError(f"{label}: {told} (tables: {names or 'none'})", "Correct source.table or source.query")


def _params_of(dsn: str) -> dict[str, Any]:
    try:
        said = conninfo_to_dict(dsn)
    except psycopg.Error:  # its text may quote a piece of the password
        raise _unreadable("libpq cannot read it") from None
    if "://" in dsn and _misplaced(said):
        raise _unreadable("its host, port or database contains an @ or / that looks like part of a password")
    env = {"connect_timeout": os.environ["PGCONNECT_TIMEOUT"]} if "PGCONNECT_TIMEOUT" in os.environ else {}
    return _DEFAULTS | env | said | {"client_encoding": "UTF8"}  # Arrow's text is UTF-8, whatever the database's is


def _misplaced(said: dict[str, Any]) -> bool:
    """Does a password with a bare @, / or : reach into the next fields? Messages would show it."""
    in_names = any("@" in str(said.get(field, "")) for field in ("host", "dbname"))
    return in_names or not re.fullmatch(r"[\d,]*", str(said.get("port", "")))


def _unreadable(why: str) -> ConnectError:
    return ConnectError(
        f"the DSN is not valid: {why}; expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE or host=... dbname=...",
        "Percent-encode special characters in a URI (@ is %40, / is %2F), quote values with spaces: password='...'",
    )


def _reached(holder: Connection) -> dict[str, Any]:
    """Where the holder's search through hosts, services and password files ended: a snapshot is one server's."""
    info = holder.info
    there = {"host": info.host, "hostaddr": info.hostaddr, "port": info.port, "user": info.user, "dbname": info.dbname}
    return {k: v for k, v in (there | {"password": info.password}).items() if v}


def _refused(told: str, params: dict[str, Any]) -> ConnectError:
    defaults = {d.keyword.decode(): d.val.decode() for d in psycopg.pq.Conninfo.get_defaults() if d.val}
    known = defaults | params
    place = " ".join(f"{k}={known[k]}" for k in ("service", "host", "port", "dbname", "user") if known.get(k))
    return ConnectError(
        f"no connection to PostgreSQL at {place}: {told[:500]}",
        next((step for word, step in _WHY_REFUSED if word in told), _CHECK_SERVER),
    )


def _translate(kind: type[psycopg.Error], label: str, told: str, meanings: Meanings = _MEANINGS) -> TsclustError:
    if pooled := next((step for word, step in _WHY_POOLED if word in told), ""):
        return PooledError(f"{label}: {told}", pooled)
    error, next_step = next((e, step) for classes, e, step in meanings if issubclass(kind, classes))
    return error(f"{label}: {told}", next_step)


def _server_message(error: psycopg.Error) -> str:
    """The server's words, the line of SQL or the row they are about, and its hint."""
    line = re.search(r"^LINE \d+: (.*)", str(error), re.MULTILINE)
    line = line or re.search(
        r"^COPY .*?, (.*)", error.diag.context or ""
    )  # rows that were sent: line 3, column id: "x"
    told = (error.diag.message_primary or str(error)) + (f" (in: {line[1].strip()[:200]})" if line else "")
    return f"{told}. {error.diag.message_hint}" if error.diag.message_hint else told
