"""Counting the series of a table or query, on a snapshot of its own."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from psycopg import sql

from tsclust.config import Source
from tsclust.source.census import Census
from tsclust.source.postgres.query import selected
from tsclust.source.postgres.ranges import Origin
from tsclust.source.postgres.relation import relation
from tsclust.source.postgres.select import Selection, of_q
from tsclust.source.postgres.session import Connection, open_snapshot, translate_errors


def census(dsn: str, source: Source, base: Path, mark: str | None) -> Census:
    """How many series `source` selects, and how many beyond the mark of the last reading.

    Arguments and errors are those of `opened` in postgres/reader.py.
    """
    from_ = relation(source, base)
    with closing(open_snapshot(dsn)) as holder, translate_errors(from_.label):
        selection, _, origin = selected(holder, from_, source, None)
        total = _count(holder, selection, origin)
        if mark is None:
            return Census(total, None, bool(source.watermark))
        if not source.watermark:
            return Census(total, _count(holder, selection.bounded((">", mark)), origin))
        ids = _ids(holder, selection.where(sql.SQL("{} > {}").format(of_q(source.watermark), mark)))
    return Census(total, len(ids), True, ids)


def _ids(holder: Connection, selection: Selection) -> tuple[str, ...]:
    key = sql.SQL(selection.id_template).format(selection.key)
    query = sql.SQL("SELECT DISTINCT ({})::text FROM {}").format(key, selection.source)
    return tuple(id_ for (id_,) in holder.execute(query, binary=True).fetchall())


def _count(holder: Connection, selection: Selection, origin: Origin | None) -> int:
    """Rows where each has an id of its own, else ids."""
    what = sql.SQL("*") if origin and origin.unique else sql.SQL("DISTINCT {}").format(selection.key)
    query = sql.SQL("SELECT count({}) FROM {}").format(what, selection.source)
    ((count,),) = holder.execute(query, binary=True).fetchall()
    return int(count)
