"""A proxy that changes one row of what the server sends: it is refused, or nothing but TLS could see it."""

from __future__ import annotations

import itertools
import re
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tsclust
from tests.support.proxy import Change, message, proxied
from tests.support.reading import read, run
from tests.support.servers import new_database
from tests.support.slow_table import ids, parts_done
from tests.support.workspaces import new_workspace
from tsclust.config import Source
from tsclust.errors import SourceLostError
from tsclust.source.postgres.session import DamagedStreamError

HEADER = 19
NTH = 300  # the row that is changed
QUERY = """SELECT i AS series_id, 'M' || i % 7 AS machine, i % 2 = 0 AS ok,
    ARRAY[i, i + 0.5, i + 1]::real[] AS values FROM generate_series(1, 500) AS i"""
SOURCE = Source(query=QUERY, retries=0)
# Where the fields of a row of QUERY are: columns, then length and bytes of each.
ID, MACHINE, OK = 2, 2 + 4 + 8, 2 + 4 + 8 + 4 + 2
ARRAY = OK + 4 + 1
Row = Callable[[bytes], list[bytes]]


def put(at: int, content: bytes) -> Row:
    return lambda row: [row[:at] + content + row[at + len(content) :]]


def int32(at: int, value: int) -> Row:
    return put(at, struct.pack(">i", value))


# what is done to the row, and what is found
DAMAGED: dict[str, tuple[Row, str]] = {
    "one column": (put(0, b"\0\1"), "it has 1 columns, expected 4"),
    "end mark": (put(0, b"\xff\xff"), "it has 65535 columns, expected 4"),
    "giant field": (int32(ID, 0x7FFFFFF0), "column series_id has 2147483632 bytes, expected at most the 67 that"),
    "negative field": (int32(MACHINE, -7), "column machine has -7 bytes, expected at most"),
    "shorter field": (int32(ID, 4), "column series_id has 4 bytes, expected 8"),
    "boolean": (put(OK + 4, b"\x07"), "column ok is a boolean of 7, expected 0 or 1"),
    "dimensions": (int32(ARRAY + 4, -1), "column values is an array of -1 dimensions, expected 0 to 6"),
    "two dimensions": (int32(ARRAY + 4, 2), "column values is an array of"),
    "flag": (int32(ARRAY + 8, 9), "column values is an array whose flag for NULLs is 9, expected 0 or 1"),
    "type": (int32(ARRAY + 12, 701), "column values is an array of type 701, expected 700"),
    "huge array": (int32(ARRAY + 16, 500_000_000), "an array of 500000000 elements, expected at most 6 in its bytes"),
    "small array": (int32(ARRAY + 16, 2), "column values is an array of 44 bytes, expected 36 by its elements"),
    "element": (int32(ARRAY + 24, 8), "column values has an element of 8 bytes, expected 4, or -1 for NULL"),
    "NULL element": (int32(ARRAY + 24, -1), "column values has an element of"),
    "cut off": (lambda row: [row[:-5]], "column values has 44 bytes, expected at most the 39 that follow in the row"),
    "longer": (lambda row: [row + b"\0"], "1 bytes are left for the end of the row, expected 0"),
    "two in one": (lambda row: [row + row], "bytes are left for the end of the row, expected 0"),
    "dropped": (lambda row: [], "499 rows came, expected 500 by the server's count"),
    "twice": (lambda row: [row, row], "501 rows came, expected 500 by the server's count"),
    "ended": (lambda row: [row, b"\xff\xff"], "it has 65535 columns, expected 4"),
}


def on_row(number: int, change: Row) -> Change:
    """Changes one row of the first COPY that has so many."""
    seen = 0

    def changed(type_: bytes, body: bytes) -> list[bytes | None]:
        nonlocal seen
        seen += type_ == b"d"
        if type_ != b"d" or seen != number:
            return [message(type_, body)]
        header, row = (body[:HEADER], body[HEADER:]) if body.startswith(b"PGCOPY") else (b"", body)
        return [message(type_, header + new) for new in change(row)]

    return changed


