"""A binary COPY as a server sends it, each byte with what it is for, and mutations of it with what must become of them.

python -m tests.support.copy_stream SEED MUTATIONS      (in a process of its own, where numba shall check all bounds)
"""

from __future__ import annotations

import random
import struct
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tsclust.errors import BadSeriesError
from tsclust.source.postgres.copy_rows import CopyRows
from tsclust.source.postgres.session import DamagedStreamError

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
NASTY = [-1, 0, 1, 2**31 - 1, -(2**31), 65_535, 1 << 20, 1000, 7, 4, 8, 12, 20, -2, 0x7FFFFF00]
SCALARS = [
    ("series_id", pa.int64(), ">q"), ("small", pa.int16(), ">h"), ("at", pa.timestamp("us", "UTC"), ">q"),
    ("day", pa.date32(), ">i"), ("ok", pa.bool_(), ">b"), ("load", pa.float64(), ">d"), ("volt", pa.float32(), ">f"),
]  # fmt: skip
ROWS = 6


@dataclass(frozen=True)
class Span:
    """Bytes of a message that mean one thing; row and column where they are a value or the length of one."""

    message: int
    start: int
    end: int
    what: str
    row: int = -1
    column: int = -1


@dataclass
class Stream:
    """The messages of a COPY and what is where in them."""

    schema: pa.Schema
    messages: list[bytes] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    _now: bytes = b""
    _place: tuple[int, int] = (-1, -1)

    def put(self, what: str, content: bytes) -> None:
        start = len(self._now)
        self._now += content
        self.spans.append(Span(len(self.messages), start, len(self._now), what, *self._place))

    def end(self) -> None:
        self.messages.append(self._now)
        self._now = b""

    def at(self, row: int, column: int) -> None:
        self._place = row, column


def stream(of: random.Random, width: int) -> Stream:
    """Some rows of every type, the last column an array of floats of `width` bytes."""
    array = pa.list_(pa.float32() if width == 4 else pa.float64())
    made = Stream(pa.schema([*((n, t) for n, t, _ in SCALARS), ("machine_id", pa.string()), ("values", array)]))
    made.put("header", HEADER)
    for row in range(ROWS):
        made.at(row, -1)
        made.put("columns", struct.pack(">h", len(made.schema)))
        for column, (_, _, form) in enumerate(SCALARS):
            made.at(row, column)
            value = of.randrange(2) if form == ">b" else of.randrange(30_000)
            _field(made, None if of.random() < 0.1 else struct.pack(form, value), "length")
        made.at(row, len(SCALARS))
        _field(made, of.choice(["M1", "", "стрелка", None]), "text length")
        made.at(row, len(SCALARS) + 1)
        _array(made, of, width)
        made.end()
    made.at(-1, -1)
    made.put("trailer", b"\xff\xff")
    made.end()
    return made


def _field(made: Stream, value: bytes | str | None, what: str) -> None:
    content = value.encode() if isinstance(value, str) else value
    made.put(what, struct.pack(">i", -1 if content is None else len(content)))
    if content:
        made.put("value", content)


def _array(made: Stream, of: random.Random, width: int) -> None:
    kind = of.random()
    if kind < 0.1:
        made.put("length", struct.pack(">i", -1))
        return
    values = [] if kind < 0.2 else [None if of.random() < 0.1 else of.uniform(1, 9) for _ in range(of.randrange(1, 8))]
    nulls = sum(v is None for v in values)
    size = 12 + (8 if values else 0) + len(values) * 4 + (len(values) - nulls) * width
    made.put("length", struct.pack(">i", size))
    made.put("dimensions", struct.pack(">i", 1 if values else 0))
    made.put("null flag", struct.pack(">i", int(nulls > 0)))
    made.put("type", struct.pack(">i", 700 if width == 4 else 701))
    if values:
        made.put("elements", struct.pack(">i", len(values)))
        made.put("lower bound", struct.pack(">i", 1))
    for value in values:
        made.put("element length", struct.pack(">i", -1 if value is None else width))
        if value is not None:
            made.put("value", struct.pack(">f" if width == 4 else ">d", value))


def decode(schema: pa.Schema, batches: Sequence[Sequence[bytes]], tag: int | None) -> list[list[Any]]:
    """The cells of a stream whose messages come in `batches`: a list a row, times and dates as numbers."""
    rows = CopyRows(schema)
    found = [batch for messages in batches if (batch := rows.batch([m for m in messages if m]))]
    rows.finish(tag)
    cells: list[list[Any]] = []
    for batch in found:
        batch.validate(full=True)
        columns = [c.view(pa.int64()) if pa.types.is_timestamp(c.type) else c for c in batch.columns]
        columns = [c.view(pa.int32()) if pa.types.is_date(c.type) else c for c in columns]
        cells += [list(map(repr, row)) for row in zip(*(c.to_pylist() for c in columns), strict=True)]
    return cells


