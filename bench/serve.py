"""Scores of `tsclust serve` over HTTP, for docs/benchmarks.md: p50 and p99 in milliseconds, series a second, memory.

python bench/serve.py BUNDLE.zip SERIES.parquet [--seconds N] [--clients N] [--requests N]

BUNDLE is what `tsclust export` wrote, SERIES has at least 50,000 series of the same plant. A service of its own
answers; a client waits for each answer before it asks again. The last line is a load of small requests by several
clients at once; --requests makes it that many, and shows time and memory ten times on the way. Memory is the service's
own, after each kind of request.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ARROW, PARQUET, JSON = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet", "application/json"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("bundle", type=Path)
    asked.add_argument("series", type=Path)
    asked.add_argument("--seconds", type=float, default=10.0, help="of each kind of request")
    asked.add_argument("--clients", type=int, default=4)
    asked.add_argument("--requests", type=int, default=0, help="small ones, by all clients; 0: for --seconds")
    given = asked.parse_args()
    table = pq.read_table(given.series)
    with running() as (process, port):
        columns = add(port, given.bundle)
        series = table.select(columns).slice(0, 50_000).combine_chunks()
        measure(process, port, series, given.seconds)
        many = given.requests // 10 // given.clients
        for _ in range(10 if many else 1):
            load(process, port, series, given.seconds, given.clients, many)


def measure(process: subprocess.Popen[str], port: int, table: pa.Table, seconds: float) -> None:
    print("| request | MB | p50 ms | p99 ms | series/s | service's MB |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, kind, many in (
        ("1 series, JSON", JSON, 1), ("100 series, JSON", JSON, 100), ("100 series, Arrow", ARROW, 100),
        ("10,000 series, Arrow", ARROW, 10_000), ("50,000 series, Parquet", PARQUET, 50_000),
    ):  # fmt: skip
        bodies = [body(table.slice(at % max(len(table) - many, 1), many), kind) for at in range(0, 3_000, 1_000)]
        took = client(port, bodies, kind, seconds)
        show(name, bodies, took, many * len(took) / sum(took), process)


def load(
    process: subprocess.Popen[str], port: int, table: pa.Table, seconds: float, clients: int, requests: int
) -> None:
    """By several clients at once: so many requests of each, 0: as many as there is time for."""
    one = [body(table.slice(at, 1), JSON) for at in range(200)]
    with ThreadPoolExecutor(clients) as pool:
        start = time.perf_counter()
        took = [
            ms for of in pool.map(lambda _: client(port, one, JSON, seconds, requests), range(clients)) for ms in of
        ]
        show(f"1 series, JSON, {clients} clients", one, took, len(took) / (time.perf_counter() - start), process)


def show(name: str, bodies: Sequence[bytes], took: list[float], rate: float, process: subprocess.Popen[str]) -> None:
    p50, p99 = np.percentile(took, (50, 99)) * 1_000
    size = len(bodies[0]) / 1e6
    print(f"| {name} | {size:.2f} | {p50:.1f} | {p99:.1f} | {rate:,.0f} | {resident(process):,.0f} |", flush=True)


def client(port: int, bodies: Sequence[bytes], kind: str, seconds: float, requests: int = 0) -> list[float]:
    """Seconds of each request, one after the other, without the first three. requests: how many, 0: for `seconds`."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    took: list[float] = []
    until = time.perf_counter() + seconds
    while len(took) < requests or (not requests and (time.perf_counter() < until or len(took) < 6)):
        start = time.perf_counter()
        connection.request("POST", "/models/bench/score", bodies[len(took) % len(bodies)], {"Content-Type": kind})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"the service answered {answer.status}")
        took.append(time.perf_counter() - start)
    return took[3:]


def body(table: pa.Table, kind: str) -> bytes:
    if kind == JSON:
        return json.dumps({"series": table.to_pylist()}, default=str).encode()
    if kind == PARQUET:
        file = io.BytesIO()
        pq.write_table(table, file)
        return file.getvalue()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def add(port: int, bundle: Path) -> list[str]:
    """Add the model; the columns that it needs."""
    address = f"http://127.0.0.1:{port}/models"
    command = ["curl", "-sSf", "-F", "name=bench", "-F", f"file=@{bundle}", address]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    shown = json.loads(subprocess.run(["curl", "-sSf", f"{address}/bench"], check=True, capture_output=True).stdout)
    return [one["name"] for one in shown["input"]["columns"]]


@contextmanager
def running() -> Iterator[tuple[subprocess.Popen[str], int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tsclust", "serve", "-w", folder, "--port", str(port), "--no-jobs"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout
            process.stdout.readline()
            try:
                yield process, port
            finally:
                process.terminate()


def resident(process: subprocess.Popen[str]) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1_024


if __name__ == "__main__":
    main()
