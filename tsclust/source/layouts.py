"""How series lie in a table: found from its columns and keys, or as the settings say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tsclust.config import Source
from tsclust.errors import QueryError
from tsclust.source import numbered, wide
from tsclust.source.columns import Column, Key, Look, for_shell, no_look
from tsclust.source.keys import ORDERS, split_keys
from tsclust.source.table import NUMBERS, Table, bad_cell, first_text, in_query, unclear

Form = Literal["array", "long", "wide"]
ORDER = "tsclust order"  # the column that long rows are sorted by, where we sort them
MOMENT = "tsclust moment"  # the same as a time that is carried, where it is one
FILE = "tsclust file"  # the number of the file that a row is from, where series may be in several

# What people call them, the likeliest first; used where neither a setting nor a key of the table says it.
_IDS = ("series_id", "id", "cycle_id", "recording_id", "run_id", "sequence_id")
_VALUES = ("values", "value", "val", "v", "samples", "data", "signal", "y")


@dataclass(frozen=True)
class Layout:
    """Where a series is: its id, its values (many columns if wide), the order of long rows, what is taken along.

    ends      of long rows: what the first and the last of the times that order them are called
    left_out  columns that are not taken along as they differ within a series
    """

    form: Form
    id: str
    values: tuple[str, ...]
    order: str
    carry: tuple[str, ...]
    said: str = field(
        default="", compare=False
    )  # the values as a setting: a wide table's pattern, "" where its columns were found
    joined: tuple[str, ...] = ()  # the columns that together are the id, where it is not one
    ends: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The columns of the id."""
        return self.joined or (self.id,)

    @property
    def settings(self) -> dict[str, str]:
        """The same as keys of [source] in tsclust.toml."""
        return {"layout": self.form, "id": self.id, "values": self.said, "order": self.order}

    def __str__(self) -> str:
        """In words, as the output says it."""
        values = self.values[0] if len(self.values) == 1 else f"{self.values[0]} ... {self.values[-1]}"
        order = f" in the order of {self.order}" if self.order else ""
        taken = (*self.carry, *self.ends)
        carried = f", carried {', '.join(taken)}" if taken else ", nothing carried"
        left = f"; left out, as they differ within a series: {', '.join(self.left_out)}" if self.left_out else ""
        what = {"array": "a row per series", "long": "a row per value", "wide": "a column per value"}[self.form]
        id_ = f"{', '.join(self.joined[:-1])} and {self.joined[-1]} joined" if self.joined else self.id
        return f"{self.form} layout ({what}): id {id_}, values {values}{order}{carried}{left}"


def layout(
    label: str, columns: Sequence[Column], keys: Sequence[Key], source: Source, look: Look = no_look
) -> Layout:  # fmt: skip
    """The layout of a table with these columns and keys, where `source` leaves open what it is.

    look: tells what the texts of a column are. Raises QueryError where a column is missing or there twice, or it is not
    clear where the series are; BadSeriesError where a cell keeps a column from being what its name says.
    """
    table = Table(label, _by_name(label, columns), tuple(keys), source, look)
    form = source.layout if source.layout != "auto" else _form(table)
    ids = _ids(table, form)
    order = _order(table, ids) if form == "long" else ""
    values = {"array": _array, "long": _value, "wide": wide.values}[form](table, {*ids, order})
    joined = ids if len(ids) > 1 else ()
    carry = _carried(table, {order, *values, *(() if joined else ids)})
    return Layout(form, ",".join(ids), values, order, carry, source.values if form == "wide" else values[0], joined)


def same_only(found: Layout, kept: Sequence[str]) -> Layout:
    """The layout with those of its carried columns that are the same in a whole series."""
    return replace(found, carry=tuple(kept), left_out=tuple(n for n in found.carry if n not in kept))


def naming_ends(found: Layout, asked: Collection[str], names: Collection[str]) -> Layout:
    """The layout with the first and the last time of each series, where these are to be carried. names: all columns."""
    if found.form != "long" or not ({"*", found.order} & {*asked}):
        return found
    return replace(found, ends=tuple(_untaken(f"{found.order}_{end}", names) for end in ("first", "last")))


def _untaken(name: str, names: Collection[str]) -> str:
    while name in names:
        name = f"{name}_"
    return name


def free_name(name: str, names: Iterable[str]) -> str:
    """`name`, or where tsclust needs it itself `carried_name`: an id by another name may leave a `series_id` over."""
    ours = {"series_id", "values", ORDER}
    if name not in ours:
        return name
    taken = {*ours, *names}
    while name in taken:
        name = f"carried_{name}"
    return name


