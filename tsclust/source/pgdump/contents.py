"""What lies where in a dump of pg_dump, of any format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tsclust.errors import SourceFileError
from tsclust.source.columns import Key
from tsclust.source.compressed import Read
from tsclust.source.pgdump import statements
from tsclust.source.pgdump.statements import Name
from tsclust.source.protocols import OnBytes

# A stream that tells how many bytes of the file it takes.
Opening = Callable[[OnBytes], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True)
class Copy:
    """Rows of a table as COPY text, which ends with a line that holds a backslash and a dot."""

    name: Name
    columns: tuple[str, ...]
    size: int  # bytes to be read, as they lie in the file
    open: Opening
    start: int = 0  # first byte and the first one behind, in the text of a dump in SQL
    end: int = 0


@dataclass
class Contents:
    """What a dump holds, of any format."""

    path: Path
    copies: list[Copy] = field(default_factory=list)
    tables: dict[Name, str] = field(default_factory=dict)  # the text of CREATE TABLE
    parents: dict[Name, tuple[Name, ...]] = field(default_factory=dict)  # a table -> those whose part it is
    partitions: set[Name] = field(
        default_factory=set
    )  # those that are so as partitions: no rows or columns of their own
    domains: dict[Name, str] = field(default_factory=dict)  # what each is of
    types: set[Name] = field(default_factory=set)  # enums and others that are text
    folding: dict[Name, bool] = field(default_factory=dict)  # a collation -> may texts that differ be equal by it?
    keys: dict[Name, list[Key]] = field(default_factory=dict)  # the primary one first
    encoding: str = "UTF8"  # what Python calls it
    inserts: bool = False  # INSERT INTO instead of COPY
    one_pass: bool = False  # compressed SQL: what lies before a table has to be read

    def learn(self, statement: str, schema: str) -> None:
        """Note what a statement of SQL says of tables; `schema` is where names without one are."""
        if table := statements.created(statement, schema):
            self.tables[table] = statement
        if kin := statements.kin(statement, schema):
            self.parents[kin[0]] = (*self.parents.get(kin[0], ()), *kin[1])
            self.partitions |= {kin[0]} if kin[2] else set()
        elif domain := statements.domain(statement, schema):
            self.domains[domain[0]] = domain[1]
        elif collation := statements.made_collation(statement, schema):
            self.folding[collation[0]] = collation[1]
        elif made := statements.made_type(statement, schema):
            self.types.add(made)
        elif key := statements.key(statement, schema):
            self.keys.setdefault(key[0], []).insert(0 if key[2] else len(self.keys[key[0]]), key[1])
        elif encoding := statements.client_encoding(statement):
            try:
                self.encoding = statements.python_encoding(encoding)
            except (LookupError, UnicodeError):
                raise SourceFileError(f"{self.path} is in {encoding}", "Dump again with: pg_dump -E UTF8") from None

    def add(self, statement: str, schema: str, size: int, opening: Opening, start: int = 0, end: int = 0) -> None:
        """Note the rows that belong to a COPY statement."""
        if found := statements.copied(statement, schema):
            self.copies.append(Copy(*found, size, opening, start, end))
        else:
            self.inserts = True

    def streams(self, copies: Sequence[Copy], tell: OnBytes) -> Iterator[tuple[Copy, Read]]:
        """What reads the rows of each of `copies`."""
        if self.one_pass:
            yield from self._in_one_pass(copies, tell)
            return
        for copy in copies:
            with copy.open(tell) as stream:
                yield copy, stream.read

    def _in_one_pass(self, copies: Sequence[Copy], tell: OnBytes) -> Iterator[tuple[Copy, Read]]:
        with copies[0].open(tell) as stream:
            place = copies[0].start
            for copy in copies:
                Part(stream, copy.start - place).skip()
                part = Part(stream, copy.end - copy.start)
                yield copy, part.read
                place = copy.end - part.left


class Part:
    """The next `left` bytes of a stream."""

    def __init__(self, stream: BinaryIO, left: int) -> None:
        self.stream, self.left = stream, left

    def read(self, size: int) -> bytes:
        """At most `size` of them."""
        data = self.stream.read(min(size, self.left))
        self.left -= len(data)
        return data

    def skip(self) -> None:
        """Read what is left of them."""
        while self.read(1 << 20):
            pass


def damaged(path: Path, what: str = "is cut off or damaged") -> SourceFileError:
    """The error for a dump that ends too early, or makes no sense."""
    return SourceFileError(f"{path} {what}", "Copy it again from where it was made, or make the dump again")
