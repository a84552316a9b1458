"""How series lie in a table: found from its columns and keys, or as the settings say."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from tsclust.config import Source
from tsclust.errors import QueryError

Kind = Literal["integer", "number", "numbers", "json", "text", "time", "other"]
Form = Literal["array", "long", "wide"]
ORDER = "tsclust order"  # the column that long rows are sorted by, where we sort them
FEWEST_WIDE = 8  # columns v0, v1, ... that make a wide table; fewer are columns of their own

# What people call them, the likeliest first; used where neither a setting nor a key of the table says it.
_IDS = ("series_id", "id", "cycle_id", "recording_id", "run_id", "sequence_id")
_ORDERS = ("idx", "index", "order", "ord", "i", "n", "seq", "pos", "position", "sample", "step", "t", "time", "ts",
           "timestamp", "sampled_at", "measured_at", "recorded_at", "at")  # fmt: skip
_VALUES = ("values", "value", "val", "v", "samples", "data", "signal", "y")


@dataclass(frozen=True)
class Column:
    """A column of a source. `numbers` is an array of them; `type` is in the source's own words."""

    name: str
    kind: Kind
    type: str


@dataclass(frozen=True)
class Key:
    """The columns of an index, in its order; `unique` holds every combination of values once."""

    columns: tuple[str, ...]
    unique: bool


@dataclass(frozen=True)
class Layout:
    """Where a series is: its id, its values (many columns if wide), the order of long rows, what is taken along."""

    form: Form
    id: str
    values: tuple[str, ...]
    order: str
    carry: tuple[str, ...]
    said: str = field(
        default="", compare=False
    )  # the values as a setting: a wide table's pattern, "" where its columns were found

    @property
    def settings(self) -> dict[str, str]:
        """The same as keys of [source] in tsclust.toml."""
        return {"layout": self.form, "id": self.id, "values": self.said, "order": self.order}

    def __str__(self) -> str:
        """In words, as the output says it."""
        values = self.values[0] if len(self.values) == 1 else f"{self.values[0]} ... {self.values[-1]}"
        order = f" in the order of {self.order}" if self.order else ""
        carried = f", carried {', '.join(self.carry)}" if self.carry else ", nothing carried"
        what = {"array": "a row per series", "long": "a row per value", "wide": "a column per value"}[self.form]
        return f"{self.form} layout ({what}): id {self.id}, values {values}{order}{carried}"


@dataclass(frozen=True)
class _Table:
    label: str
    columns: dict[str, Column]
    keys: tuple[Key, ...]  # the primary key first
    source: Source

    def of(self, *kinds: Kind) -> list[str]:
        return [c.name for c in self.columns.values() if c.kind in kinds]

    def named(self, name: str, setting: str) -> str:
        """`name`, which must be one of the columns."""
        if name in self.columns:
            return name
        raise no_such_column(self.label, setting, name, self.columns)

    def one_of(self, names: Iterable[str], likely: Sequence[str]) -> str:
        """The likeliest of `names`; the only one where none is likely; else ""."""
        there = list(names)
        folded = {n.casefold(): n for n in reversed(there)}
        return next((folded[n] for n in likely if n in folded), there[0] if len(there) == 1 else "")


def layout(label: str, columns: Sequence[Column], keys: Sequence[Key], source: Source) -> Layout:
    """The layout of a table with these columns and keys, where `source` leaves open what it is.

    Raises QueryError where a column is missing or there twice, or it is not clear where the series are.
    """
    table = _Table(label, _by_name(label, columns), tuple(keys), source)
    form = source.layout if source.layout != "auto" else _form(table)
    id_, order = _id(table, form), ""
    if form == "long":
        order = _order(table, id_)
    values = {"array": _array, "long": _value, "wide": _wide}[form](table, {id_, order})
    carry = _carried(table, {id_, order, *values})
    return Layout(form, id_, values, order, carry, source.values if form == "wide" else values[0])


def free_name(name: str, names: Iterable[str]) -> str:
    """`name`, or where tsclust needs it itself `carried_name`: an id by another name may leave a `series_id` over."""
    ours = {"series_id", "values", ORDER}
    if name not in ours:
        return name
    taken = {*ours, *names}
    while name in taken:
        name = f"carried_{name}"
    return name


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


def _by_name(label: str, columns: Sequence[Column]) -> dict[str, Column]:
    names = [c.name for c in columns]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise QueryError(f"{label} returns column {twice[0]} twice", "Name its columns, or rename one with AS")
    return {c.name: c for c in columns}


def _form(table: _Table) -> Form:
    said = table.source.values
    if any(sign in said for sign in "*?["):
        return "wide"
    if said:
        kind = table.columns[table.named(said, "source.values")].kind
        return "long" if kind in ("integer", "number") else "array"
    if table.of("numbers") or "values" in table.columns or (table.of("json") and not _numbered(table)):
        return "array"
    if len(_numbered(table)) >= FEWEST_WIDE:
        return "wide"
    return "long"


