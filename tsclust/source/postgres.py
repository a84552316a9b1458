"""A million series out of PostgreSQL: one snapshot, ranges of ids, Arrow from the socket on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_postgresql import dbapi
from psycopg import errors, sql

from tsclust.config import Source
from tsclust.errors import BadSeriesError, NoSeriesError, QueryError
from tsclust.source.layouts import Described, Relation, Selection, relation, select
from tsclust.source.session import Holder, explained, hold, join, no_such_table

_TYPES = """
    SELECT t.oid, format_type(t.oid, NULL), t.typcategory::text, coalesce(e.typcategory::text, '')
    FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' WHERE t.oid = ANY(%s)"""

# One pass over the ids in order, mostly an index's: how many, which are NULL or twice, and where each range begins.
_PLAN = """
    WITH numbered AS (
      SELECT {id} AS id, row_number() OVER by_id AS n, lag({id}) OVER by_id AS before
      FROM {relation} WINDOW by_id AS (ORDER BY {id}))
    SELECT count(*), count(*) - count(id), min(id::text) FILTER (WHERE id = before),
      array_agg(n) FILTER (WHERE (n - 1) % {part_rows} = 0),
      array_agg(id::text) FILTER (WHERE (n - 1) % {part_rows} = 0)
    FROM numbered"""


@dataclass(frozen=True)
class Range:
    """Series with low <= id < high, about a part of them. None is an open end."""

    low: str | None  # as the server writes an id as text
    high: str | None
    rows: int


@dataclass(frozen=True)
class Found:
    """What is to be read. Plain values, none of them secret."""

    origin: str  # "machine.cycles on PostgreSQL 18.1, database demo"
    query: str  # the SELECT of all of it, a file's text included: what tells one source from another
    rows: int
    snapshot: str
    columns: tuple[tuple[str, str], ...]  # name, Arrow type: ("series_id", "int64"), ...
    ranges: tuple[Range, ...]  # in the order of ids; together they are every series once


class Reader:
    """Reads ranges of one snapshot. Any number of threads may call `read`."""

    def __init__(self, dsn: str, holder: Holder, selection: Selection, found: Found) -> None:
        self.found = found
        self._dsn, self._holder, self._selection = dsn, holder, selection
        self._idle: SimpleQueue[dbapi.Connection] = SimpleQueue()

    def read(self, range_: Range) -> pa.Table:
        """The series of `range_`, ascending by series_id: series_id, carried columns, values: list<double | float>.

        A NULL array stays NULL (an empty series), NULL elements stay NULL.
        Raises SourceLostError, QueryError, ConnectError, or BadSeriesError where text cannot be UTF-8.
        """
        query = self._selection.between(range_.low, range_.high).as_string(self._holder)
        with explained(self._selection.relation.label), self._cursor() as cursor:
            cursor.execute(query)
            table = cursor.fetch_arrow_table()
        self._check(table.num_rows, range_)
        # Without the metadata and batches of the driver: bytes depend on neither its version nor the order of rows.
        return _ascending(table.cast(self._selection.schema).combine_chunks())

    def close(self) -> None:
        """Close every connection that is not reading."""
        while not self._idle.empty():
            self._idle.get_nowait().close()

    @contextmanager
    def _cursor(self) -> Iterator[dbapi.Cursor]:
        """A cursor of an idle or a new connection on the snapshot; one that met an error is not used again."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = join(self._dsn, self._holder, self.found.snapshot)
        try:
            with connection.cursor() as cursor:
                yield cursor
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)

    def _check(self, rows: int, range_: Range) -> None:
        label, start = self._selection.relation.label, range_.low or "the first"
        if rows != range_.rows:
            raise QueryError(
                f"{label} gave {range_.rows} series (from id {start}), then {rows} when read again:"
                " expected the same from one snapshot",
                "Take what changes from run to run out of the query: random(), now(), LIMIT without ORDER BY",
            )


@contextmanager
def opened(dsn: str, source: Source, base: Path) -> Iterator[Reader]:
    """A reader of `source` on one snapshot, which lasts as long as the context.

    dsn: a libpq URI or key=value; "" = PGHOST, PGSERVICE, .pgpass ...  base: the folder of the query's file.
    Raises SettingsError, ConnectError, QueryError, NoSeriesError, BadSeriesError (an id that is NULL or there twice).
    """
    from_ = relation(source, base)
    with closing(hold(dsn)) as holder:
        with explained(from_.label):
            selection = select(from_, source, _described(holder, from_))
            found = _found(holder, selection, source)
        with closing(Reader(dsn, holder, selection, found)) as reader:
            yield reader


def _described(holder: Holder, from_: Relation) -> list[Described]:
    # binary: the extended protocol takes one statement only, so no second one hides behind a `)` and a `;`.
    try:
        query = sql.SQL("SELECT * FROM {} LIMIT 0").format(from_.text)
        columns = holder.execute(query, binary=True).description or []
    except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
        raise no_such_table(holder, from_.label, error) from error
    types = {row[0]: row for row in holder.execute(_TYPES, [[c.type_code for c in columns]])}
    return [Described(c.name, *types[c.type_code]) for c in columns]


def _found(holder: Holder, selection: Selection, source: Source) -> Found:
    label = selection.relation.label
    plan = sql.SQL(_PLAN).format(id=selection.key, relation=selection.relation.text, part_rows=source.part_rows)
    rows, nulls, twice, starts, ids = holder.execute(plan, binary=True).fetchone() or (0, 0, None, [], [])
    if not rows:
        raise NoSeriesError(
            f"{label} holds no rows: expected at least one series", "Check source.table or source.query"
        )
    if nulls:
        raise BadSeriesError(
            f"{nulls} of {rows} rows of {label} have no {source.id} (NULL)", "Leave them out in a query"
        )
    if twice is not None:
        raise BadSeriesError(
            f"{source.id} {twice} is there more than once in {label}: expected one row for each series",
            "Name a unique column as source.id, or group the rows in a query (see sql/long_rows.sql)",
        )
    info, (snapshot,) = holder.info, holder.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
    version = (info.parameter_status("server_version") or "").split()[0]
    return Found(
        origin=f"{label} on PostgreSQL {version}, database {info.dbname}",
        query=selection.between(None, None).as_string(holder),
        rows=rows,
        snapshot=snapshot,
        columns=tuple((f.name, str(f.type)) for f in selection.schema),
        ranges=_ranges(rows, sorted(zip(starts, ids, strict=True))),
    )


def _ranges(rows: int, starts: list[tuple[int, str]]) -> tuple[Range, ...]:
    """Ranges from (row number, id) of the first of each: the outer ends are open."""
    cuts = [None, *(id_ for _, id_ in starts[1:]), None]
    numbers = [*(n - 1 for n, _ in starts), rows]
    edges = zip(cuts, cuts[1:], numbers, numbers[1:], strict=False)
    return tuple(Range(low, high, end - start) for low, high, start, end in edges)


def _ascending(table: pa.Table) -> pa.Table:
    """`table` by series_id. A scan has no order of its own; ids are unique, so this one is the only one."""
    ids = table["series_id"]
    if pc.all(pc.less(ids[:-1], ids[1:])).as_py():  # the usual case, and taking rows copies all values
        return table
    return table.take(pc.sort_indices(ids))
