"""A look at columns of text in PostgreSQL, which are read as nothing else: what they hold, and the SQL for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from tsclust.config import Source
from tsclust.source import array_text, carried_times, number_text, time_text
from tsclust.source.carried_times import CarriedTimes
from tsclust.source.columns import Holds, Seen
from tsclust.source.postgres.relation import Relation
from tsclust.source.postgres.select import of_q
from tsclust.source.postgres.session import Connection
from tsclust.source.table import quoted
from tsclust.source.time_text import TimeForm

_LOOK = 10_000  # rows that are looked at
_TEXT = 500  # characters of each
_DATES = {"%d": "DD", "%m": "MM", "%Y": "YYYY", "%y": "YY", "%b": "Mon", "%H": "HH24", "%M": "MI", "%S": "SS"}


class Looks:
    """What was seen of the columns of text of a relation, each looked at once."""

    def __init__(self, holder: Connection, from_: Relation, names: Sequence[str], missing: Sequence[str]) -> None:
        self._holder, self._from, self._names, self._missing = holder, from_, names, missing
        self._seen: dict[str, Seen] = {}

    def __call__(self, name: str) -> Seen:
        """What the texts of a column are."""
        if name not in self._seen:
            self._seen[name] = self._look(name)
        return self._seen[name]

    def carried_times(self, names: Sequence[str], source: Source) -> CarriedTimes:
        """Those of the columns of texts `names` that are times, by the first rows."""
        names = names if source.times else ()
        columns = sql.SQL(", ").join(sql.SQL("left({}::text, {})").format(of_q(n), _TEXT) for n in names)
        query = sql.SQL("SELECT {} FROM (SELECT * FROM {} LIMIT {}) AS q").format(columns, self._from.text, _LOOK)
        rows = self._holder.execute(query, binary=True).fetchall() if names else []
        found = {name: [row[number] for row in rows] for number, name in enumerate(names)}

        def texts(name: str, first_only: bool) -> Iterator[carried_times.Place]:
            of = found[name] if first_only else self._further(name)
            yield (lambda row: ""), number_text.with_nulls(pa.array(of, pa.string()), self._missing)

        def bad(name: str, batch: pa.RecordBatch, rows: np.ndarray) -> NoReturn:
            row = int(np.argmax(rows))
            text, where = batch.column(name)[row].as_py(), f"in series {batch.column(0)[row]}"
            raise carried_times.bad_text(self._from.label, name, text, where, forms[name])

        looked = f"the first {_LOOK:,} rows" if len(rows) == _LOOK else ""
        forms, notes = carried_times.of_columns(names, source.times, texts, source.time_format, looked)
        return CarriedTimes(forms, notes, self._missing, bad)

    def _further(self, name: str) -> list[str]:
        """The first texts of a column, wherever they are."""
        query = sql.SQL("SELECT left({0}::text, {1}) FROM {2} WHERE {0} IS NOT NULL LIMIT {3}").format(
            of_q(name), _TEXT, self._from.text, _LOOK
        )
        return [row[0] for row in self._holder.execute(query, binary=True)]

    def _look(self, name: str) -> Seen:
        beside = [n for n in self._names if n != name][:2]
        columns = sql.SQL(", ").join(sql.SQL("left({}::text, {})").format(of_q(n), _TEXT) for n in (name, *beside))
        query = sql.SQL("SELECT {} FROM (SELECT * FROM {} LIMIT {}) AS q").format(columns, self._from.text, _LOOK)
        rows = self._holder.execute(query, binary=True).fetchall()
        texts = number_text.with_nulls(pa.array([row[0] for row in rows], pa.string()), self._missing)
        there = texts.drop_null()
        if not len(there):
            return Seen()
        places = [f"where {' and '.join(f'{n} = {v}' for n, v in zip(beside, row[1:], strict=True))}" for row in rows]
        return _seen(name, texts, there, places)


def _seen(name: str, texts: pa.Array, there: pa.Array, places: Sequence[str]) -> Seen:
    varies = len(texts) > 1 and _most(pc.fill_null(pc.not_equal(texts[1:], texts[:-1]), True))
    forms = time_text.candidates(there)
    holds: Holds = "time" if forms else ""
    fits = texts.is_null() if not forms else pa.array([True] * len(texts))
    if _most(pc.match_substring_regex(there, number_text.ALMOST)):
        holds, fits = "number", pc.match_substring_regex(texts, number_text.NUMBER)
    elif _most(array_text.bracketed(there)):
        holds, fits = "numbers", array_text.bracketed(texts)
    misfits = pc.invert(pc.fill_null(fits, True))
    whole = not pc.any(misfits).as_py()
    at = pc.index(texts.is_valid() if whole else misfits, True).as_py()
    text = texts[at].as_py()
    casts = tuple(dict.fromkeys(_cast(quoted(name), form, text) for form in forms)) if holds == "time" else ()
    if holds == "number" and not whole and (written := number_text.number_form([there])):
        casts = (written.sql(quoted(name)),)
    return Seen(holds, text, places[at], varies=varies, casts=casts, whole=whole)


def _most(which: pa.Array) -> bool:
    return bool(pc.mean(pc.fill_null(which, False).cast(pa.float64())).as_py() >= 1 / 2)


def _cast(name: str, form: TimeForm, text: str) -> str:
    """The SQL that makes a time of the texts."""
    if "%" not in form.name:
        return f"{name}::{'time' if form.of_day else 'interval'}"
    if form.name.startswith("%Y"):
        return f"{name}::timestamptz"
    date = form.name
    for letter, meaning in _DATES.items():
        date = date.replace(letter, meaning)
    half = text.rstrip()[-2:].casefold() in ("am", "pm")
    clock = "" if ":" not in text or "HH24" in date else " HH12:MI:SS AM" if half else " HH24:MI:SS"
    if half and text.count(":") == 1:
        clock = " HH12:MI AM"
    return f"to_timestamp({name}, '{date}{clock}')"
