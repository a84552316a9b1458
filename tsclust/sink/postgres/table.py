"""A table of tsclust's own in the user's database: the one thing that is ever written there, and only on demand."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from psycopg import IsolationLevel, sql

from tsclust.errors import BadSeriesError
from tsclust.sink.postgres import target
from tsclust.sink.postgres.refusals import MEANINGS, Grants
from tsclust.source.postgres.session import Connection, connect, translate_errors

BATCH = 50_000  # rows that are held as text at a time
# Numbers have 17 digits, nulls are empty and all else is in quotes: COPY tells "" from NULL by them.
_CSV = pa.csv.WriteOptions(include_header=False, quoting_style="all_valid")
_COPY = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)")
_NEW = sql.Identifier("pg_temp", "tsclust_new_rows")
# For the transaction: no limit on how long it takes, but one on waiting for somebody else.
_BEFORE = """
    SELECT set_config(name, wanted, true) FROM pg_settings JOIN (VALUES
      ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'),
      ('lock_timeout', '60s')
    ) AS ours(name, wanted) USING (name)"""


def write_table(
    dsn: str, name: str, table: pa.Table, key: Sequence[str] = (), later: Sequence[str] = (), same: Sequence[str] = ()
) -> None:
    """Put the rows of `table` into the table `name`, in one transaction: all of them or none.

    It is made where it is not there. Without a `key` the rows take the place of all that were there, with one those
    of the same key; columns of the key hold no nulls. The columns `later`, the last ones, are added to a table of
    tsclust's that does not have them yet. With `same`, a row that is there with the same key and these columns stays as
    it is, and a table that is made gets an index on its key. Who writes meanwhile waits, who reads sees what was there.
    Raises SettingsError where the name is none or a table of that name is not ours, BadSeriesError for text that
    PostgreSQL has no place for and for keys that are null, ConnectError, QueryError, SourceLostError.
    """
    label, parts = name.strip(), target.names_of(name, table.column_names)
    _check_rows(label, table, key)
    with connect(dsn) as connection, translate_errors(label, MEANINGS):
        # A role's own level may be higher: what a writer sees after waiting would then be what was before it.
        connection.isolation_level = IsolationLevel.READ_COMMITTED
        with connection.transaction():
            connection.execute(_BEFORE)
            _write(connection, label, parts, table, key, later, same)


def holds_text(dsn: str, name: str, column: str) -> bool | None:
    """Whether a column of the table `name` is one for text; None where there is none. Raises as write_table does."""
    label, parts = name.strip(), target.names_of(name, [column])
    with connect(dsn) as connection, translate_errors(label, MEANINGS):
        grants = Grants.of(connection, parts)
        with translate_errors(label, grants.to_find()):
            return target.holds_text(connection, parts, column)


def _write(
    connection: Connection,
    label: str,
    parts: tuple[str, ...],
    table: pa.Table,
    key: Sequence[str],
    later: Sequence[str],
    same: Sequence[str],
) -> None:
    grants, columns = Grants.of(connection, parts), target.types_of(table.schema)
    with translate_errors(label, grants.to_find()):
        there = target.found(connection, parts)
    with translate_errors(label, grants.to_make()):
        # Only where there is none: who may write into one that is there need not be allowed to make one.
        place = there or target.made(connection, parts, columns, index=key if same else ())
    with translate_errors(label, grants.to_write(place)):
        target.lock(connection, place)
        target.add(connection, place, columns, later)
        target.check(connection, place, label, columns)
    if key:
        with translate_errors(label, grants.to_gather()):
            _gather(connection, place, table)
            if same:
                connection.execute(_there_already(place, (*key, *same)))
    with translate_errors(label, grants.to_write(place)):
        connection.execute(_delete(place, key))
        _insert(connection, place, table, key)


def _check_rows(label: str, table: pa.Table, key: Sequence[str]) -> None:
    """Raises BadSeriesError for a text with U+0000, and for a key that is null: it would be there twice next time."""
    for name in key:
        if nulls := table[name].null_count:
            raise BadSeriesError(f"{label}: {nulls} of {len(table)} rows have no {name}", "Omit them")
    for name in table.column_names:
        if pa.types.is_string(table[name].type) or pa.types.is_large_string(table[name].type):
            found = table[name].filter(pc.match_substring(table[name], "\0"))
            if len(found):
                raise BadSeriesError(
                    f"{label}: {name} {found[0].as_py()[:60]!r} contains U+0000, which PostgreSQL cannot store",
                    "Write to a file instead, or fix the text where it comes from",
                )


def _gather(connection: Connection, place: sql.Identifier, table: pa.Table) -> None:
    """The new rows beside the table, in the types of its columns: keys of one type can be hashed."""
    wanted = sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA")
    connection.execute(wanted.format(_NEW, _names(table), place))
    _copy(connection, _NEW, table)
    connection.execute(sql.SQL("ANALYZE {}").format(_NEW))


def _delete(place: sql.Identifier, key: Sequence[str]) -> sql.Composed:
    """By equality, which can be hashed: IS NOT DISTINCT FROM compares every row with every row."""
    if not key:
        return sql.SQL("DELETE FROM {}").format(place)
    same = (sql.SQL("old.{0} = new.{0}").format(sql.Identifier(name)) for name in key)
    return sql.SQL("DELETE FROM {} old USING {} new WHERE {}").format(place, _NEW, sql.SQL(" AND ").join(same))


def _there_already(place: sql.Identifier, columns: Sequence[str]) -> sql.Composed:
    """Of the new rows, those that the table has."""
    same = (sql.SQL("new.{0} IS NOT DISTINCT FROM old.{0}").format(sql.Identifier(name)) for name in columns[1:])
    first = sql.SQL("new.{0} = old.{0}").format(sql.Identifier(columns[0]))
    where = sql.SQL(" AND ").join([first, *same])
    return sql.SQL("DELETE FROM {} new USING {} old WHERE {}").format(_NEW, place, where)


def _insert(connection: Connection, place: sql.Identifier, table: pa.Table, key: Sequence[str]) -> None:
    if key:
        connection.execute(sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM {2}").format(place, _names(table), _NEW))
    else:
        _copy(connection, place, table)


def _copy(connection: Connection, place: sql.Identifier, table: pa.Table) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY.format(place, _names(table))) as copy:
        for batch in table.to_batches(BATCH):
            text = io.BytesIO()
            pa.csv.write_csv(batch, text, _CSV)
            copy.write(text.getbuffer())


def _names(table: pa.Table) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, table.column_names))
