"""Archives of pg_dump, in one file (-Fc) or in a folder (-Fd): what lies where in them.

The layout of an archive: src/bin/pg_dump/pg_backup_archiver.c (ReadHead, ReadToc) and pg_backup_custom.c of PostgreSQL.
Every length in it is held against the size of the file before it is believed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tsclust.errors import SourceFileError
from tsclust.source.compressed import TellingFile, decompressed
from tsclust.source.pgdump.contents import Contents, Opening, damaged
from tsclust.source.protocols import OnBytes

MAGIC = b"PGDMP"
_OLDEST, _NEWEST = (1, 12), (1, 16)  # PostgreSQL 9.0 and 18
_CUSTOM, _TAR_OR_DIRECTORY = 1, 3  # a directory's toc.dat says that it is a tar
_CODECS = (None, "gzip", "lz4", "zstd")  # "gzip" reads zlib streams too, which is what custom archives hold
_SUFFIXES = {"": None, ".gz": "gzip", ".lz4": "lz4", ".zst": "zstd"}
_ROWS, _BLOBS = 1, 3  # kinds of data in a custom archive
_HERE, _NOWHERE = 2, 3  # what is known of the place of an entry's data


class Entry(NamedTuple):
    """An entry of an archive's table of contents."""

    id: int
    tag: bytes
    kind: bytes
    definition: bytes
    copy: bytes
    schema: bytes
    state: int
    place: int
    file: bytes


def contents(path: Path) -> Contents:
    """What the archive `path` holds, a file or a folder. Raises SourceFileError."""
    toc = path / "toc.dat" if path.is_dir() else path
    with toc.open("rb") as file:
        cursor = _Cursor(file, toc)
        codec = cursor.head(_TAR_OR_DIRECTORY if path.is_dir() else _CUSTOM)
        entries = [cursor.entry(path.is_dir()) for _ in range(cursor.number())]
        found = _learned(path, entries)
        rows = [e for e in entries if e.kind == b"TABLE DATA" and e.state != _NOWHERE]
        places = {} if path.is_dir() else cursor.places(rows)
    for entry in rows:
        size, opening = (
            _in_folder(path, entry) if path.is_dir() else _in_file(cursor, codec, entry.id, places.get(entry.id))
        )
        found.add(_text(entry.copy, found), _text(entry.schema, found), size, opening)
    return found


def _learned(path: Path, entries: Sequence[Entry]) -> Contents:
    """What the statements of the entries say."""
    found = Contents(path)
    for entry in sorted(entries, key=lambda e: e.kind != b"ENCODING"):  # it says how to read all others
        found.learn(_text(entry.definition, found), _text(entry.schema, found))
    return found