def on_type(wanted: bytes, change: Callable[[bytes], list[bytes | None]]) -> Change:
    return lambda type_, body: change(body) if type_ == wanted else [message(type_, body)]


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="px") as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", DAMAGED)
def test_a_row_that_was_changed_is_refused(dsn: str, socket_folder: Path, name: str) -> None:
    change, found = DAMAGED[name]
    refusal = pytest.raises(DamagedStreamError, match=re.escape(found))
    with proxied(dsn, socket_folder, on_row(NTH, change)) as changed, refusal as refused:
        read(changed, SOURCE)
    assert refused.value.exit_code == 13
    assert "sslmode=verify-full; then run tsclust extract again" in refused.value.next_step
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("type_", "change", "found"),
    [
        (b"d", lambda body: [message(b"d", body.replace(b"PGCOPY", b"PGCOPZ"))], "the stream begins with 5047434f505a"),
        (b"d", lambda body: [message(b"d", body)] if body != b"\xff\xff" else [], "without its end mark"),
        (b"C", lambda body: [message(b"C", body.replace(b"COPY 500", b"COPY 400"))], "500 rows came, expected 400"),
        (b"C", lambda body: [message(b"C", body.replace(b"COPY 500", b"COPY"))], "500 rows came, expected None"),
        (b"H", lambda body: [message(b"H", b"\0" + body[1:])], "a COPY of 4 columns in text begins, expected 4 in"),
        (b"H", lambda body: [message(b"H", b"\1\0\3" + body[3:-2])], "a COPY of 3 columns in binary begins"),
    ],
)
def test_a_stream_that_begins_or_ends_otherwise_is_refused(
    dsn: str, socket_folder: Path, type_: bytes, change: Callable[[bytes], list[bytes | None]], found: str
) -> None:
    refused = pytest.raises(DamagedStreamError, match=found)
    with proxied(dsn, socket_folder, on_type(type_, change)) as changed, refused:
        read(changed, SOURCE)


# Where the fields of a long row are: series_id, order, machine, value.
LONG_MACHINE, LONG_VALUE = 2 + 12 + 12, 2 + 12 + 12 + 4 + 2
LONG_DAMAGED: dict[str, tuple[Row, str]] = {
    "one column": (put(0, b"\0\1"), "it has 1 columns, expected 4"),
    "last field cut": (lambda row: [row[:-5]], "column values has 8 bytes, expected at most the 3 that follow"),
    "last byte cut": (lambda row: [row[:-1]], "column values has 8 bytes, expected at most the 7 that follow"),
    "longer": (lambda row: [row + b"\0"], "1 bytes are left for the end of the row"),
    "NULL and a rest": (int32(LONG_VALUE, -1), "8 bytes are left for the end of the row"),
    "shorter id": (int32(2, 4), "column series_id has 4 bytes, expected 8"),
    "giant text": (int32(LONG_MACHINE, 0x7FFFFFF0), "column machine has 2147483632 bytes, expected at most"),
    "longer text": (int32(LONG_MACHINE, 3), "column values has 2111 bytes, expected at most the 7"),
    "end mark": (put(0, b"\xff\xff"), "it has 65535 columns, expected 4"),
    "dropped": (lambda row: [], "599 rows came, expected 600 by the server's count"),
    "twice": (lambda row: [row, row], "601 rows came, expected 600 by the server's count"),
}
LONG_ROWS = """SELECT i AS series_id, j AS idx, 'M' || i % 7 AS machine, 0.5::float8 AS value
    FROM generate_series(1, 60) i, generate_series(1, 10) j"""
LONG: dict[str, Any] = {"id": "series_id", "order": "idx", "retries": 0}
LONG_SOURCES = {
    "table": Source(table="rows", **LONG),
    "view": Source(table="seen", **LONG),
    "query": Source(query="SELECT * FROM rows", **LONG),
    "selection": Source(table="rows", where="series_id < 1000", **LONG),
}


