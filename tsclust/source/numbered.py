"""Sets of columns that a number tells apart: v0, v1, ...; which belong together, their order, what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from itertools import pairwise

FEWEST_WIDE = 8  # columns v0, v1, ... that make a wide table; fewer are columns of their own
_AT_END = re.compile(r"(?P<before>.*?)(?P<number>\d+)")
_LAST = re.compile(r"(?P<sign>-?)(?P<whole>\d+)(?P<part>\.\d+)?(?=\D*$)")
_SOME = 20  # missing numbers that are counted out


def families(names: Iterable[str]) -> dict[str, list[str]]:
    """Names that are alike but for the number at their end, by what comes before it; -1 belongs to 0 and 1."""
    found: dict[str, list[str]] = {}
    for name in names:
        if match := _AT_END.fullmatch(name):
            found.setdefault(match["before"], []).append(name)
    for before in [b for b in found if b.endswith("-") and b[:-1] in found]:
        found[before[:-1]] += found.pop(before)
    return found


def alike(before: str) -> str:
    """What stands before the number, its own digits, case and separators left out: `s1_v` and `S2-v` are alike."""
    return re.sub(r"[\d\s_.-]+", "", before).casefold()


def numbers(names: Sequence[str]) -> dict[str, Decimal]:
    """Name -> its last number. A dot is a decimal point where the digits before it differ (t0.9, t1.0), a sign counts
    where both are there (t-1, t1)."""
    found = {name: match for name in names if (match := _LAST.search(name))}
    wholes = {m["whole"] for m in found.values() if m["part"]}
    decimal = len(wholes | {m["whole"] for m in found.values() if not m["part"]}) > 1 if wholes else False
    signed = _has_sign(found)
    return {name: _number(match, decimal=decimal, signed=signed) for name, match in found.items()}


def ordered(names: Sequence[str]) -> tuple[str, ...]:
    """`names` by their numbers; those without any stay where they are, before the others."""
    of = numbers(names)
    return tuple(sorted(names, key=lambda name: of.get(name, Decimal("-Infinity"))))


def twice(names: Sequence[str]) -> tuple[str, str] | None:
    """Two names with the same number (v1 and v01), if there are any."""
    of = numbers(names)
    pairs = pairwise(sorted(of, key=lambda name: of[name]))
    return next(((a, b) for a, b in pairs if of[a] == of[b]), None)


def missing(names: Sequence[str]) -> list[str]:
    """The numbers between the first and the last that no name has, at most _SOME; [] where all steps are equal."""
    there = sorted(numbers(names).values())
    steps = {b - a for a, b in pairwise(there)}
    if len(steps) < 2:
        return []
    step, of = min(steps), set(there)
    count = int((there[-1] - there[0]) / step)
    return [f"{n.normalize():f}" for i in range(min(count, 10_000)) if (n := there[0] + i * step) not in of][:_SOME]


def as_ranges(names: Sequence[str]) -> str:
    """`names`, which are in order, as a setting: v0..v6,v8..v11."""
    of, runs = numbers(names), [[names[0]]]
    steps = [of[b] - of[a] for a, b in pairwise(names)]
    for name, step in zip(names[1:], steps, strict=True):
        alike = _LAST.sub("", name) == _LAST.sub("", runs[-1][-1])
        runs[-1].append(name) if alike and step == min(steps) else runs.append([name])
    return ",".join(run[0] if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs)


def is_set(said: str, names: Iterable[str]) -> bool:
    """Does the setting mean several columns: a pattern (v*), a range (v0..v9), or several of these with commas?"""
    return said not in names and any(sign in said for sign in ("*", "?", "[", ",", ".."))


def fits(name: str, said: str) -> bool:
    """Is `name` one of those that the setting means?"""
    return any(_fits(name, piece.strip()) for piece in said.split(",")) or fnmatchcase(name, said)


def ends(said: str) -> list[str]:
    """The columns that the setting names in full: those of a list, and the ends of its ranges."""
    pieces = [end.strip() for piece in said.split(",") for end in piece.split("..")]
    return [p for p in pieces if p and not any(sign in p for sign in "*?[")]


def pieces(names: Sequence[str], said: str) -> list[list[str]]:
    """The names that each piece of the setting means."""
    return [[n for n in names if _fits(n, piece.strip())] for piece in said.split(",")]


def _fits(name: str, piece: str) -> bool:
    first, two, last = piece.partition("..")
    if not two:
        return name == piece or fnmatchcase(name, piece)
    of = numbers([first, last, name])
    around = {_LAST.sub("", n) for n in (first, last, name)}
    return len(of) == len({first, last, name}) and len(around) == 1 and of[first] <= of[name] <= of[last]


def _has_sign(found: dict[str, re.Match[str]]) -> bool:
    """t-1 has a sign where t1 is there too, or where the name is nothing but a number."""
    before = {name[: m.start("sign")] for name, m in found.items()}
    plain = {name[: m.start("sign")] for name, m in found.items() if not m["sign"]}
    return before == {""} or any(m["sign"] and name[: m.start("sign")] in plain for name, m in found.items())


def _number(match: re.Match[str], *, decimal: bool, signed: bool) -> Decimal:
    part = match["part"] or ""
    number = Decimal(match["whole"] + part if decimal or not part else part[1:])
    return -number if signed and match["sign"] else number
