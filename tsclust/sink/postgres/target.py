"""The table that is written into: what it is called, what it looks like, and whose it is meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from psycopg import sql

from tsclust.errors import SettingsError
from tsclust.source.postgres.relation import table_names
from tsclust.source.postgres.session import Connection

LONGEST = 63  # bytes of a name: PostgreSQL cuts a longer one, and it is another name then
# Makers of tables of one name take turns, in whatever schema: CREATE TABLE twice at once is an error for the second.
_MAKERS = "SELECT pg_advisory_xact_lock(hashtextextended('tsclust ' || %s, 0))"
_FOUND = """
    SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE pg_class.oid = to_regclass(%s)"""
_COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), typcategory::text
    FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
# Categories of types (pg_type.typcategory) that a column may be of: a varchar for text, an integer for bigint; whether
# each value fits is for the server to say. E and U: text may also go into an enum or a uuid.
_FITTING = {"text": "SEU", "boolean": "B", "date": "D", "timestamp": "D", "timestamptz": "D"}
_OURS = "Name a table that does not exist yet, or one made by tsclust"


def names_of(name: str, columns: list[str]) -> tuple[str, ...]:
    """`table` or `schema.table` -> its names. Raises SettingsError for one that the server would take for another's."""
    parts = table_names(name, "--to-table")
    if len(parts) > 2:
        raise SettingsError(
            f"--to-table = {name!r}: expected table or schema.table, this has {len(parts)} names",
            "Name the database in TSCLUST_DSN; put a name that contains a dot in double quotes",
        )
    if long := next((part for part in (*parts, *columns) if len(part.encode()) > LONGEST), None):
        raise SettingsError(
            f"{long[:80]!r}: expected a name of at most {LONGEST} bytes, this has {len(long.encode())}",
            "PostgreSQL would truncate it: choose a shorter one",
        )
    return parts


def types_of(schema: pa.Schema) -> dict[str, str]:
    """The type in PostgreSQL of each column."""
    return {field.name: _type_of(field.type) for field in schema}


def _type_of(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_integer(kind):
        return "numeric" if kind == pa.uint64() else "bigint"
    if pa.types.is_floating(kind):
        return "double precision"
    return {pa.bool_(): "boolean", pa.date32(): "date"}.get(kind, "text")


def found(connection: Connection, parts: tuple[str, ...]) -> sql.Identifier | None:
    """The table with its schema, wherever search_path finds it: a temporary table of its name is not taken for it."""
    row = connection.execute(_FOUND, [sql.Identifier(*parts).as_string(connection)]).fetchone()
    return sql.Identifier(*row) if row else None


def made(
    connection: Connection, parts: tuple[str, ...], columns: dict[str, str], index: Sequence[str] = ()
) -> sql.Identifier:
    """The table, made unless another tsclust has made it while this one waited; with an index on these columns."""
    connection.execute(_MAKERS, [parts[-1]])
    if there := found(connection, parts):
        return there
    each = (sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items())
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(*parts), sql.SQL(", ").join(each)))
    if index:
        on = sql.SQL(", ").join(map(sql.Identifier, index))
        connection.execute(sql.SQL("CREATE INDEX ON {} ({})").format(sql.Identifier(*parts), on))
    return found(connection, parts) or sql.Identifier(*parts)


def holds_text(connection: Connection, parts: tuple[str, ...], column: str) -> bool | None:
    """Whether a column is one for text; None where there is no such table, or it has no such column."""
    if (place := found(connection, parts)) is None:
        return None
    there = connection.execute(_COLUMNS, [place.as_string(connection)]).fetchall()
    return next((category in _FITTING["text"] for name, _, category in there if name == column), None)


def lock(connection: Connection, place: sql.Identifier) -> None:
    """Until the end of the transaction nobody else writes to it or changes it; all may read. DELETE is right enough."""
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(place))


def add(connection: Connection, place: sql.Identifier, columns: dict[str, str], later: Sequence[str]) -> None:
    """The columns `later`, the last of `columns`, in a table that has just the others: it was made before there were
    these."""
    there = connection.execute(_COLUMNS, [place.as_string(connection)]).fetchall()
    if [*(name for name, _, _ in there), *later] == list(columns):
        for name in later:
            column = sql.SQL("ALTER TABLE {} ADD COLUMN {} {}")
            connection.execute(column.format(place, sql.Identifier(name), sql.SQL(columns[name])))


def check(connection: Connection, place: sql.Identifier, label: str, columns: dict[str, str]) -> None:
    """A table with other columns is somebody else's. Raises SettingsError."""
    there = connection.execute(_COLUMNS, [place.as_string(connection)]).fetchall()
    if [name for name, _, _ in there] != list(columns):
        names = ", ".join(name for name, _, _ in there)
        raise SettingsError(
            f"{label} has the columns {names[:200]}, expected {', '.join(columns)}: it is a different table", _OURS
        )
    for name, kind, category in there:
        if category not in _FITTING.get(columns[name], "N"):
            raise SettingsError(f"{label}: its column {name} is {kind}, expected {columns[name]}", _OURS)