def run(seed: int, mutations: int) -> Counter[str]:
    """How many mutations of each kind came to which end. Raises AssertionError for one that comes to a wrong one."""
    of, ends = random.Random(seed), Counter[str]()
    for number in range(mutations):
        if number % 50 == 0:
            made = stream(of, of.choice([4, 8]))
            good = decode(made.schema, [made.messages], ROWS)
        name, check = of.choice(KINDS)
        messages, expected = check(of, made)
        cut = of.randrange(len(messages) + 1)
        tag = ROWS if expected != "tag" else of.choice([None, 0, ROWS - 1, ROWS + 1, 2**40])
        ends[f"{name}: {_end(made, good, [messages[:cut], messages[cut:]], tag, expected)}"] += 1
    return ends


Expected = str | Span  # "damaged", "tag", "wild", or the one value that may differ
Mutation = tuple[list[bytes], Expected]


def _end(made: Stream, good: list[list[Any]], batches: list[list[bytes]], tag: int | None, expected: Expected) -> str:
    try:
        got = decode(made.schema, batches, tag)
    except (DamagedStreamError, BadSeriesError) as error:
        return _refused(error, expected)
    if expected == "wild":
        return "read"
    assert isinstance(expected, Span), (expected, batches)
    assert [len(row) for row in got] == [len(row) for row in good]
    differ = [(r, c) for r, row in enumerate(got) for c, cell in enumerate(row) if cell != good[r][c]]
    assert differ in ([], [(expected.row, expected.column)]), (differ, expected)
    return "one value" if differ else "same"


def _refused(error: DamagedStreamError | BadSeriesError, expected: Expected) -> str:
    assert len(str(error).splitlines()) == 1, error
    if isinstance(error, DamagedStreamError):
        assert error.exit_code == 13, error
        return "damaged"
    assert expected == "wild" or (isinstance(expected, Span) and "UTF-8" in str(error)), (expected, error)
    return "bad"


def _replaced(made: Stream, span: Span, content: bytes) -> list[bytes]:
    messages = list(made.messages)
    old = messages[span.message]
    messages[span.message] = old[: span.start] + content + old[span.end :]
    return messages


def _other(of: random.Random, old: bytes) -> bytes:
    """Other bytes of the same number."""
    new = old
    while new == old:
        if len(old) == 4 and of.random() < 0.5:
            new = struct.pack(">i", of.choice(NASTY))
        elif of.random() < 0.5:
            at = of.randrange(len(old))
            new = old[:at] + bytes([of.randrange(256)]) + old[at + 1 :]
        else:
            new = of.randbytes(len(old))
    return new


def form(of: random.Random, made: Stream) -> Mutation:
    """Other bytes in what gives the stream its form: none may pass."""
    span = of.choice([s for s in made.spans if s.what not in ("value", "lower bound")])
    old = made.messages[span.message][span.start : span.end]
    new = _other(of, old)
    nothing = {(bytes(4), b"\xff" * 4), (b"\xff" * 4, bytes(4))}  # an empty text and none have the same form
    if span.what == "text length" and (old, new) in nothing:
        return _replaced(made, span, new), span
    if span.what == "null flag" and new == struct.pack(">i", 1):  # a server may send it where no element is NULL
        return _replaced(made, span, new), span
    return _replaced(made, span, new), "damaged"


def payload(of: random.Random, made: Stream) -> Mutation:
    """Other bytes in a value: no other value may change."""
    span = of.choice([s for s in made.spans if s.what in ("value", "lower bound")])
    return _replaced(made, span, _other(of, made.messages[span.message][span.start : span.end])), span


def messages(of: random.Random, made: Stream) -> Mutation:
    """A message that is missing, there twice, cut off, longer, in two, or one with the next."""
    all_ = list(made.messages)
    at = of.randrange(len(all_))
    one = all_[at]
    cut = of.choice([c for c in range(1, len(one)) if (at, c) != (0, len(HEADER))])  # the header may come alone
    ways = [[], [one, one], [one[:cut]], [one + of.randbytes(of.randrange(1, 30))], [one[:cut], one[cut:]],
            [of.randbytes(of.randrange(1, 30)), one], [one, b"\xff\xff"]]  # fmt: skip
    if at + 1 < len(all_) and of.random() < 0.2:
        return [*all_[:at], one + all_[at + 1], *all_[at + 2 :]], "damaged"
    return [*all_[:at], *of.choice(ways), *all_[at + 1 :]], "damaged"


def tag(of: random.Random, made: Stream) -> Mutation:
    """Another number of rows at the end."""
    return list(made.messages), "tag"


def wild(of: random.Random, made: Stream) -> Mutation:
    """Bytes left out, put in or changed anywhere: no crash, whatever comes of it."""
    all_ = list(made.messages)
    at = of.randrange(len(all_))
    start, size = of.randrange(len(all_[at])), of.randrange(1, 60)
    new = of.choice([b"", of.randbytes(size), of.randbytes(of.randrange(1, 40)), struct.pack(">i", of.choice(NASTY))])
    all_[at] = all_[at][:start] + new + all_[at][start + size * of.randrange(2) :]
    return all_, "wild"


KINDS: list[tuple[str, Callable[[random.Random, Stream], Mutation]]] = [
    ("form", form), ("form", form), ("payload", payload), ("messages", messages), ("tag", tag), ("wild", wild),
]  # fmt: skip


if __name__ == "__main__":
    for end, times in sorted(run(int(sys.argv[1]), int(sys.argv[2])).items()):
        print(f"{times:8,} {end}")
