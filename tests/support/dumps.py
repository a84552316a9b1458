"""Dumps for the tests: made by pg_dump from a database with odd tables, rewritten, or written by hand."""

from __future__ import annotations

import gzip
import io
import math
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg.conninfo import make_conninfo

from tests.support.servers import new_database
from tsclust.embedded_postgres.server import Server
from tsclust.source.pgdump import tables
from tsclust.source.protocols import Rows

F64, LIST, TEXT = pa.float64(), pa.list_(pa.float64()), pa.string()
ODD = "".join(map(chr, range(1, 32))) + "\\N \\\\n \\t é 本 \U0001f600 \"quoted\" 'it''s' {1,2} , ; \x7f"
TABLES = r"""
CREATE SCHEMA machine;
CREATE SCHEMA "My.Schema";
CREATE TYPE mood AS ENUM ('1', '2');
CREATE TABLE machine.odd (
    id bigint PRIMARY KEY, label text DEFAULT E'a,\n    id text', "val""ues" double precision[], small smallint,
    "whole number" integer, r real, d double precision, n numeric(20,3), b boolean, day date,
    at timestamp(3) without time zone, atz timestamptz, rs real[], ns numeric[], ints integer[], j jsonb, js json,
    words text[], mood mood, u uuid, doubled bigint GENERATED ALWAYS AS (id % 7) STORED,
    CONSTRAINT positive CHECK (id <> 5 OR label <> 'b);')
);
CREATE TABLE machine.cycles (id integer, "values" real[]);
CREATE TABLE machine.empty (id integer, "values" real[]);
CREATE TABLE "My.Schema".cycles (id text, "values" double precision[]);
CREATE TABLE "My.Schema"."T ""q"".x" ("a,b" text, "values" double precision[]);
CREATE TABLE machine.parts (id integer, at date, "values" double precision[]) PARTITION BY RANGE (id);
CREATE TABLE machine.part_1 PARTITION OF machine.parts FOR VALUES FROM (0) TO (10);
CREATE TABLE machine.part_2 ("values" double precision[], id integer, at date);
ALTER TABLE machine.parts ATTACH PARTITION machine.part_2 FOR VALUES FROM (10) TO (20);
INSERT INTO machine.cycles VALUES (1, '{1,2}'), (2, NULL);
INSERT INTO "My.Schema".cycles VALUES ('007', '{0.1}'), ('', '{}');
INSERT INTO "My.Schema"."T ""q"".x" VALUES (E'tab\there', '{NULL,NaN}');
INSERT INTO machine.parts SELECT i, '2024-01-05', ARRAY[i, i / 8.0] FROM generate_series(0, 19) i;
SELECT lo_create(4242);
"""
DAY, NOON = date(2024, 1, 5), datetime(2024, 1, 5, 12, 0, 0, 123000)
LISTS: list[list[float | None]] = [
    [],
    [None],
    [math.nan, math.inf, -math.inf, None],
    [0.1, 1e300, 5e-324, -0.0],
    [float(i) for i in range(300)],
]
HEAD = "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\n"
TAIL = "\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n"
ARCHIVE_CODECS = {"lz4": 2, "zstd": 3}  # what the head of an archive calls them
ON_18 = pytest.mark.parametrize("filled", ["server"], indirect=True)  # what depends on no version
Make = Callable[[Server, Path], Path]


def odd_rows() -> Iterator[tuple[Any, ...]]:
    """The rows of machine.odd: what every type may hold."""
    yield (1, ODD, LISTS[0], -32768, 2**31 - 1, 0.5, 0.1, "12345678901234567.125", True, DAY, NOON,
           NOON.replace(tzinfo=UTC), [0.5], ["1.5"], [1, None], "[1, 2.5, null]", "[[1], 2]", ["a"], "1",
           "0" * 32)  # fmt: skip
    yield (2**63 - 1, "", LISTS[1], None, None, math.nan, math.inf, "NaN", False, date.max, datetime.min, None,
           [], [], [], "[]", '{"a": "\\\\ \\t"}', [], "2", None)  # fmt: skip
    yield (-(2**63), None, None, *[None] * 17)
    for i, values in enumerate([*LISTS, *LISTS, *LISTS]):
        yield (i + 10, "\\" * i, values, i, i, i, i, i, i % 2 == 0, DAY, NOON, NOON.replace(tzinfo=UTC),
               values[:1], ["1e3"], [i], "[1]", "{}", ["x"], "1", None)  # fmt: skip