@pytest.fixture(scope="module")
def long_database(dsn: str) -> Iterator[str]:
    with new_database(dsn, "long_rows_damaged") as database:
        run(database, f"CREATE TABLE rows AS {LONG_ROWS}", "CREATE VIEW seen AS SELECT * FROM rows")
        yield database


@pytest.mark.parametrize(("name", "kind"), [*zip(LONG_DAMAGED, itertools.cycle(LONG_SOURCES), strict=False)])
def test_long_rows_in_one_pass_are_refused_too(long_database: str, socket_folder: Path, name: str, kind: str) -> None:
    change, found = LONG_DAMAGED[name]
    refused = pytest.raises(DamagedStreamError, match=re.escape(found))
    with proxied(long_database, socket_folder, on_row(NTH, change)) as changed, refused:
        read(changed, LONG_SOURCES[kind])


@pytest.mark.parametrize("kind", LONG_SOURCES)
def test_long_rows_are_as_many_as_the_server_counts(long_database: str, socket_folder: Path, kind: str) -> None:
    other = on_type(b"C", lambda body: [message(b"C", body.replace(b"COPY 600", b"COPY 500"))])
    refused = pytest.raises(DamagedStreamError, match="600 rows came, expected 500 by the server's count")
    with proxied(long_database, socket_folder, other) as changed, refused:
        read(changed, LONG_SOURCES[kind])


@pytest.mark.parametrize("sent", [bytes(range(256)), b"E\0\0\0\x05x", b"d\x7f\xff\xff\xff" + bytes(100)])
def test_garbage_is_a_lost_source(dsn: str, socket_folder: Path, sent: bytes) -> None:
    seen = 0

    def garbage(type_: bytes, body: bytes) -> list[bytes | None]:
        nonlocal seen
        seen += type_ == b"d"
        return [sent, None] if seen == NTH else [message(type_, body)]

    with proxied(dsn, socket_folder, garbage) as changed, pytest.raises(SourceLostError) as lost:
        read(changed, SOURCE)
    assert "\n" not in str(lost.value)


def test_only_tls_sees_a_value_that_became_another(dsn: str, socket_folder: Path) -> None:
    with proxied(dsn, socket_folder, on_row(NTH, lambda row: [row[:-1] + bytes([row[-1] ^ 0x40])])) as changed:
        got, good = read(changed, SOURCE), read(dsn, SOURCE)
    assert got.drop_columns(["values"]).equals(good.drop_columns(["values"]))
    differ = [i for i in range(500) if got["values"][i] != good["values"][i]]
    assert [good["series_id"][i].as_py() for i in differ] == [NTH]


def test_what_is_whole_stays_and_the_next_extract_goes_on(database: str, socket_folder: Path, tmp_path: Path) -> None:
    run(database, "CREATE TABLE cycles (series_id int PRIMARY KEY, machine text, ok bool, values real[])",
        f"INSERT INTO cycles {QUERY}", "ANALYZE")  # fmt: skip
    root = new_workspace(tmp_path / "ws", '[source]\ntable = "cycles"\npart_rows = 100\nworkers = 1\n')
    refused = pytest.raises(DamagedStreamError, match=r"parts are on disk and will not be read again")
    with proxied(database, socket_folder, on_row(NTH, int32(ID, 4))) as changed, refused:
        tsclust.extract(root, {"dsn": changed})
    assert parts_done(root) >= 2
    kept = {path: path.stat().st_mtime_ns for path in (root / ".series.partial").glob("part-*.parquet")}
    tsclust.extract(root, {"dsn": database})
    assert ids(root) == list(range(1, 501))
    assert sum((root / "series" / path.name).stat().st_mtime_ns == time for path, time in kept.items()) >= 2