def _id(table: _Table, form: Form) -> str:
    if table.source.id:
        return table.named(table.source.id, "source.id")
    if "series_id" in table.columns:
        return "series_id"
    long = form == "long"
    keyed = [k.columns[0] for k in table.keys if (len(k.columns) > 1) == long and (long or k.unique)]
    likely = table.one_of(table.of("integer", "text", "other"), _IDS)
    found = keyed[0] if keyed else likely or table.one_of((n for n in table.columns if n.endswith("_id")), ())
    return found or _unclear(table, "the id", "source.id")


def _order(table: _Table, id_: str) -> str:
    if table.source.order:
        return _order_said(table, id_)
    keyed = [k.columns[1] for k in table.keys if len(k.columns) > 1 and k.columns[0] == id_]
    found = keyed[0] if keyed else table.one_of((n for n in table.of("integer", "time", "number") if n != id_), _ORDERS)
    return found or _unclear(table, "the order of the values", "source.order")


def _order_said(table: _Table, id_: str) -> str:
    name = table.named(table.source.order, "source.order")
    if name == id_ or table.columns[name].kind not in ("integer", "number", "time"):
        what = "also the id" if name == id_ else f"of type {table.columns[name].type}"
        raise QueryError(
            f"source.order: column {name} of {table.label} is {what}: expected a number or a time that orders the"
            " values of a series",
            "Name another column, or number the rows in a query: row_number() OVER (PARTITION BY id ORDER BY ...)",
        )
    return name


def _array(table: _Table, _: set[str]) -> tuple[str, ...]:
    said = table.source.values
    name = table.named(said, "source.values") if said else _likely_array(table)
    if table.columns[name].kind not in ("numbers", "json"):
        raise QueryError(
            f"source.values: column {name} of {table.label} is of type {table.columns[name].type}:"
            " expected an array of numbers (double precision[], real[], numeric[], integer[], jsonb, ...)",
            _remedy(table.columns[name]),
        )
    return (name,)


def _likely_array(table: _Table) -> str:
    if "values" in table.columns:
        return "values"
    arrays = table.of("numbers") or table.of("json")
    return table.one_of(arrays, _VALUES) or _unclear(table, "which array holds the values", "source.values")


def _value(table: _Table, taken: set[str]) -> tuple[str, ...]:
    said = table.source.values
    if said:
        name = table.named(said, "source.values")
    else:
        numbers = [n for n in table.of("number", "integer") if n not in taken]
        floats = [n for n in numbers if table.columns[n].kind == "number"]
        name = table.one_of(floats or numbers, _VALUES) or _unclear(table, "where the values are", "source.values")
    if table.columns[name].kind not in ("number", "integer"):
        raise QueryError(
            f"source.values: column {name} of {table.label} is of type {table.columns[name].type}:"
            " expected one number per row, because source.layout is long",
            _remedy(table.columns[name]),
        )
    return (name,)


def _wide(table: _Table, taken: set[str]) -> tuple[str, ...]:
    pattern = table.source.values
    numbers = [n for n in table.of("number", "integer") if n not in taken]
    names = [n for n in numbers if fnmatchcase(n, pattern)] if pattern else _numbered(table)
    if not names:
        raise QueryError(
            f"source.values = {pattern!r} matches no number columns of {table.label} (it has {', '.join(numbers)})",
            'Give a pattern that matches them all, for example values = "v*"',
        )
    return tuple(sorted(names, key=_number))


def _numbered(table: _Table) -> list[str]:
    """The largest set of number columns called alike but for a number at the end: v0, v1, ..."""
    families: dict[str, list[str]] = {}
    for name in table.of("number", "integer"):
        if match := re.fullmatch(r"(.*?)\d+", name):
            families.setdefault(match[1], []).append(name)
    return max(families.values(), key=len, default=[])


def _number(name: str) -> int:
    digits = re.findall(r"\d+", name)
    return int(digits[-1]) if digits else -1


def _carried(table: _Table, taken: set[str]) -> tuple[str, ...]:
    said = table.source.carry
    names = tuple(table.columns) if "*" in said else tuple(table.named(n, "source.carry") for n in dict.fromkeys(said))
    return tuple(n for n in names if n not in taken)


def _remedy(column: Column) -> str:
    name = column.name
    if column.kind in ("number", "integer"):
        return 'If each row holds one value of a series, set source.layout = "long"; else name another column'
    if column.kind == "text":
        return (
            f"If it is a list of numbers as text, use a query with string_to_array({name}, ',')::float8[] AS {name};"
            " in a file write it as {1,2,3} or [1, 2, 3]"
        )
    return f"Name another column, or use a query that makes a float8[] of {name} (examples: sql/)"


def _unclear(table: _Table, what: str, setting: str) -> str:
    columns = ", ".join(f"{c.name} {c.type}" for c in list(table.columns.values())[:30])
    raise QueryError(
        f"{table.label}: it is not clear {what} ({columns})" if what.startswith("w") else
        f"{table.label}: no column is clearly {what} ({columns})",
        f"Name it: {setting} (flag --{setting.removeprefix('source.')}), or write a query (examples: sql/)",
    )  # fmt: skip