def _by_name(label: str, columns: Sequence[Column]) -> dict[str, Column]:
    twice = sorted(n for n, times in Counter(c.name for c in columns).items() if times > 1)
    if twice:
        raise QueryError(f"{label} returns column {twice[0]} twice", "Name its columns, or rename one with AS")
    return {c.name: c for c in columns}


def _form(table: Table) -> Form:
    said = table.source.values
    if numbered.is_set(said, table.columns):
        return "wide"
    if said:
        column = table.columns[table.named(said, "source.values")]
        return "long" if column.kind in NUMBERS or table.seen(said).holds == "number" else "array"
    is_wide = wide.is_wide(table)
    if table.of("numbers") or "values" in table.columns or (table.of("json") and not is_wide):
        return "array"
    return "wide" if is_wide else "long"


def _ids(table: Table, form: Form) -> tuple[str, ...]:
    """The columns of the id: mostly one."""
    said = table.source.id
    if said:
        pieces = [piece.strip() for piece in said.split(",")]
        return (said,) if said in table.columns else tuple(table.named(piece, "source.id") for piece in pieces)
    single = {key.columns[0] for key in table.keys if key.unique and len(key.columns) == 1}
    if form != "long":
        keyed = next((k.columns[0] for k in table.keys if k.unique and len(k.columns) == 1), "")
        return ("series_id",) if "series_id" in table.columns else (keyed or _likely_id(table, ()),)
    if "series_id" in table.columns and "series_id" not in single:
        return ("series_id",)
    found = next((ids for ids, _ in split_keys(table.keys, table.columns, table.source.order)), ())
    return found or (_likely_id(table, single),)


def _likely_id(table: Table, single: Collection[str]) -> str:
    """By the columns' names and types; what is `single` in every row is no id of long rows."""
    there = [name for name in table.of("integer", "text", "other") if name not in single]
    ends = (name for name in table.columns if name.endswith("_id") and name not in single)
    return table.one_of(there, _IDS) or table.one_of(ends, ()) or unclear(table, "the id", "source.id")


def _order(table: Table, ids: tuple[str, ...]) -> str:
    """The order is never what is ordered: it is named, by a setting, a key or a name that says so."""
    if table.source.order:
        return _order_said(table, ids)
    keyed = [order for others, order in split_keys(table.keys, table.columns, "") if set(others) == set(ids)]
    others = [n for n in table.columns if n not in (*ids, table.source.values)]
    likely = [*(n for n in keyed if n in others), *table.likely(others, ORDERS)]
    found = next((n for n in likely if _orders(table, n)), "")
    if not found and (texts := [n for n in likely if table.columns[n].kind == "text"]):
        raise _no_order(table, texts[0], f"{table.label}: column {texts[0]}")
    if not found and (arrays := _arrays_with_misfits(table, {*ids})):
        raise bad_cell(table, arrays[0], "an array of numbers")
    return found or unclear(table, "the order of the values", "source.order")


def _orders(table: Table, name: str) -> bool:
    """Is this column a number or a time, or texts that are all read as one?"""
    return table.columns[name].kind in (*NUMBERS, "time") or table.reads_as(name, "time", "number")


def _order_said(table: Table, ids: tuple[str, ...]) -> str:
    name = table.named(table.source.order, "source.order")
    if name == table.source.values:
        raise QueryError(
            f"source.order and source.values are both {name}: expected a column that orders the values",
            "Name another column with --order",
        )
    if name in ids or not _orders(table, name):
        raise _no_order(table, name, f"source.order: column {name} of {table.label}", is_id=name in ids)
    return name


def _no_order(table: Table, name: str, what: str, *, is_id: bool = False) -> QueryError:
    """The error for a column that orders nothing: for texts, what can be read and how."""
    column, seen = table.columns[name], table.seen(name)
    why = "also the id" if is_id else f"of type {column.type}{first_text(seen)}"
    expected = f"{what} is {why}: expected a number or a time that orders the values of a series"
    if not table.in_files:
        casts = seen.casts or ((f"to_timestamp({name}, 'DD.MM.YYYY HH24:MI:SS')",) if column.kind == "text" else ())
        ways = [*(in_query(table, name, cast) for cast in casts),
                "number the rows in a query: row_number() OVER (PARTITION BY id ORDER BY ...)"]  # fmt: skip
        return QueryError(expected, f"Name another column, or {', or '.join(ways)}")
    way = "Name another column with --order"
    if seen.holds == "number" and seen.misfit:
        rows = for_shell(f'"{name}" IS NOT NULL')
        return QueryError(
            expected, f"{way}, or leave such rows out: {for_shell(f'--missing={seen.text}')} --where {rows}"
        )
    if column.kind == "text" and not is_id:
        way += f", or say how times are written in {name}, for example --time-format '%d/%m/%Y %H:%M:%S'"
    return QueryError(expected, way)


