"""Series in files: what each of them is, and all of them as one `Rows`."""

from __future__ import annotations

import shlex
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tsclust.config import MISSING
from tsclust.errors import SettingsError, SourceFileError
from tsclust.source.files import csv_file, folders, parquet_file
from tsclust.source.files.columns import unreadable
from tsclust.source.files.csv_file import BLOCK
from tsclust.source.files.csv_text import GZIP, UTF_16
from tsclust.source.files.objects import AT_ONCE, FilePath, ObjectPath
from tsclust.source.files.paths import EXPECTED, found, label_of, root_of
from tsclust.source.files.several import several
from tsclust.source.pgdump import tables
from tsclust.source.protocols import Rows

T = TypeVar("T")
_CSV, _PARQUET, _DUMP = "CSV", "Parquet", "pg_dump"
_MAGIC = b"PAR1"
_ENCRYPTED = "encrypted"
_LOOKS = {  # the first bytes of what cannot be read, what it is, and the next step
    b"PARE": ("an encrypted Parquet file", "Write it again without encryption"),
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "Unpack it, or save the sheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", "Save the sheet as CSV"),
    b"SQLite format 3\0": ("an SQLite database", "Export the table as CSV: sqlite3 -csv -header FILE 'SELECT ...'"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", "Unpack it: zstd -d"),
    b"\xfd7zXZ\0": ("an xz file", "Unpack it: unxz"),
    b"BZh": ("a bzip2 file", "Unpack it: bunzip2"),
    b"\x04\x22\x4d\x18": ("an lz4 file", "Unpack it: lz4 -dm"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "Unpack it"),
    b"Rar!": ("a rar archive", "Unpack it"),
    GZIP: ("a gzip file inside a gzip file", "Unpack it once: gunzip"),
    _MAGIC: ("a Parquet file inside a gzip file", "Unpack it: gunzip"),
    b"PGDMP": ("a pg_dump inside a gzip file", "Unpack it: gunzip"),
    b"ARROW1": ("an Arrow file", "Write it as Parquet: pyarrow.parquet.write_table"),
    b"\x89HDF": ("an HDF5 file", "Write its table as Parquet or CSV"),
    b"\x93NUMPY": ("a numpy array", "Write it as Parquet or CSV"),
    b"ORC": ("an ORC file", "Write it as Parquet"),
    b"Obj\x01": ("an Avro file", "Write it as Parquet"),
    b"<": ("HTML or XML", "Name the file with the data: this may be a page that was saved in its place"),
    b"%PDF": ("a PDF", "Name the file with the data"),
    b"Salted__": (_ENCRYPTED, "Decrypt it first: openssl enc -d"),
    b"age-encryption.org": (_ENCRYPTED, "Decrypt it first: age -d"),
    b"-----BEGIN PGP": (_ENCRYPTED, "Decrypt it first: gpg -d"),
}
_TAR = 257  # where a tar archive says that it is one


def opened(where: str, table: str, base: Path, missing: tuple[str, ...] = MISSING) -> Rows:
    """The rows of the file, folder or glob `where`, relative to `base`; `table` names the table of a dump.

    missing: the texts that mean a missing value in columns of numbers and times.

    Raises SettingsError where it means nothing, files of several kinds or of different columns, SourceFileError where
    a file cannot be read, BadSeriesError where its header or its rows are no table.
    """
    paths = found(where, base)
    kinds = dict(zip(paths, _side_by_side(lambda path: kind(path, label_of(path, base)), paths), strict=True))
    _check_kinds(where, kinds)
    only = kinds[paths[0]]
    first = paths[0]
    if only == _DUMP and isinstance(first, Path):
        return tables.opened(first, table, missing)
    if table.strip():
        raise SettingsError(
            f"source.table = {table!r}: {where} is {only} and has no tables in it",
            "Remove source.table: it names a table of a pg_dump or of a database",
        )
    sample = max(BLOCK // len(paths), 1 << 20)
    parts = _side_by_side(lambda path: _part(path, label_of(path, base), only, sample, missing), paths)
    label = parts[0].label if len(parts) == 1 else f"{where} ({len(parts)} files)"
    return several(label, parts, paths, folders.columns(root_of(where, base), paths), text_wins=only == _CSV)


def kind(path: FilePath, label: str) -> str:
    """CSV, Parquet or pg_dump, by what is inside. Raises SourceFileError where it is none of them."""
    try:
        if path.is_dir():
            return _DUMP
        if not path.is_file():
            raise SourceFileError(f"{label} is not a regular file: {EXPECTED}", "Write it to a file: it is read twice")
        head, tail = _ends(path)
        if head.startswith(_MAGIC):
            return _parquet(label, tail)
        if isinstance(path, ObjectPath):
            _refuse_dump(label, head)
        elif head and tables.is_dump(path):
            return _DUMP
    except OSError as error:
        raise unreadable(label, error) from None
    _check_text(label, _inside(label, head) if head.startswith(GZIP) else head, head)
    return _CSV


def _refuse_dump(label: str, head: bytes) -> None:
    if head.startswith(b"PGDMP") or b"-- PostgreSQL database dump" in head[:1_000]:
        raise SourceFileError(
            f"{label} is a pg_dump: expected CSV (also .gz) or Parquet in S3, as a dump is read in more than one pass",
            f"Copy it here first: aws s3 cp {shlex.quote(label)} .",
        )


def _side_by_side(look: Callable[[FilePath], T], paths: Sequence[FilePath]) -> list[T]:
    """What is found of each: of objects several at a time, as each is a wait for the network."""
    if not isinstance(paths[0], ObjectPath):
        return [look(path) for path in paths]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(look, paths))


