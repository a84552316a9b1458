"""What a table or query of PostgreSQL holds: its columns, the layout, and the SELECT of what is wanted of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import psycopg
from psycopg import errors, sql
from psycopg.postgres import types as pg

from tsclust.config import Source
from tsclust.errors import BadSeriesError
from tsclust.source.carried_times import CarriedTimes
from tsclust.source.columns import Column, Key, Look
from tsclust.source.identity import sameness, varying
from tsclust.source.keys import split_keys
from tsclust.source.layouts import Layout, free_name, layout, naming_ends, same_only
from tsclust.source.long_rows import two_names
from tsclust.source.postgres import ranges
from tsclust.source.postgres.looks import Looks
from tsclust.source.postgres.ranges import Origin
from tsclust.source.postgres.relation import Relation
from tsclust.source.postgres.select import MOMENTS, Described, Selection, of_q, sampled, select
from tsclust.source.postgres.session import Connection, no_such_table
from tsclust.source.table import no_such_column

_TYPES = """
    SELECT t.oid, format_type(t.oid, NULL), t.typcategory::text, coalesce(e.typcategory::text, '')
    FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' WHERE t.oid = ANY(%s)"""
_NUMERIC = pg["numeric"].oid
_LOOK = 10_000  # rows that are looked at to tell which columns of long rows belong to the series


def selected(
    holder: Connection, from_: Relation, source: Source, after: str | None
) -> tuple[Selection, CarriedTimes, Origin | None]:
    """The SELECT of what `source` asks for, which texts of it are times, and the table that its ids come from (None:
    computed, or out of reach).

    Text of the user's runs as one statement here, before it runs anywhere else: `binary` is the extended protocol,
    which takes only one, so no second one hides behind a `)` and a `;`.
    """
    described = _described(holder, from_)
    all_ = sql.SQL("SELECT * FROM {}").format(from_.text)
    names = [c.name for c in described]
    look = Looks(holder, from_, names, source.missing)
    columns, keys = {c.name: c.column for c in described}, ranges.keys(holder, all_, names)
    found = _layout(holder, from_, described, keys, source, look)
    if found.form == "long" and "*" in source.carry:
        found = same_only(found, _of_series(holder, from_, found, columns, source))
    if any(c.name == found.order and c.oid in MOMENTS for c in described):
        found = naming_ends(found, source.carry, names)
    place = {*found.ids, found.order}
    unique = any(key.unique and place >= set(key.columns) for key in keys)
    selection = select(from_, found, described, sameness(found, columns, source), places=not unique)
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
    origin = None if found.joined else ranges.origin(holder, all_, names.index(found.id))
    _refuse_spellings(holder, selection, described[names.index(found.ids[0])], origin)
    texts = [n for n in found.carry if columns[n].kind == "text" and n not in found.ids and free_name(n, names) == n]
    return selection, look.carried_times(texts, source), origin


def _layout(
    holder: Connection, from_: Relation, described: Sequence[Described], keys: Sequence[Key], source: Source, look: Look
) -> Layout:
    """The layout. What is different in each of the first rows is no id of long rows, whatever it is called."""
    columns, known = [c.column for c in described], list(keys)
    while True:
        found = layout(from_.label, columns, known, source, look)
        split = split_keys(known, {c.name: c for c in columns}, source.order)
        named = source.id or found.joined or any(ids == found.ids for ids, _ in split)
        if found.form != "long" or named or not _single(holder, from_, found.id):
            return found
        known.append(Key((found.id,), unique=True))


def _single(holder: Connection, from_: Relation, name: str) -> bool:
    """Is every value of the column there once in the first rows?"""
    look = sql.SQL("SELECT count({0}), count(DISTINCT {0}) FROM (SELECT {0} FROM {1} LIMIT {2}) AS s")
    name_ = sql.Identifier(name)
    row = holder.execute(look.format(name_, from_.text, _LOOK), binary=True).fetchone()
    return row is not None and row[0] == row[1] > 1


