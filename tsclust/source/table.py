"""A table whose layout is asked for: its columns by kind and by name, and what is said where they do not fit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from tsclust.config import Source
from tsclust.errors import BadSeriesError, QueryError, TsclustError
from tsclust.source.columns import Column, Key, Kind, Look, Seen, for_shell, shortened

_PLAIN = r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?"
_LONG = 300  # characters of columns in a query that a message shows
NUMBERS: tuple[Kind, Kind] = ("number", "integer")


@dataclass(frozen=True)
class Table:
    """keys: the primary key first;  look: at a column of texts"""

    label: str
    columns: dict[str, Column]
    keys: tuple[Key, ...]
    source: Source
    look: Look

    def of(self, *kinds: Kind) -> list[str]:
        """The columns of these kinds."""
        return [c.name for c in self.columns.values() if c.kind in kinds]

    def named(self, name: str, setting: str) -> str:
        """`name`, which must be one of the columns."""
        if name in self.columns:
            return name
        raise no_such_column(self.label, setting, name, self.columns)

    def likely(self, names: Iterable[str], likely: Sequence[str]) -> list[str]:
        """Those of `names` that are `likely`, the likeliest first."""
        folded = {n.casefold(): n for n in reversed(list(names))}
        return [folded[n] for n in likely if n in folded]

    def one_of(self, names: Iterable[str], likely: Sequence[str]) -> str:
        """The likeliest of `names`; the only one where none is likely; else ""."""
        there = list(names)
        return next(iter(self.likely(there, likely)), there[0] if len(there) == 1 else "")

    def seen(self, name: str) -> Seen:
        """What the texts of a column are; nothing is known of columns that are no texts."""
        return self.look(name) if self.columns[name].kind == "text" else Seen()

    def reads_as(self, name: str, *wanted: str) -> bool:
        """Can every text of the column be read as one of these?"""
        seen = self.seen(name)
        return seen.readable and seen.holds in wanted and not seen.misfit

    def is_number(self, name: str) -> bool:
        """Is it a column of numbers, or of texts that are all read as numbers?"""
        return self.columns[name].kind in NUMBERS or self.reads_as(name, "number") or self.seen(name).grouped

    @property
    def in_files(self) -> bool:
        """Is it in files, where no query helps?"""
        return bool(self.source.files)


def bad_cell(table: Table, name: str, expected: str, instead: str = "", also: str = "") -> TsclustError:
    """The error for a column that does not hold what is `expected` of it, by its first cell.

    instead: another way on. also: what has to be said besides where the cell means a missing value.
    """
    seen, column = table.seen(name), table.columns[name]
    ways = [*_ways(table, name, also), *([instead] if instead else [])]
    step = _capital(", or ".join(ways)) or f"Correct the column {name}"
    if seen.misfit:
        return BadSeriesError(f"{table.label}: column {name} has {seen.misfit}: expected {expected}", step)
    return QueryError(f"{table.label}: column {name} is of type {column.type}: expected {expected}", step)


def in_query(table: Table, name: str, cast: str) -> str:
    """The flag for a query that has `cast` in place of column `name`; for a long one, how to write it."""
    columns = ", ".join(f"{cast} AS {quoted(n)}" if n == name else quoted(n) for n in table.columns)
    if not table.source.table or len(columns) > _LONG or not re.fullmatch(_PLAIN, table.source.table.strip()):
        return f"cast it in a query: {cast} AS {quoted(name)}"
    query = f"SELECT {columns} FROM {table.source.table.strip()}"  # noqa: S608 - shown, not run
    return f"read it as numbers or times (--query {for_shell(query)})"


def _ways(table: Table, name: str, also: str) -> list[str]:
    """What to do about a cell that does not fit: say that it means a missing value, or write it as it should be."""
    seen = table.seen(name)
    if not table.in_files:
        if table.columns[name].kind != "text":
            return []
        if seen.holds == "number" and seen.casts:
            return [in_query(table, name, seen.casts[0])]
        text = quoted(name) if seen.whole else f"NULLIF({quoted(name)}, {_literal(seen.text)})"
        return [in_query(table, name, f"{text}::{'float8[]' if seen.holds == 'numbers' else 'float8'}")]
    if not seen.misfit:
        return []
    if seen.holds == "number" and re.fullmatch(r"[-+]?[\d., '\xa0\u202f]+", seen.text.strip()):
        return ["write it with a decimal point, and nothing between thousands"]
    return [f"add {for_shell(f'--missing={seen.text}')}{also} if it means a missing value"]


def quoted(name: str) -> str:
    """A column's name as SQL writes it."""
    return name if re.fullmatch(_PLAIN, name) and name not in ("values", "order", "user", "end") else f'"{name}"'


def no_such_column(label: str, setting: str, name: str, names: Iterable[str]) -> QueryError:
    """The error for a setting that names a column which is not there."""
    return QueryError(
        f"{setting}: {label} has no column {name} (it has {near(name, names)})",
        f"Set {setting} to one of its columns",
    )


def near(name: str, names: Iterable[str], most: int = 10) -> str:
    """`names` as one text, those that look like `name` first."""
    folded = {n: n.casefold() for n in names}
    alike = difflib.get_close_matches(name.casefold(), folded.values(), n=most, cutoff=0.5)
    ordered = sorted(folded, key=lambda n: alike.index(folded[n]) if folded[n] in alike else most)
    return ", ".join(ordered[:most]) + (", ..." if len(ordered) > most else "")


def unclear(table: Table, what: str, setting: str) -> NoReturn:
    """Raises QueryError: what is not clear, the columns, and the setting that says it."""
    columns = ", ".join(f"{c.name} {c.type}" for c in list(table.columns.values())[:30])
    query = "" if table.in_files else ", or write a query (examples: sql/)"
    raise QueryError(
        f"{table.label}: it is not clear {what} ({columns})" if what.startswith("w") else
        f"{table.label}: no column is clearly {what} ({columns})",
        f"Name it: {setting} (flag --{setting.removeprefix('source.')}){query}",
    )  # fmt: skip


def first_text(seen: Seen) -> str:
    """The first text that a column holds, for a message: "" where nobody looked."""
    return f" ({shortened(seen.text)} {seen.where})" if seen.misfit else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
