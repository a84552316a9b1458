"""Dumps of pg_dump in plain SQL (-Fp), compressed or not: what lies where in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from tsclust.errors import SourceFileError
from tsclust.source.compressed import TellingFile, codec_of, decompressed
from tsclust.source.pgdump import statements
from tsclust.source.pgdump.archive import MAGIC
from tsclust.source.pgdump.contents import Contents, Part, damaged
from tsclust.source.protocols import OnBytes

_LINE = 1 << 20  # bytes of a line, and of a statement, that are looked at


def is_script(path: Path) -> bool:
    """Does the text of a file begin as pg_dump writes it? Also an archive that was compressed once more does."""
    head = _head(path)
    lines = re.findall(r"(?m)^(?:COPY |-- PostgreSQL database ).*", head.decode("utf-8", "replace"))
    return head.startswith(MAGIC) or any(x[0] == "-" or statements.copied(x, "") for x in lines)


def contents(path: Path) -> Contents:
    """What the dump holds. Raises SourceFileError where it is not whole."""
    return _Scan(path).run()


class _Scan:
    """Goes through a dump in SQL once, line by line."""

    def __init__(self, path: Path) -> None:
        self.found, self.schema, self.place, self.taken = Contents(path, one_pass=bool(codec_of(path))), "", 0, 0
        self._whole = True  # False from the first line that says it is pg_dump's to the one that says it is complete
        self._rows_follow = False

    def run(self) -> Contents:
        """What the dump holds. Raises SourceFileError where it is not whole."""
        with _sql(self.found.path, 0, self._take) as stream:
            if stream.peek(5).startswith(MAGIC):
                raise SourceFileError(f"{self.found.path} is an archive inside an archive", "Unpack it first: gunzip")
            for line in self._lines(stream):
                self._learn(line, stream)
                if self.found.inserts:
                    return self.found
        if not self._whole:
            raise damaged(self.found.path, "is cut off: its last line is missing")
        return self.found

    def _learn(self, line: str, stream: BinaryIO) -> None:
        if line.startswith("-- "):
            self._whole = "dump complete" in line or (self._whole and not line.startswith("-- PostgreSQL database"))
            self._rows_follow |= line.startswith("-- Data for Name: ")
        elif line.startswith("COPY ") and statements.copied(line, ""):
            self._skip_rows(line, stream)
        elif schema := statements.search_path(line):
            self.schema = schema
        elif line.startswith("\\connect ") and self.found.copies:
            raise SourceFileError(f"{self.found.path} contains several databases", "Dump only one, with pg_dump")
        elif line.strip(" -\r\n"):
            self.found.inserts = self._rows_follow and line.startswith("INSERT INTO ")
            self._rows_follow = False
            self.found.learn(line + self._rest(line, stream), self.schema)

    def _rest(self, line: str, stream: BinaryIO) -> str:
        """The further lines of a statement that makes a table, or a key of one."""
        rest = ""
        while (
            (statements.created(line, "") or line.startswith("ALTER TABLE "))
            and not (line + rest).rstrip().endswith(";")
            and len(rest) < _LINE
        ):
            rest += next(self._lines(stream), ";")
        return rest

    def _skip_rows(self, statement: str, stream: BinaryIO) -> None:
        start, fresh, line = self.place, True, b""
        while not (fresh and line.rstrip(b"\r\n") == b"\\."):
            fresh = not line or line.endswith(b"\n")
            line = stream.readline(_LINE)
            self.place += len(line)
            if not line:
                raise damaged(self.found.path, "is cut off in the rows of a table")
        size = self.taken if self.found.one_pass else self.place - start
        self.found.add(statement, self.schema, size, partial(_sql, self.found.path, start), start, self.place)

    def _lines(self, stream: BinaryIO) -> Iterator[str]:
        while line := stream.readline(_LINE):
            self.place += len(line)
            yield line.decode(self.found.encoding, "replace")

    def _take(self, size: int) -> None:
        self.taken += size


@contextmanager
def _sql(path: Path, start: int, tell: OnBytes, buffer: int = 1 << 17) -> Iterator[BufferedReader]:
    """The text of a dump in SQL from byte `start` of the text on."""
    codec = codec_of(path)
    with path.open("rb") as file:
        file.seek(start if codec is None else 0)
        with decompressed(TellingFile(file.read, tell), codec, buffer) as stream:
            Part(stream, start if codec else 0).skip()
            yield stream


def _head(path: Path) -> bytes:
    """The beginning of the text of a file, of one that is cut off too."""
    head = b""
    with suppress(OSError, pa.ArrowInvalid), _sql(path, 0, lambda _: None, 512) as stream:
        while len(head) < 1 << 16 and (more := stream.read(512)):
            head += more
    return head