@contextmanager
def dumped_database(server: Server) -> Iterator[Server]:
    """The server, with the TABLES and `odd_rows` in its database dumped."""
    with new_database(server.dsn, "dumped") as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute("ALTER DATABASE dumped SET timezone = 'Europe/Moscow'")
            connection.execute(TABLES)
            for row in odd_rows():
                connection.execute(f"INSERT INTO machine.odd VALUES ({', '.join(['%s'] * len(row))})", row)
        yield server


def dump(server: Server, path: Path, *options: str, pipe: bool = False) -> Path:
    """A dump into a file or folder `path`; with `pipe` through a pipe, where pg_dump cannot go back."""
    command: list[str | Path] = [server.bin / "pg_dump", "-d", make_conninfo(server.dsn, dbname="dumped"), *options]
    if not pipe:
        subprocess.run([*command, "-f", path], check=True)
    else:
        path.write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return path


def zipped(path: Path) -> Path:
    """The file as a gzip, in its place."""
    path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def packed(path: Path, codec: str) -> Path:
    """The file compressed, in its place."""
    text = path.read_bytes()
    with pa.output_stream(path, compression=codec) as stream:
        stream.write(text)
    return path


def windows(path: Path) -> Path:
    """The file with the line ends of Windows, in its place."""
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    return path


def recompressed(path: Path, codec: str) -> Path:
    """An archive made with -Z0 -> the same as pg_dump with lz4 or zstd makes it; the server here has neither."""
    if path.is_dir():
        for data in path.glob("*.dat"):
            if data.name != "toc.dat" and not data.name.startswith("blobs"):
                packed = pa.output_stream(f"{data}.{codec.replace('zstd', 'zst')}", compression=codec)
                packed.write(data.read_bytes())
                packed.close()
                data.unlink()
    else:
        path.write_bytes(_recompressed(path.read_bytes(), codec))
    return path


def _recompressed(archive: bytes, codec: str) -> bytes:
    file, start = io.BytesIO(archive), _end_of_toc(archive)
    made = bytearray(archive[:start])
    made[11] = ARCHIVE_CODECS[codec]
    file.seek(start)
    while kind := file.read(1):
        made += kind + file.read(5)
        assert kind in b"\x01\x03"
        while kind == b"\x01" or any(_copied(file, made, 5)):
            data = b"".join(_blocks(file))
            sink = pa.BufferOutputStream()
            packed = pa.CompressedOutputStream(sink, codec)
            packed.write(data)
            packed.close()
            for block in _cut(sink.getvalue().to_pybytes(), 1000):
                made += b"\0" + len(block).to_bytes(4, "little") + block
            made += bytes(5)
            if kind == b"\x01":
                break
    return bytes(made)


def _copied(file: io.BytesIO, made: bytearray, size: int) -> bytes:
    made.extend(data := file.read(size))
    return data


def _end_of_toc(archive: bytes) -> int:
    """Where the data begin: behind the last entry, whose data have no place yet."""
    return len(archive) - len(older(archive, archive[6])[1])


def _blocks(file: io.BytesIO) -> Iterator[bytes]:
    while size := int.from_bytes(file.read(5)[1:], "little"):
        yield file.read(size)


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


