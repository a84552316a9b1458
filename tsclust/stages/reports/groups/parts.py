"""A report of several files, where one would be too long: an index, and parts with a few groups each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tsclust.stages.reports.data import Group, ReportData

INDEX = "index.html"


@dataclass(frozen=True)
class Book:
    """parts: the groups in each, by the file's name; index: those there; here: the name of the file that a page is.

    ids: of the report that each file is, under which a browser keeps its answers
    """

    parts: tuple[tuple[str, tuple[Group, ...]], ...]
    index: tuple[Group, ...] = ()
    here: str = INDEX
    ids: tuple[tuple[str, str], ...] = ()

    @property
    def beside(self) -> tuple[str, ...]:
        """The reports whose answers a page takes over: the index those of all parts, a part that of the index."""
        return tuple(name for file, name in self.ids if (file == INDEX) != (self.here == INDEX))

    @property
    def elsewhere(self) -> list[tuple[Group, str]]:
        """The groups of the parts, and the file that has the card of each; nothing as seen from a part."""
        return [(group, file) for file, groups in self.parts for group in groups] if self.here == INDEX else []

    @property
    def names(self) -> list[str]:
        return [file for file, _ in self.parts]

    @property
    def number(self) -> int:
        """Of this part, from 1 on; 0 is the index."""
        return 0 if self.here == INDEX else 1 + self.names.index(self.here)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Of all parts: those to look at."""
        return tuple(itertools.chain.from_iterable(groups for _, groups in self.parts))

    def href(self, group: str) -> str | None:
        """Where the card of a group is, seen from here; None for one that has none."""
        files = ((INDEX, self.index), *self.parts)
        file = next((file for file, groups in files if any(g.name == group for g in groups)), None)
        return f"{'' if file == self.here else file}#group-{group}" if file else None


ALONE = Book(())  # a page that is all of its report


def _with_rows(data: ReportData, cards: list[Group]) -> Iterator[Group]:
    """Each of these cards, and the rows under it."""
    for card in cards:
        yield card
        yield from (g for g in data.groups if g.family is not None and g.family.group == card.name)


def bind(data: ReportData, per: int) -> Iterator[tuple[Book, ReportData]]:
    """The index, then every part with `per` groups or less. What is normal, or impossible, is in the index."""
    cards = [g for g in data.groups if not g.normal and g.family is None]
    parts = [[*_with_rows(data, cards[at : at + per])] for at in range(0, len(cards), per)]
    normal = tuple(g for g in data.groups if g.normal)
    book = Book(tuple((f"part-{n}.html", tuple(groups)) for n, groups in enumerate(parts, start=1)), normal)
    yield book, replace(data, groups=normal)
    for file, groups in book.parts:
        yield replace(book, here=file), replace(data, groups=groups, rejected=(), sweep=(), sheet=(), is_part=True)
