"""Where to cut a table into ranges of ids: quantiles of a sample of its pages, without reading the table."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tsclust.source.columns import Key
from tsclust.source.postgres.select import Selection, of_q, within
from tsclust.source.postgres.session import Connection
from tsclust.source.protocols import Range
from tsclust.source.spill import PART_BYTES

PAGES = 4_000  # of 8 KiB, sampled for the cuts: 16 parts then differ by some 5 %
_MUCH = 100_000  # in the server's units of cost: some seconds
_TIMES = 3  # ranges that together cost the server this many times as much as one pass are not worth it

# The table behind a column, its size with partitions and children (a hypertable's chunks); then its indexes that are
# valid for all rows, the primary key first.
_TABLE = """
    WITH RECURSIVE tree AS (
      SELECT %(table)s::oid AS oid UNION ALL SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = tree.oid)
    SELECT format('%%I.%%I', nspname, relname), relkind::text,
      (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = %(column)s),
      (SELECT coalesce(sum(pg_relation_size(oid)), 0)::int8 FROM tree)
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = %(table)s"""
_KEYS = """
    SELECT indisunique, array_agg(number ORDER BY place)::int4[]
    FROM pg_index CROSS JOIN unnest(indkey::int2[]) WITH ORDINALITY AS k(number, place)
    WHERE indrelid = %s AND place <= indnkeyatts AND indisvalid AND indpred IS NULL
    GROUP BY indexrelid, indisunique, indisprimary ORDER BY NOT indisprimary, NOT indisunique, indexrelid"""

_DRAW = "SELECT {id}::text FROM {drawn} ORDER BY hashtextextended({id}::text, 0) LIMIT 50"
_CUTS = "SELECT percentile_disc({shares}::float8[]) WITHIN GROUP (ORDER BY {id})::text[] FROM {drawn}"


@dataclass(frozen=True)
class Origin:
    """The table that a column comes from, whatever query or view is between."""

    table: str  # quoted
    kind: str  # pg_class.relkind: r table, p partitioned, m materialized view, f foreign
    column: str
    heap: int  # bytes without what is stored out of line
    indexed: bool  # does an index open a range of the column?
    unique: bool  # is a value of the column there once?


def keys(holder: Connection, query: sql.Composable, names: Sequence[str]) -> list[Key]:
    """The keys of the table that all columns of `query` come from, in the query's names; none where it is not one."""
    result = holder.execute(sql.SQL("{} LIMIT 0").format(query), binary=True).pgresult
    tables = {result.ftable(i) for i in range(len(names))} if result else set()
    if result is None or len(tables) != 1:
        return []
    named = {result.ftablecol(i): name for i, name in enumerate(names)}
    found = [Key(tuple(named.get(n, "") for n in numbers), unique)
             for unique, numbers in holder.execute(_KEYS, [tables.pop()])]  # fmt: skip
    return [key for key in found if all(key.columns)]


def origin(holder: Connection, query: sql.Composable, number: int) -> Origin | None:
    """Where column `number` of `query` comes from; None where it is computed or the table is out of reach."""
    try:
        with holder.transaction():  # a savepoint: what fails here must not end the snapshot
            return _origin(holder, query, number)
    except psycopg.ProgrammingError:  # no permission for the table behind a view
        return None


def ranges(
    holder: Connection, selection: Selection, from_: Origin | None, part_rows: int, share: float
) -> tuple[Range, ...]:
    """Ranges that together are every series once, in the order of ids; () where one pass is the better way.

    That is: the id is computed or not indexed, pages of its table cannot be sampled, or the server would do the work of
    the whole query for each range anew.
    """
    if from_ is None or not from_.indexed or from_.kind not in "rpm":
        return ()
    try:
        with holder.transaction():
            cut = _cuts(holder, selection, from_, part_rows, share)
            return cut if _worthwhile(holder, selection, cut) else ()
    except (psycopg.ProgrammingError, psycopg.NotSupportedError):
        return ()