def older(archive: bytes, minor: int) -> tuple[bytes, bytes]:
    """A custom archive with gzip of today -> head and data of the same in version 1.12 to 1.14."""
    file, made, version = io.BytesIO(archive), bytearray(), archive[6]

    def keep(size: int) -> bytes:
        made.extend(data := file.read(size))
        return data

    def number() -> int:
        sign, *rest = keep(5)
        return int.from_bytes(bytes(rest), "little") * (-1 if sign else 1)

    def text() -> bool:
        return (size := number()) >= 0 and keep(size) is not None

    def drop(what: Callable[[], object]) -> None:
        before = len(made)
        what()
        del made[before:]

    keep(11)
    made[6] = minor
    file.read(1)
    made += b"\x01" + (1).to_bytes(4, "little")  # level -1
    [number() for _ in range(7)]
    [text() for _ in range(3)]
    for _ in range(number()):
        for step in (number, number, text, text, text, text, number, text, text, text, text, text):
            step()
        (text if minor >= 14 else lambda: drop(text))()
        if version >= 16:
            drop(number)
        text(), text()
        while text():
            pass
        keep(9)
    return bytes(made), file.read()


FORMATS: dict[str, Make] = {
    "plain": lambda s, p: dump(s, p, "-Fp"),
    "plain gzip": lambda s, p: dump(s, p, "-Fp", "-Z6"),
    "plain gzip afterwards": lambda s, p: zipped(dump(s, p)),
    "plain with \\r\\n": lambda s, p: windows(dump(s, p)),
    "plain zstd": lambda s, p: packed(dump(s, p), "zstd"),
    "plain lz4": lambda s, p: packed(dump(s, p), "lz4"),
    "plain, -C": lambda s, p: dump(s, p, "-C"),
    "custom": lambda s, p: dump(s, p, "-Fc"),
    "custom -Z0": lambda s, p: dump(s, p, "-Fc", "-Z0"),
    "custom piped": lambda s, p: dump(s, p, "-Fc", pipe=True),
    "custom piped -Z0": lambda s, p: dump(s, p, "-Fc", "-Z0", pipe=True),
    "directory": lambda s, p: dump(s, p, "-Fd"),
    "directory -Z0": lambda s, p: dump(s, p, "-Fd", "-Z0"),
}
PACKED: dict[str, Make] = {
    "custom lz4": lambda s, p: recompressed(dump(s, p, "-Fc", "-Z0", pipe=True), "lz4"),
    "custom zstd": lambda s, p: recompressed(dump(s, p, "-Fc", "-Z0", pipe=True), "zstd"),
    "directory lz4": lambda s, p: recompressed(dump(s, p, "-Fd", "-Z0"), "lz4"),
    "directory zstd": lambda s, p: recompressed(dump(s, p, "-Fd", "-Z0"), "zstd"),
}


def written(path: Path, rows: str, columns: str = 'id, "values"', create: str = "") -> Path:
    """A dump with the table public.t, whose rows are the COPY text `rows`."""
    path.write_text(f"{HEAD}{create}COPY public.t ({columns}) FROM stdin;\n{rows}{TAIL}", encoding="utf-8", newline="")
    return path


def read(rows: Rows, types: dict[str, pa.DataType] | None = None) -> pa.Table:
    """All rows; what is told sums to the size."""
    told: list[int] = []
    types = types if types is not None else dict(zip(rows.schema.names, rows.schema.types, strict=True))
    batches = list(rows.read(types, told.append))
    assert sum(told) == rows.size > 0
    assert min(told) >= 0
    return pa.Table.from_batches(batches, pa.schema(list(types.items())))


def table(path: Path, name: str, types: dict[str, pa.DataType] | None = None) -> list[dict[str, Any]]:
    """The rows of a table of a dump."""
    assert tables.is_dump(path)
    rows: list[dict[str, Any]] = read(tables.opened(path, name), types).to_pylist()
    return rows


def asked(server: Server, query: str) -> list[dict[str, Any]]:
    """What the server says to the same."""
    with psycopg.connect(server.dsn, dbname="dumped", row_factory=psycopg.rows.dict_row) as connection:
        connection.execute("SET timezone = 'UTC'")
        return connection.execute(query).fetchall()
