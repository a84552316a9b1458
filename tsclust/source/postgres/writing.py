"""A table of tsclust's own in the user's database: the one thing that is ever written there, and only on demand."""

from __future__ import annotations

import io
from collections.abc import Sequence

import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from tsclust.errors import SettingsError
from tsclust.source.postgres.relation import table_names
from tsclust.source.postgres.session import connect, explained

BATCH = 50_000  # rows that are held as text at a time
# Numbers have 17 digits, nulls are empty and all else is in quotes: COPY tells "" from NULL by them.
_CSV = pa.csv.WriteOptions(include_header=False, quoting_style="all_valid")
_COPY = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)")


def write_table(dsn: str, name: str, table: pa.Table, key: Sequence[str] = ()) -> None:
    """Put the rows of `table` into the table `name`, in one transaction: all of them or none.

    It is made where it is not there. Without a `key` the rows take the place of all that were there, with one of those
    of the same key. Raises SettingsError where a table of that name is not ours, ConnectError, QueryError.
    """
    place, label = sql.Identifier(*table_names(name)), name.strip()
    columns = {field.name: _type_of(field.type) for field in table.schema}
    with connect(dsn) as connection, explained(label), connection.transaction():
        connection.execute(_create(sql.SQL("TABLE IF NOT EXISTS"), place, columns))
        _check(connection, place, label, columns)
        if not key:
            connection.execute(sql.SQL("DELETE FROM {}").format(place))
            _copy(connection, place, table)
            return
        new = sql.Identifier("tsclust_new_rows")
        connection.execute(_create(sql.SQL("TEMP TABLE"), new, columns) + sql.SQL(" ON COMMIT DROP"))
        _copy(connection, new, table)
        connection.execute(_replace(place, new, key))


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


def _replace(place: sql.Identifier, new: sql.Identifier, key: Sequence[str]) -> sql.Composed:
    same = (sql.SQL("old.{0} IS NOT DISTINCT FROM new.{0}").format(sql.Identifier(name)) for name in key)
    delete = sql.SQL("DELETE FROM {} old USING {} new WHERE {};").format(place, new, sql.SQL(" AND ").join(same))
    return delete + sql.SQL("INSERT INTO {} SELECT * FROM {}").format(place, new)
