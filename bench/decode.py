"""What it costs to check a binary COPY while it is decoded, as a ratio, for docs/benchmarks.md.

python bench/decode.py [--series N] [--runs N]

The same bytes, as a server sends them for machine.cycles of the demo, are decoded with the kernels that check every
count and length, and with those below, which believed them (tsclust until November 2026); then the whole table is
extracted, in the same run. All in turns, so that noise hits both alike.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from numba import njit
from psycopg.pq import ExecStatus

import tsclust
from tsclust.embedded_postgres.server import running
from tsclust.simulation import load
from tsclust.source.postgres import copy, copy_rows, kernels

QUERY = 'SELECT series_id, machine_id, direction, recorded_at, "values" FROM machine.cycles'
SCHEMA = pa.schema([
    ("series_id", pa.int64()), ("machine_id", pa.string()), ("direction", pa.string()),
    ("recorded_at", pa.timestamp("us", "UTC")), ("values", pa.list_(pa.float32())),
])  # fmt: skip


@njit(nogil=True)
def believed_fields(data: Any, columns: int, most: int) -> Any:
    """The fields of whole rows, as they were found before: what the bytes say is true."""
    starts, lengths = np.empty((columns, most), np.int64), np.empty((columns, most), np.int64)
    rows, used = 0, 0
    while rows < most:
        end = used + 2
        if end > len(data) or data[used] == 0xFF:  # the end mark
            break
        for _ in range((np.int64(data[used]) << 8) | data[used + 1]):
            if end + 4 > len(data):
                break
            end += 4 + max(kernels.int32_at(data, end), 0)
        if end > len(data):
            break
        at = used + 2
        for column in range(columns):
            length = kernels.int32_at(data, at)
            starts[column, rows], lengths[column, rows] = at + 4, length
            at += 4 + max(length, 0)
        rows, used = rows + 1, end
    return starts[:, :rows].copy(), lengths[:, :rows].copy(), used


@njit(nogil=True)
def believed_floats(data: Any, starts: Any, offsets: Any, out: Any, missing: Any) -> Any:
    """The elements of arrays, as they were copied before."""
    nulls = 0
    for i in range(len(starts)):
        at = starts[i] + 20
        for j in range(offsets[i], offsets[i + 1]):
            if data[at] == 0xFF:
                missing[j], nulls, at = 1, nulls + 1, at + 4
            else:
                bits = np.uint32(0)
                for byte in range(4, 8):
                    bits = np.uint32((bits << np.uint32(8)) | np.uint32(data[at + byte]))
                out[j], at = bits, at + 8
    return nulls


def messages_of(dsn: str) -> list[list[bytes]]:
    """The messages of a COPY, in the chunks that they are decoded in."""
    chunks: list[list[bytes]] = [[]]
    with psycopg.connect(dsn) as connection:
        raw = connection.pgconn
        assert raw.exec_(f"COPY ({QUERY}) TO STDOUT (FORMAT binary)".encode()).status == ExecStatus.COPY_OUT
        while (got := raw.get_copy_data(0))[0] > 0:
            if sum(map(len, chunks[-1][:1])) * len(chunks[-1]) > copy.CHUNK:
                chunks.append([])
            chunks[-1].append(bytes(got[1]))
        while raw.get_result():  # the end of the COPY
            pass
    return chunks


def checked(chunks: Sequence[Sequence[bytes]]) -> float:
    """Seconds to decode with all checks."""
    start = time.perf_counter()
    rows = copy_rows.CopyRows(SCHEMA)
    for messages in chunks:
        rows.batch(messages)
    return time.perf_counter() - start


def believing(chunks: Sequence[Sequence[bytes]]) -> float:
    """Seconds to decode without: the same but for the two kernels and the ends of messages."""
    start, header = time.perf_counter(), 19
    for messages in chunks:
        data = np.frombuffer(b"".join(messages), np.uint8)[header:]
        starts, lengths, used = believed_fields(data, len(SCHEMA), len(data) // (2 + 4 * len(SCHEMA)))
        _rest, header = data[used:].copy(), 0
        columns: list[Any] = [
            copy_rows._typed(copy_rows._bytes(data, starts[i], 8), lengths[i] < 0, SCHEMA.field(i).type) for i in (0, 3)
        ]
        columns += [copy_rows._texts(data, starts[i], lengths[i]) for i in (1, 2)]
        pa.record_batch(
            [columns[0], *columns[2:], columns[1], believed_lists(data, starts[4], lengths[4])], SCHEMA.names
        )
    return time.perf_counter() - start


def believed_lists(data: Any, starts: Any, lengths: Any) -> pa.Array:
    """The values of a chunk."""
    offsets = copy_rows._offsets(copy_rows._sizes(data, starts, lengths))
    out, missing = np.zeros(offsets[-1], np.uint32), np.zeros(offsets[-1], np.uint8)
    nulls = believed_floats(data, starts, offsets, out, missing)
    buffers = [copy_rows._valid(missing != 0) if nulls else None, pa.py_buffer(out)]
    flat = pa.Array.from_buffers(pa.float32(), len(out), buffers)
    null = lengths < 0
    outer = [copy_rows._valid(null), pa.py_buffer(offsets)]
    return pa.ListArray.from_buffers(SCHEMA.field(4).type, len(starts), outer, int(null.sum()), children=[flat])


def extracted(dsn: str) -> float:
    """Seconds of the stage."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "ws"
        root.mkdir()
        (root / "tsclust.toml").write_text('[source]\ntable = "machine.cycles"\n')
        return float(tsclust.extract(root, {"dsn": dsn}).seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "postgres") as server:
        load.fill(server.dsn, given.series, seed=1)
        chunks = messages_of(server.dsn)
        rounds = [(believing(chunks), checked(chunks), extracted(server.dsn)) for _ in range(given.runs + 1)]
    before, after, whole = (statistics.median(one) for one in zip(*rounds[1:], strict=True))  # the first compiles
    print(f"{given.series:,} series, median of {given.runs} runs\n")
    print(
        "| decoded before, s | checked, s | ratio | extraction, s | cost of the checks |\n"
        "| ---: | ---: | ---: | ---: | ---: |"
    )
    print(f"| {before:.3f} | {after:.3f} | {after / before:.2f} | {whole:.2f} | {(after - before) / whole:+.1%} |")


if __name__ == "__main__":
    main()
