"""A column for each value: which columns are the values. What belongs to the set and is no number is refused."""

from __future__ import annotations

from tsclust.errors import QueryError
from tsclust.source import numbered
from tsclust.source.columns import for_shell
from tsclust.source.numbered import FEWEST_WIDE
from tsclust.source.table import NUMBERS, Table, bad_cell, no_such_column

_DIGITS = "0123456789"


def is_wide(table: Table) -> bool:
    """Are there enough columns called alike but for a number?"""
    return len(_members(table, _family(table))) >= FEWEST_WIDE


def values(table: Table, taken: set[str]) -> tuple[str, ...]:
    """The columns of the values, in their order.

    Raises BadSeriesError or QueryError where one that belongs to them holds something else, or where their numbers
    have a gap or leave their order open.
    """
    said = table.source.values
    every = _meant(table, said) if said else _family(table)
    every = [name for name in every if name not in taken]
    names = [name for name in every if table.is_number(name)]
    if not names:
        _nothing(table, taken, every)
    _check_kinds(table, every, names)
    _check_order(table, names)
    if not said:
        _check_rivals(table, names, taken)
    ordered = numbered.ordered(names)
    for piece in numbered.pieces(ordered, said) if said else [list(ordered)]:
        _check_gaps(table, piece, ordered)
    return ordered


def _meant(table: Table, said: str) -> list[str]:
    for end in numbered.ends(said):
        if end not in table.columns:
            raise no_such_column(table.label, "source.values", end, table.columns)
    return [name for name in table.columns if numbered.fits(name, said)]


def _family(table: Table) -> list[str]:
    """The largest set of columns called alike but for a number at their end, by what of it is meant to be numbers."""
    found = numbered.families(table.columns).values()
    return max(found, key=lambda names: len(_members(table, names)), default=[])


def _members(table: Table, names: list[str]) -> list[str]:
    """Those that hold numbers, and texts most of which are numbers where the set is large enough to be the values."""
    plain = [n for n in names if table.columns[n].kind in NUMBERS]
    if len(plain) == len(names) or len(names) < FEWEST_WIDE:
        return plain
    return [n for n in names if n in plain or table.seen(n).holds == "number"]


def _nothing(table: Table, taken: set[str], every: list[str]) -> None:
    for name in every:
        raise bad_cell(table, name, "numbers, as it is one of the values")
    numbers = [n for n in table.of(*NUMBERS) if n not in taken]
    raise QueryError(
        f"source.values = {table.source.values!r} matches no number columns of {table.label} (it has"
        f" {', '.join(numbers)})",
        'Give a pattern that matches them all, for example values = "v*"',
    )


def _check_kinds(table: Table, every: list[str], names: list[str]) -> None:
    """A text among the values is an error: without its column every series would lack a sample."""
    ordered = numbered.ordered(names)
    known = {*names, *table.source.carry}
    others = [name for name in every if name not in known]
    if numbered.numbers(names):  # valve is no sample of v0, v1, ...
        others = [name for name in others if any(c in _DIGITS for c in name)]
    for name in others:
        expected = f"a number, as in {ordered[0]} ... {ordered[-1]}"
        instead = f"leave it out ({_flag(numbered.as_ranges(ordered))})" if len(others) == 1 else ""
        raise bad_cell(table, name, expected, instead)


def _check_order(table: Table, names: list[str]) -> None:
    of = numbered.numbers(names)
    without = [name for name in names if name not in of]
    if of and without:
        raise QueryError(
            f"source.values = {table.source.values!r} matches column {without[0]} of {table.label}, whose name has no"
            f" number that orders it among {next(iter(of))} ... {list(of)[-1]}",
            f"Omit it ({_flag(numbered.as_ranges(numbered.ordered(list(of))))})",
        )
    if pair := numbered.twice(names):
        raise QueryError(
            f"{table.label}: columns {pair[0]} and {pair[1]} have the same number: expected one that orders the values",
            "Rename one of them, or leave one out: name the others in source.values, for example v0..v9",
        )


def _check_rivals(table: Table, names: list[str], taken: set[str]) -> None:
    """Other sets that may just as well be the values: as large, or called alike but for a digit or capitals."""
    mine = numbered.families(names)
    (before,) = mine if len(mine) == 1 else ("",)
    known = {*names, *taken}
    for other, found in numbered.families(table.columns).items():
        rivals = [n for n in found if n not in known and table.columns[n].kind in NUMBERS]
        alike = numbered.alike(other) == numbered.alike(before)
        if rivals and (alike or len(rivals) == len(names)) and len(names) >= 2:
            first, all_ = numbered.ordered(names), numbered.ordered([*names, *rivals])
            both = f", or all of them ({_flag(numbered.as_ranges(all_))})" if alike and not numbered.twice(all_) else ""
            raise QueryError(
                f"{table.label}: it is not clear which columns are the values: {first[0]} ... {first[-1]}, or"
                f" {rivals[0]}{' ... ' + rivals[-1] if len(rivals) > 1 else ''} too",
                f"Name them ({_flag(numbered.as_ranges(first))}){both}",
            )


def _check_gaps(table: Table, names: list[str], every: tuple[str, ...]) -> None:
    if gaps := numbered.missing(names):
        some = ", ".join(gaps[:5]) + (", ..." if len(gaps) > 5 else "")
        raise QueryError(
            f"{table.label}: columns {names[0]} ... {names[-1]} have no number {some}: expected one with every number",
            f"Add what is missing, or if nothing is name the columns ({_flag(numbered.as_ranges(every))})",
        )


def _flag(said: str) -> str:
    return f"--values {for_shell(said)}"