def _origin(holder: Connection, query: sql.Composable, number: int) -> Origin | None:
    for _ in range(10):  # views upon views
        result = holder.execute(sql.SQL("{} LIMIT 0").format(query), binary=True).pgresult
        where = {"table": result.ftable(number), "column": result.ftablecol(number)} if result else {"table": 0}
        row = holder.execute(_TABLE, where).fetchone() if where["table"] else None
        if row is None:
            return None
        if row[1] != "v":
            number = where["column"]
            found = holder.execute(_KEYS, [where["table"]]).fetchall()
            indexed = any(numbers[0] == number for _, numbers in found)
            return Origin(row[0], row[1], row[2], row[3], indexed, (True, [number]) in found)
        ((text,),) = holder.execute("SELECT pg_get_viewdef(%s::oid)", [where["table"]])
        query, number = sql.SQL("SELECT * FROM ({}) AS q").format(sql.SQL(text.rstrip("; \n"))), where["column"] - 1
    return None


def _cuts(holder: Connection, selection: Selection, from_: Origin, part_rows: int, share: float) -> tuple[Range, ...]:
    percent = min(100.0, 100.0 * PAGES * 8192 / max(from_.heap, 1))
    table, id_ = sql.SQL(from_.table), of_q(from_.column)
    pages = sql.SQL("{} AS q TABLESAMPLE SYSTEM ({}) REPEATABLE (1)").format(table, percent)
    wanted = sql.SQL(" AND ").join([sql.SQL("{} IS NOT NULL").format(id_), *within(id_, selection.bounds)])
    drawn = sql.SQL("{} WHERE {}").format(pages, wanted)
    names: dict[str, Any] = {"id": id_, "drawn": drawn}
    rows = _one(holder, sql.SQL("SELECT count(*) FROM {drawn}").format(**names))
    if not rows:  # an empty table, or one whose pages lie elsewhere
        return ()
    rows *= 100 / percent * share
    lengths = _lengths(holder, selection, sql.SQL(_DRAW).format(**names))
    if not lengths:
        return ()
    # Rows of long series are drawn more often: the mean of 1/length over rows is series per row.
    series = rows if from_.unique else rows * statistics.fmean(1 / n for n in lengths)
    each = statistics.fmean(lengths) if from_.unique else rows / series
    parts = math.ceil(max(series / part_rows, series * each * 8 / PART_BYTES))
    shares = [i / parts for i in range(1, parts)]
    cuts = _one(holder, sql.SQL(_CUTS).format(**names, shares=shares)) if shares else []
    edges = [None, *dict.fromkeys(cuts), None]
    about = round(series / (len(edges) - 1))
    return tuple(Range(low, high, about) for low, high in itertools.pairwise(edges))


def _lengths(holder: Connection, selection: Selection, draw: sql.Composed) -> list[int]:
    """The numbers of values of some series, 1 at the least; none where a few cost the server nearly as much as all."""
    ids = [id_ for (id_,) in holder.execute(draw)]
    some = selection.where(sql.SQL("{} IN ({})").format(selection.key, sql.SQL(", ").join(map(sql.Literal, ids))))
    if _MUCH < _cost(holder, selection.all()) < 2 * _cost(holder, some.all()):
        return []
    query = sql.SQL("SELECT coalesce(cardinality(s.values), 0) FROM ({}) AS s").format(some.all())
    return [max(n, 1) for (n,) in holder.execute(query, binary=True)] or [1]


def _worthwhile(holder: Connection, selection: Selection, cut: tuple[Range, ...]) -> bool:
    """By the server's own estimate: do all ranges together cost little more than one pass?"""
    if len(cut) <= 1:
        return True
    middle = cut[len(cut) // 2]
    one = _cost(holder, selection.between(middle.low, middle.high))
    return one * len(cut) <= max(_MUCH, _TIMES * _cost(holder, selection.between(None, None)))


def _cost(holder: Connection, query: sql.Composed) -> float:
    ((plan,),) = holder.execute(sql.SQL("EXPLAIN (FORMAT JSON) {}").format(query), binary=True).fetchall()
    return float(plan[0]["Plan"]["Total Cost"])


def _one(holder: Connection, query: sql.Composed) -> Any:
    (value,) = holder.execute(query).fetchone() or (None,)
    return value
