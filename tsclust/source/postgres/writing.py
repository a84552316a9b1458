"""A table of tsclust's own in the user's database: the one thing that is ever written there, and only on demand."""

from __future__ import annotations

import io
from collections.abc import Sequence

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from psycopg import errors, sql

from tsclust.errors import BadSeriesError, QueryError, SettingsError, SourceLostError
from tsclust.source.postgres.relation import table_names
from tsclust.source.postgres.session import Meanings, connect, explained

BATCH = 50_000  # rows that are held as text at a time
LONGEST = 63  # bytes of a name: PostgreSQL cuts a longer one, and it is another name then
# Numbers have 17 digits, nulls are empty and all else is in quotes: COPY tells "" from NULL by them.
_CSV = pa.csv.WriteOptions(include_header=False, quoting_style="all_valid")
_COPY = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)")
# For the transaction: no limit on how long it takes, but one on waiting for somebody else. Of two tsclusts that write
# into a table of one name the second waits, even where the table is not there yet.
_BEFORE = """
    SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '60s', true);
    SELECT pg_advisory_xact_lock(hashtextextended({}, 0))"""
_MEANINGS: Meanings = (
    (
        (errors.InsufficientPrivilege,),
        QueryError,
        "Ask the owner for GRANT SELECT, INSERT, DELETE on the table, or GRANT CREATE on its schema to have it made",
    ),
    ((errors.InvalidSchemaName,), SettingsError, "Name a schema that is there, or make it: CREATE SCHEMA"),
    (
        (errors.ReadOnlySqlTransaction,),
        QueryError,
        "This server or role only reads: name one that may write (a standby's primary) in TSCLUST_DSN",
    ),
    (
        (errors.DatatypeMismatch, errors.DataError),
        QueryError,
        "The table holds other types: name one that is not there yet, or one that tsclust has made",
    ),
    ((errors.LockNotAvailable,), SourceLostError, "Another session writes to it: try again later"),
    ((errors.DiskFull, errors.OutOfMemory), SourceLostError, "The server is short of room: make some, nothing is lost"),
    (
        (errors.OperationalError, errors.InternalError),
        SourceLostError,
        "Nothing was written: check the server and the network, then run it again",
    ),
    ((errors.Error,), QueryError, "Nothing was written; psql shows more of the table"),
)


def write_table(dsn: str, name: str, table: pa.Table, key: Sequence[str] = ()) -> None:
    """Put the rows of `table` into the table `name`, in one transaction: all of them or none.

    It is made where it is not there. Without a `key` the rows take the place of all that were there, with one those
    of the same key; columns of the key hold no nulls. Raises SettingsError where a table of that name is not ours,
    BadSeriesError for text that PostgreSQL has no place for, ConnectError, QueryError, SourceLostError.
    """
    place, label = _place(name), name.strip()
    _check_text(label, table)
    columns = {field.name: _type_of(field.type) for field in table.schema}
    with connect(dsn) as connection, explained(label, _MEANINGS), connection.transaction():
        connection.execute(sql.SQL(_BEFORE).format(place.as_string(connection)))
        _make(connection, place, columns)
        _check(connection, place, label, columns)
        if key:
            _merge(connection, place, table, columns, key)
        else:
            connection.execute(sql.SQL("DELETE FROM {}").format(place))
            _copy(connection, place, table)


def _place(name: str) -> sql.Identifier:
    parts = table_names(name, "--to-table")
    if long := next((part for part in parts if len(part.encode()) > LONGEST), None):
        raise SettingsError(
            f"{long[:80]!r}: expected a name of at most {LONGEST} bytes, this has {len(long.encode())}",
            "PostgreSQL would cut it: name a shorter one",
        )
    return sql.Identifier(*parts)


def _check_text(label: str, table: pa.Table) -> None:
    """Raises BadSeriesError for a text with U+0000."""
    for name in table.column_names:
        if pa.types.is_string(table[name].type) or pa.types.is_large_string(table[name].type):
            found = table[name].filter(pc.match_substring(table[name], "\0"))
            if len(found):
                raise BadSeriesError(
                    f"{label}: {name} {found[0].as_py()[:60]!r} holds U+0000, which PostgreSQL has no place for",
                    "Write to a file instead, or have the text mended where it comes from",
                )


def _make(connection: psycopg.Connection, place: sql.Identifier, columns: dict[str, sql.SQL]) -> None:
    """CREATE TABLE, only where there is none: who may write into one that is there need not be allowed to make one."""
    there = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [place.as_string(connection)]).fetchone()
    if there != (True,):
        connection.execute(_create(sql.SQL("TABLE"), place, columns))


def _type_of(kind: pa.DataType) -> sql.SQL:
    if pa.types.is_timestamp(kind):
        return sql.SQL("timestamptz" if kind.tz else "timestamp")
    known = {pa.int64(): "bigint", pa.float64(): "double precision", pa.bool_(): "boolean", pa.date32(): "date"}
    return sql.SQL(known.get(kind, "text"))


def _create(what: sql.SQL, place: sql.Identifier, columns: dict[str, sql.SQL]) -> sql.Composed:
    each = (sql.SQL("{} {}").format(sql.Identifier(name), kind) for name, kind in columns.items())
    return sql.SQL("CREATE {} {} ({})").format(what, place, sql.SQL(", ").join(each))


def _check(connection: psycopg.Connection, place: sql.Identifier, label: str, columns: dict[str, sql.SQL]) -> None:
    """A table with other columns is somebody else's."""
    cursor = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(place))
    there = [column.name for column in cursor.description or ()]
    if there != list(columns):
        raise SettingsError(
            f"{label} has the columns {', '.join(there)[:200]}, expected {', '.join(columns)}: it is another table",
            "Name one that is not there yet, or one that tsclust has made",
        )


def _copy(connection: psycopg.Connection, place: sql.Identifier, table: pa.Table) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, table.column_names))
    with connection.cursor() as cursor, cursor.copy(_COPY.format(place, names)) as copy:
        for batch in table.to_batches(BATCH):
            text = io.BytesIO()
            pa.csv.write_csv(batch, text, _CSV)
            copy.write(text.getbuffer())


def _merge(
    connection: psycopg.Connection,
    place: sql.Identifier,
    table: pa.Table,
    columns: dict[str, sql.SQL],
    key: Sequence[str],
) -> None:
    """The rows take the place of those with the same key."""
    new = sql.Identifier("tsclust_new_rows")
    connection.execute(_create(sql.SQL("TEMP TABLE"), new, columns) + sql.SQL(" ON COMMIT DROP"))
    _copy(connection, new, table)
    connection.execute(sql.SQL("ANALYZE {}").format(new))
    connection.execute(_delete(place, new, key))
    connection.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(place, new))


def _delete(place: sql.Identifier, new: sql.Identifier, key: Sequence[str]) -> sql.Composed:
    """By equality, which can be hashed: IS NOT DISTINCT FROM compares every row with every row."""
    same = (sql.SQL("old.{0} = new.{0}").format(sql.Identifier(name)) for name in key)
    return sql.SQL("DELETE FROM {} old USING {} new WHERE {}").format(place, new, sql.SQL(" AND ").join(same))