def _ends(path: FilePath) -> tuple[bytes, bytes]:
    """The first and the last bytes of a file."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
        file.seek(max(0, path.stat().st_size - len(_MAGIC)))
        return head, file.read()


def _parquet(label: str, tail: bytes) -> str:
    if tail in (_MAGIC, b"PARE"):
        return _PARQUET
    raise SourceFileError(
        f"{label} is cut off: a Parquet file ends with {_MAGIC.decode()}", "Copy it again, or create it again"
    )


def _inside(label: str, head: bytes) -> bytes:
    """The first bytes of what is inside a gzip."""
    try:
        return zlib.decompressobj(wbits=31).decompress(head)
    except zlib.error as error:
        raise SourceFileError(
            f"{label}: the gzip file is damaged ({error})", "Copy it again, or create it again"
        ) from None


def _check_text(label: str, text: bytes, head: bytes) -> None:
    """Raises SourceFileError where this is the beginning of something else than text."""
    if not text.strip():
        what = "is empty" if not head or not text else "is blank"
        raise SourceFileError(f"{label} {what}: {EXPECTED}", "Check how it was made: nothing was written to it")
    if text[:2] in UTF_16:
        return
    in_gzip = head.startswith(GZIP) and text is not head
    for magic, (what, step) in _LOOKS.items():
        if text.startswith(magic):
            raise SourceFileError(f"{label} is {what}: {EXPECTED}", step)
    if text[_TAR : _TAR + 5] == b"ustar":
        raise SourceFileError(f"{label} is a tar archive: {EXPECTED}", f"Unpack it: tar x{'z' if in_gzip else ''}f")
    _check_characters(label, text)


def _check_characters(label: str, text: bytes) -> None:
    zeros = text.count(b"\0")
    if zeros > len(text) // 4 and max(text[::2].count(b"\0"), text[1::2].count(b"\0")) > 0.9 * zeros:
        raise SourceFileError(
            f"{label} is UTF-16 text: {EXPECTED}",
            f"Save it as UTF-8: iconv -f UTF-16LE -t UTF-8 {shlex.quote(label)} > utf8.csv, and read that file",
        )
    if zeros or sum(text.count(bytes([c])) for c in range(1, 9)) > len(text) // 100:
        raise SourceFileError(
            f"{label} is not text; it looks encrypted, packed or binary: {EXPECTED}",
            "Decrypt, unpack or convert it",
        )
    if text.lstrip().startswith((b'{"', b'[{"', b"[\n", b"{\n")):
        raise SourceFileError(f"{label} is JSON: {EXPECTED}", "Write it as CSV or Parquet: polars.read_ndjson reads it")


def _check_kinds(where: str, kinds: Mapping[FilePath, str]) -> None:
    """Raises SettingsError where the files are of several kinds, or several dumps."""
    first = {name: path.name for path, name in reversed(list(kinds.items()))}
    if len(first) > 1:
        mixture = " and ".join(f"{name} ({first[name]}, ...)" for name in sorted(first))
        raise SettingsError(f"{where} has files of several kinds: {mixture}", "Name one kind: a glob such as *.parquet")
    if _DUMP in first and len(kinds) > 1:
        raise SettingsError(
            f"{where} matches {len(kinds)} dumps: expected one", f"Name one, for example {first[_DUMP]}"
        )


def _part(path: FilePath, label: str, kind: str, sample: int, missing: tuple[str, ...]) -> Rows:
    if kind == _PARQUET:
        return parquet_file.opened(path, label, missing)
    return csv_file.opened(path, label, sample, missing)
