"""What a table or query of PostgreSQL holds: its columns, the layout, and the SELECT of what is wanted of it."""

from __future__ import annotations

from dataclasses import replace

from psycopg import errors, sql

from tsclust.config import Source
from tsclust.source.layouts import Layout, layout
from tsclust.source.postgres import ranges
from tsclust.source.postgres.looks import Looks
from tsclust.source.postgres.ranges import Origin
from tsclust.source.postgres.relation import Relation
from tsclust.source.postgres.select import Described, Selection, of_q, sampled, select
from tsclust.source.postgres.session import Connection, no_such_table
from tsclust.source.table import no_such_column

_TYPES = """
    SELECT t.oid, format_type(t.oid, NULL), t.typcategory::text, coalesce(e.typcategory::text, '')
    FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' WHERE t.oid = ANY(%s)"""
_LOOK = 10_000  # rows that are looked at to tell which columns of long rows belong to the series


def selected(holder: Connection, from_: Relation, source: Source, after: str | None) -> tuple[Selection, Origin | None]:
    """The SELECT of what `source` asks for, and the table that its ids come from (None: computed, or out of reach).

    Text of the user's runs as one statement here, before it runs anywhere else: `binary` is the extended protocol,
    which takes only one, so no second one hides behind a `)` and a `;`.
    """
    described = _described(holder, from_)
    all_ = sql.SQL("SELECT * FROM {}").format(from_.text)
    names = [c.name for c in described]
    look = Looks(holder, from_, names, source.missing)
    found = layout(from_.label, [c.column for c in described], ranges.keys(holder, all_, names), source, look)
    if found.form == "long" and "*" in source.carry:
        found = replace(found, carry=_of_series(holder, from_, found))
    selection = select(from_, found, described)
    if source.watermark and source.watermark not in names:
        raise no_such_column(from_.label, "source.watermark", source.watermark, names)
    if source.where.strip():
        selection = selection.where(sql.SQL("({}\n)").format(sql.SQL(source.where)))
        holder.execute(sql.SQL("{} LIMIT 0").format(selection.all()), binary=True)
    if source.share < 1:
        selection = selection.where(sampled(selection.key, source.share))
    if after is not None and source.watermark:
        selection = selection.where(_since(selection, of_q(source.watermark), after))
    elif after is not None:
        selection = selection.bounded((">", after))
    if source.limit and (high := _first(holder, selection, source.limit)) is not None:
        selection = selection.bounded(("<", high))
    return selection, ranges.origin(holder, all_, names.index(found.id))


def _since(selection: Selection, watermark: sql.Composable, after: str) -> sql.Composed:
    """The condition for rows as new as the mark or newer; of long rows, for whole series of which one row is."""
    new = sql.SQL("({0} >= {1} OR {0} IS NULL)").format(watermark, after)
    if selection.order is None:
        return new
    return sql.SQL("{} IN (SELECT {} FROM {})").format(selection.key, selection.key, selection.where(new).source)


def _described(holder: Connection, from_: Relation) -> list[Described]:
    try:
        query = sql.SQL("SELECT * FROM {} LIMIT 0").format(from_.text)
        columns = holder.execute(query, binary=True).description or []
    except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
        raise no_such_table(holder, from_.label, error) from error
    types = {row[0]: row for row in holder.execute(_TYPES, [[c.type_code for c in columns]])}
    return [Described(c.name, *types[c.type_code]) for c in columns]


def _of_series(holder: Connection, from_: Relation, found: Layout) -> tuple[str, ...]:
    """The columns of long rows that are the same in all rows of a series, by a look at the first rows."""
    if not found.carry:
        return ()
    several = "max(count(DISTINCT {0}::text) + bool_or({0} IS NULL)::int) OVER ()"  # a NULL is a value too
    counts = [sql.SQL(several).format(of_q(name)) for name in found.carry]
    look = sql.SQL("SELECT {} FROM (SELECT * FROM {} LIMIT {}) AS q GROUP BY {} LIMIT 1").format(
        sql.SQL(", ").join(counts), from_.text, _LOOK, of_q(found.id)
    )
    most = holder.execute(look, binary=True).fetchone()
    return tuple(name for name, n in zip(found.carry, most, strict=True) if n <= 1) if most else found.carry


def _first(holder: Connection, selection: Selection, limit: int) -> str | None:
    """The id that the first `limit` series come before."""
    query = sql.SQL("SELECT {0}::text FROM {1} GROUP BY {0} ORDER BY {0} OFFSET {2} LIMIT 1")
    row = holder.execute(query.format(selection.key, selection.source, limit), binary=True).fetchone()
    return row[0] if row else None