class _Cursor:
    """Reads the numbers and texts of an archive one after another."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file, self.path = file, path
        self.end = os.fstat(file.fileno()).st_size
        self.version, self.number_size, self.place_size = (0, 0), 4, 8

    def take(self, size: int) -> bytes:
        data = self.file.read(size) if 0 <= size <= self.end else b""
        if len(data) != size:
            raise damaged(self.path)
        return data

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        sign, size = self.byte(), int.from_bytes(self.take(self.number_size), "little")
        return -size if sign else size

    def text(self) -> bytes | None:
        size = self.number()
        return None if size < 0 else self.take(size)

    def head(self, expected: int) -> str | None:
        """The codec of the data, of an archive of the `expected` kind. Raises SourceFileError for versions unknown."""
        magic, self.version = self.take(5), (self.byte(), self.byte())
        if magic != MAGIC:
            raise damaged(self.path, "is not an archive of pg_dump")
        self._check_version()
        self.byte()  # the revision
        self.number_size, self.place_size, kind = self.byte(), self.byte(), self.byte()
        if kind != expected or not (1 <= self.number_size <= 8 and 1 <= self.place_size <= 8):
            raise damaged(self.path)
        codec = self._codec()
        for _ in range(7):  # the time it was made
            self.number()
        for _ in range(3):  # database, version of server and pg_dump
            self.text()
        return codec

    def _check_version(self) -> None:
        if not _OLDEST <= self.version <= _NEWEST:
            raise SourceFileError(
                f"{self.path} is an archive of version {self.version[0]}.{self.version[1]}: expected 1.12 to 1.16",
                "Convert it to SQL with the pg_restore of the PostgreSQL it is from: pg_restore -f dump.sql",
            )

    def _codec(self) -> str | None:
        codec = self.byte() if self.version >= (1, 15) else int(self.number() != 0)
        if codec >= len(_CODECS):
            raise damaged(self.path)
        return _CODECS[codec]

    def entry(self, folder: bool) -> Entry:
        """The next entry of the table of contents."""
        id_ = self.number()
        self.number()  # has data
        self.text(), self.text()  # the ids of its catalogue and its row there
        tag, kind = self.text() or b"", self.text() or b""
        self.number()  # section
        definition, _, copy, schema = (self.text() or b"" for _ in range(4))
        self.text()  # tablespace
        if self.version >= (1, 14):
            self.text()  # table access method
        if self.version >= (1, 16):
            self.number()  # kind of relation
        self.text(), self.text()  # owner, with oids
        while self.text() is not None:  # what it depends on
            pass
        if folder:
            return Entry(id_, tag, kind, definition, copy, schema, 0, 0, self.text() or b"")
        state, place = self.byte(), int.from_bytes(self.take(self.place_size), "little")
        return Entry(id_, tag, kind, definition, copy, schema, state, place, b"")

    def places(self, entries: list[Entry]) -> dict[int, tuple[int, int]]:
        """Entry -> the first byte of its data and the first byte behind it."""
        if any(e.state != _HERE for e in entries):  # written into a pipe
            return dict(self._walk({e.id for e in entries}))
        starts = sorted(e.place for e in entries)
        ends = dict(pairwise([*starts, self.end]))
        return {e.id: (e.place, ends[e.place]) for e in entries}

    def _walk(self, ids: set[int]) -> Iterator[tuple[int, tuple[int, int]]]:
        """The same from the data themselves, from here on, until all `ids` are found."""
        while ids and (kind := self.file.read(1)):
            start, id_ = self.file.tell() - 1, self.number()
            if kind[0] not in (_ROWS, _BLOBS):
                raise damaged(self.path)
            while kind[0] == _ROWS or self.number():  # blobs: one after another, each behind its id
                while size := self.number():
                    self.skip(size)
                if kind[0] == _ROWS:
                    break
            ids.discard(id_)
            yield id_, (start, self.file.tell())

    def skip(self, size: int) -> None:
        if size < 0 or self.file.tell() + size > self.end:
            raise damaged(self.path)
        self.file.seek(size, os.SEEK_CUR)


class _Blocks:
    """The blocks of an entry of a custom archive, one behind the other, from the place of its data on."""

    def __init__(self, cursor: _Cursor, id_: int, place: int) -> None:
        self._cursor, self._left, self._ended = cursor, 0, False
        cursor.file.seek(min(place, cursor.end))
        if (cursor.byte(), cursor.number()) != (_ROWS, id_):
            raise damaged(cursor.path)

    def read(self, size: int) -> bytes:
        if not self._left and not self._ended:
            self._left = self._cursor.number()
            self._ended = not self._left
        data = self._cursor.take(min(size, self._left) if self._left >= 0 else -1)
        self._left -= len(data)
        return data


def _in_file(cursor: _Cursor, codec: str | None, id_: int, place: tuple[int, int] | None) -> tuple[int, Opening]:
    if place is None:
        raise damaged(cursor.path)
    return max(0, place[1] - place[0]), partial(_blocks, cursor, codec, id_, place[0])


@contextmanager
def _blocks(cursor: _Cursor, codec: str | None, id_: int, place: int, tell: OnBytes) -> Iterator[BinaryIO]:
    with cursor.path.open("rb") as file:
        own = _Cursor(file, cursor.path)
        own.number_size = cursor.number_size
        with decompressed(TellingFile(_Blocks(own, id_, place).read, tell), codec) as stream:
            yield stream


def _in_folder(folder: Path, entry: Entry) -> tuple[int, Opening]:
    name = entry.file.decode("utf-8", "replace")
    for suffix, codec in _SUFFIXES.items():
        path = folder / f"{name}{suffix}"
        if name and Path(name).name == name and path.is_file():  # a name may not lead out of the folder
            return path.stat().st_size, partial(_file, path, codec)
    raise damaged(folder, f"has no file {name}, where the rows of {entry.tag.decode('utf-8', 'replace')} should be")


@contextmanager
def _file(path: Path, codec: str | None, tell: OnBytes) -> Iterator[BinaryIO]:
    with path.open("rb") as file, decompressed(TellingFile(file.read, tell), codec) as stream:
        yield stream


def _text(data: bytes, found: Contents) -> str:
    return data.decode(found.encoding, "replace")