def _array(table: Table, taken: set[str]) -> tuple[str, ...]:
    said = table.source.values
    name = table.named(said, "source.values") if said else _likely_array(table, taken)
    if table.columns[name].kind not in ("numbers", "json"):
        if table.seen(name).holds == "numbers":
            raise bad_cell(table, name, "an array of numbers")
        raise QueryError(
            f"source.values: column {name} of {table.label} is of type {table.columns[name].type}"
            f"{first_text(table.seen(name))}:"
            " expected an array of numbers (double precision[], real[], numeric[], integer[], jsonb, ...)",
            _remedy(table, name),
        )
    return (name,)


def _likely_array(table: Table, taken: set[str]) -> str:
    if "values" in table.columns:
        return "values"
    arrays = table.of("numbers") or table.of("json")
    if named := table.likely(arrays, _VALUES):
        return named[0]
    if texts := _arrays_with_misfits(table, taken):
        instead = f"name another (--values {for_shell(arrays[0])})" if len(arrays) == 1 else ""
        raise bad_cell(table, texts[0], "an array of numbers", instead, f" --values {for_shell(texts[0])}")
    return table.one_of(arrays, ()) or unclear(table, "which array holds the values", "source.values")


def _arrays_with_misfits(table: Table, taken: set[str]) -> list[str]:
    """Columns of texts most of which are arrays of numbers."""
    return [n for n in table.of("text") if n not in taken and table.seen(n).holds == "numbers"]


def _value(table: Table, taken: set[str]) -> tuple[str, ...]:
    said = table.source.values
    name = table.named(said, "source.values") if said else _likely_value(table, taken)
    if table.is_number(name):
        return (name,)
    if table.seen(name).holds == "number" or (table.seen(name).misfit and not said):
        raise bad_cell(table, name, "a number", _another(table, {*taken, name}))
    raise QueryError(
        f"source.values: column {name} of {table.label} is of type {table.columns[name].type}"
        f"{first_text(table.seen(name))}:"
        " expected one number per row, because source.layout is long",
        _remedy(table, name),
    )


def _likely_value(table: Table, taken: set[str]) -> str:
    """By its name, numbers or not: what is written beside the values must not be taken for them."""
    open_ = [n for n in table.of(*NUMBERS, "text") if n not in taken]
    numbers = [n for n in open_ if table.columns[n].kind in NUMBERS]
    if named := table.likely(open_, _VALUES):
        return named[0]
    floats = [n for n in numbers if table.columns[n].kind == "number"]
    found = table.one_of(floats or numbers, ()) or unclear(table, "where the values are", "source.values")
    for name in (n for n in open_ if n not in numbers):
        if table.seen(name).holds == "number" and table.seen(name).varies:
            instead = f"name what holds them (--values {for_shell(found)})"
            raise bad_cell(table, name, "a number, if it holds the values", instead, f" --values {for_shell(name)}")
    return found


def _another(table: Table, taken: set[str]) -> str:
    numbers = [n for n in table.of("number") if n not in taken]
    return f"name another column (--values {for_shell(numbers[0])})" if len(numbers) == 1 else ""


def _carried(table: Table, taken: set[str]) -> tuple[str, ...]:
    said = table.source.carry
    names = tuple(table.columns) if "*" in said else tuple(table.named(n, "source.carry") for n in dict.fromkeys(said))
    return tuple(n for n in names if n not in taken)


def _remedy(table: Table, name: str) -> str:
    column = table.columns[name]
    if column.kind in NUMBERS:
        return 'If each row holds one value of a series, set source.layout = "long"; else name another column'
    if column.kind == "text":
        query = "" if table.in_files else f"use a query with string_to_array({name}, ',')::float8[] AS {name};"
        file = f"{'in a file ' if query else ''}write it as {{1,2,3}} or [1, 2, 3]"
        return f"If it is a list of numbers as text, {query + ' ' if query else ''}{file}"
    if table.in_files:
        return "Name another column, or write it as {1,2,3} or [1, 2, 3]"
    return f"Name another column, or use a query that makes a float8[] of {name} (examples: sql/)"
