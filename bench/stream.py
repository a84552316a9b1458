"""tsclust stream, its broker beside it: series a second on a lag, seconds from recording to verdict at half of that,
memory meanwhile. python bench/stream.py [recordings]"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import orjson
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tsclust import embedded_broker
from tsclust.engine.base import silent
from tsclust.stream import demo

LAG, PACED, PORT = 200_000, 60.0, 19_471  # recordings of the lag, seconds at half load


def main() -> None:
    lag = int(sys.argv[1]) if len(sys.argv) > 1 else LAG
    with tempfile.TemporaryDirectory() as folder, embedded_broker.running() as address:
        rows = demo.trained(Path(folder) / "ws", silent).to_dicts()
        _topics(address, "cycles", "verdicts")
        _send(address, rows, lag)
        with _streaming(address, Path(folder) / "ws") as process:
            rate = _caught_up(lag, process.pid)
            print(f"a lag of {lag:,} recordings: {rate:,.0f} series/s; {_resident(process.pid):.0f} MB resident")
            late = _paced(address, rows, rate / 2, PACED)
            print(f"at {rate / 2:,.0f}/s for {PACED:.0f} s, to a reader of committed verdicts: "
                  f"p50 {np.quantile(late, 0.5):.3f} s, p99 {np.quantile(late, 0.99):.3f} s")  # fmt: skip
            print(f"{_resident(process.pid):.0f} MB resident after {_scored():,.0f} recordings")


def _topics(address: str, *names: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    for made in admin.create_topics([NewTopic(name, 4) for name in names]).values():
        made.result(30)


def _producer(address: str) -> Producer:
    return Producer(
        {"bootstrap.servers": address, "linger.ms": 5, "compression.type": "lz4", "enable.idempotence": True,
         "queue.buffering.max.messages": 1_000_000}
    )  # fmt: skip


def _send(address: str, rows: list[dict[str, object]], n: int) -> None:
    producer, messages = _producer(address), [(str(row["machine_id"]), orjson.dumps(row)) for row in rows]
    for at in range(n):
        key, content = messages[at % len(messages)]
        while True:
            try:
                producer.produce("cycles", content, key)
                break
            except BufferError:
                producer.poll(0.1)
        if at % 1_000 == 0:
            producer.poll(0)
    producer.flush()


@contextmanager
def _streaming(address: str, root: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = ("--brokers", address, "--topic", "cycles", "--to-topic", "verdicts", "--create", "--port", str(PORT))
    process = subprocess.Popen(
        [sys.executable, "-m", "tsclust", "stream", "-w", str(root), *words], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _scored() -> float:
    """Series so far."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except OSError:
        return 0.0
    return sum(float(one) for one in re.findall(r"^tsclust_stream_series_total{.*} (\S+)$", text, re.M))


def _caught_up(n: int, pid: int) -> float:
    """Series a second, once it has begun: starting and joining the group takes seconds."""
    while not (first := _scored()):
        time.sleep(0.2)
    began = time.perf_counter()
    while (last := _scored()) < n:
        time.sleep(0.2)
    return (last - first) / max(time.perf_counter() - began, 1e-9)


def _paced(address: str, rows: list[dict[str, object]], rate: float, seconds: float) -> list[float]:
    """Seconds from a recording, produced, to its verdict, read."""
    found: list[float] = []
    reader = Consumer({"bootstrap.servers": address, "group.id": "looks", "isolation.level": "read_committed",
                       "fetch.wait.max.ms": 10})  # fmt: skip
    ends = [reader.get_watermark_offsets(TopicPartition("verdicts", part))[1] for part in range(4)]
    reader.assign([TopicPartition("verdicts", part, end) for part, end in enumerate(ends)])
    done = threading.Event()
    sender = threading.Thread(target=_send_paced, args=(address, rows, rate, seconds, done))
    sender.start()
    quiet = 0
    while quiet < 20:
        now_read = reader.consume(10_000, 0.1)
        now = time.time()
        found += [now - json.loads(one.value() or b"{}")["sent"] for one in now_read if one.error() is None]
        quiet = 0 if now_read or not done.is_set() else quiet + 1
    sender.join()
    reader.close()
    return found


def _send_paced(
    address: str, rows: list[dict[str, object]], rate: float, seconds: float, done: threading.Event
) -> None:
    producer, began, sent = _producer(address), time.perf_counter(), 0
    while (now := time.perf_counter() - began) < seconds:
        while sent < rate * now:
            row = rows[sent % len(rows)]
            producer.produce("cycles", orjson.dumps(row | {"sent": time.time()}), str(row["machine_id"]))
            sent += 1
        producer.poll(0)
        time.sleep(0.005)
    producer.flush()
    done.set()


def _resident(pid: int) -> float:
    """MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    main()
