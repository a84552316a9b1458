"""An archive as `pg_dump -Fc` writes it, made without a server."""

from __future__ import annotations

import struct
import zlib

SQL = (
    'CREATE TABLE machine.cycles (\n    id integer NOT NULL,\n    machine text,\n    "values" double precision[]\n);\n'
)
COPY = 'COPY machine.cycles (id, machine, "values") FROM stdin;\n'
ROWS = "".join(f"{i}\tM{i % 3}\t{{{i},{i / 8},NULL,NaN}}\n" for i in range(1, 9)) + "\\.\n\n\n"


def number(value: int) -> bytes:
    return struct.pack("<Bi", value < 0, abs(value))


def text(value: str | None) -> bytes:
    return number(-1) if value is None else number(len(value.encode())) + value.encode()


def entry(id_: int, tag: str, kind: str, definition: str, copy: str, at: int | None) -> bytes:
    """An entry of the table of contents; `at` is where its rows are."""
    names = text("0") + text("0") + text(tag) + text(kind)
    statements = text(definition) + text("") + text(copy) + text("machine" if copy or "TABLE" in kind else "")
    rest = text("") + text("heap") + number(0) + text("me") + text("false") + text(None)
    place = struct.pack("<Bq", 3 if at is None else 2, at or 0)
    return number(id_) + number(at is not None) + names + number(2) + statements + rest + place


def archive(codec: int = 1) -> bytes:
    """A table of eight series, its rows as zlib (codec 1) or as they are (0)."""
    head = b"PGDMP" + bytes([1, 16, 0, 4, 8, 1, codec]) + b"".join(map(number, (0, 0, 0, 1, 0, 124, 0)))
    head += text("db") + text("18.1") + text("18.1")
    toc = _toc(0)
    rows = zlib.compress(ROWS.encode()) if codec else ROWS.encode()
    data = b"\1" + number(3) + number(len(rows)) + rows + number(0)
    return head + _toc(len(head) + len(toc)) + data


def _toc(at: int) -> bytes:
    entries = [
        entry(1, "ENCODING", "ENCODING", "SET client_encoding = 'UTF8';\n", "", None),
        entry(2, "cycles", "TABLE", SQL, "", None),
        entry(3, "cycles", "TABLE DATA", "", COPY, at),
    ]
    return number(len(entries)) + b"".join(entries)