def _refuse_spellings(holder: Connection, selection: Selection, id_: Described, origin: Origin | None) -> None:
    """Raises BadSeriesError where ids are equal to the server, and written in several ways (citext, 1.0 and 1.00).

    By an index they would be one series, without one two.
    """
    collation = _collation(holder, selection) if id_.one_text and id_.column.kind == "text" else ""
    if (id_.one_text and not collation) or selection.layout.joined or (origin and origin.unique):
        return
    text = sql.SQL('min({0}::text COLLATE "C"), max({0}::text COLLATE "C")').format(selection.key)
    query = sql.SQL("SELECT * FROM (SELECT {} FROM {} GROUP BY {}) AS s (one, other) WHERE one <> other LIMIT 1")
    if found := holder.execute(query.format(text, selection.source, selection.key), binary=True).fetchone():
        name = sql.Identifier(id_.name).as_string()
        alike = f"lower({name}::text)" if id_.type == "citext" else f"trim_scale({name})"
        apart = f"{name}::text"
        if collation:
            alike, apart = f'lower({name} COLLATE "C")', f'{name} COLLATE "C"'
        raise BadSeriesError(
            f"ids {found[0]} and {found[1]} are equal to the server ({collation or id_.type}): expected each written in"
            " one way",
            f"Write them alike in a query: {alike} AS {name}; or tell them apart: {apart} AS {name}",
        )


def _collation(holder: Connection, selection: Selection) -> str:
    """The collation of the ids where texts that differ may be equal by it; "" for all others."""
    any_ = "SELECT 1 FROM pg_collation WHERE NOT collisdeterministic LIMIT 1"
    if holder.info.server_version < 130000 or not holder.execute(any_, binary=True).fetchone():
        return ""
    of_id = sql.SQL("SELECT pg_collation_for({}) FROM {} LIMIT 1").format(selection.key, selection.relation.text)
    query = sql.SQL("SELECT collname FROM pg_collation WHERE NOT collisdeterministic AND oid = to_regcollation(({}))")
    row = holder.execute(query.format(of_id), binary=True).fetchone()
    return f"collation {row[0]}" if row else ""


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
    return [
        replace(Described(c.name, *types[c.type_code]), one_text=_one_text(c, types[c.type_code][1])) for c in columns
    ]


def _one_text(column: psycopg.Column, type_: str) -> bool:
    """Is a value of the column always written in one way? numeric without a scale has 1.0 and 1.00."""
    return type_ != "citext" and not (column.type_code == _NUMERIC and column.scale is None)


def _of_series(
    holder: Connection, from_: Relation, found: Layout, columns: Mapping[str, Column], source: Source
) -> tuple[str, ...]:
    """The columns of long rows that are the same in all rows of a series, by a look at the first rows."""
    if not found.carry:
        return ()
    several = "max(count(DISTINCT {0}::text) + bool_or({0} IS NULL)::int) OVER ()"  # a NULL is a value too
    counts = [sql.SQL(several).format(of_q(name)) for name in found.carry]
    look = sql.SQL("SELECT {} FROM (SELECT * FROM {} LIMIT {}) AS q GROUP BY {} LIMIT 1").format(
        sql.SQL(", ").join(counts), from_.text, _LOOK, _ids(found)
    )
    most = holder.execute(look, binary=True).fetchone()
    kept = tuple(name for name, n in zip(found.carry, most, strict=True) if n <= 1) if most else found.carry
    same = sameness(found, columns, source)
    for name in varying(same, found, kept):
        _refuse_two_names(holder, from_, found, name, same.apart(name) if same else "")
    return kept


def _refuse_two_names(holder: Connection, from_: Relation, found: Layout, name: str, next_step: str) -> None:
    """Raises BadSeriesError where the first rows of a series have two machines, or sensors."""
    texts = sql.SQL("{}, min({}::text), max({}::text)").format(_ids(found), of_q(name), of_q(name))
    look = sql.SQL("SELECT * FROM (SELECT {} FROM (SELECT * FROM {} LIMIT {}) AS q GROUP BY {}) AS s ({}) WHERE a <> b")
    ids = sql.SQL(", ").join(sql.Identifier(f"id{i}") for i in range(len(found.ids)))
    query = look.format(texts, from_.text, _LOOK, _ids(found), sql.SQL("{}, a, b").format(ids))
    if row := holder.execute(sql.SQL("{} LIMIT 1").format(query), binary=True).fetchone():
        *id_, one, other = row
        raise two_names("/".join(map(str, id_)), name, (one, other), next_step)


def _ids(found: Layout) -> sql.Composed:
    return sql.SQL(", ").join(map(of_q, found.ids))


def _first(holder: Connection, selection: Selection, limit: int) -> str | None:
    """The id that the first `limit` series come before."""
    query = sql.SQL("SELECT {0}::text FROM {1} GROUP BY {0} ORDER BY {0} OFFSET {2} LIMIT 1")
    row = holder.execute(query.format(selection.key, selection.source, limit), binary=True).fetchone()
    return row[0] if row else None
