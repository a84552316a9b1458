"""tsclust stream, its broker beside it: series a second on a lag, seconds from recording to verdict, memory meanwhile.

python bench/stream.py [--lag N] [--rate N] [--seconds N] [--long N]

--lag: recordings that wait when it begins; what the broker alone takes for as many verdicts, in the same transactions
and with nothing to score, stands beside it. --rate: recordings a second that come then, half of what it does on the
lag unless said otherwise. --long: so many more come as fast as they are judged, the memory is read on the way.
Recordings are made by a process of its own, as machines have one.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import orjson
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tsclust import embedded_broker
from tsclust.engine.base import silent
from tsclust.stream import demo

PORT, PARTITIONS, BATCH, VERDICT = 19_471, 4, 5_000, b"x" * 420  # bytes of a verdict
SENT = re.compile(rb'"sent":([0-9.]+)')
Message = tuple[bytes, bytes]  # (key, value)


def main() -> None:
    asked = _asked()
    with tempfile.TemporaryDirectory() as folder, embedded_broker.running() as address:
        rows = demo.trained(Path(folder) / "ws", silent).to_dicts()
        messages = [(str(row["machine_id"]).encode(), orjson.dumps(row)) for row in rows]
        _topics(address, "cycles", "verdicts", "alone")
        alone = _alone(address, asked.lag)
        print(f"the broker alone, {asked.lag:,} verdicts in transactions of {BATCH:,}: {alone:,.0f}/s")
        _apart(_send, address, messages, asked.lag)
        with _streaming(address, Path(folder) / "ws") as process:
            rate = _caught_up(asked.lag)
            print(f"a lag of {asked.lag:,} recordings: {rate:,.0f} series/s; {_resident(process.pid):.0f} MB resident")
            _paced(address, messages, asked.rate or rate / 2, asked.seconds, process.pid)
            _long(address, messages, asked.long, process.pid)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name, default in (("lag", 200_000), ("rate", 0), ("seconds", 60), ("long", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def _topics(address: str, *names: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    for made in admin.create_topics([NewTopic(name, PARTITIONS) for name in names]).values():
        made.result(30)


def _alone(address: str, n: int) -> float:
    """Messages a second of a producer that writes as tsclust does, offsets in its transactions as well."""
    producer = Producer({"bootstrap.servers": address, "transactional.id": "alone", "linger.ms": 5, "compression.type":
                         "lz4", "queue.buffering.max.messages": 2_000_000})  # fmt: skip
    reader = Consumer({"bootstrap.servers": address, "group.id": "alone"})
    producer.init_transactions(30)
    began = time.perf_counter()
    for start in range(0, n, BATCH):
        producer.begin_transaction()
        for at in range(start, min(start + BATCH, n)):
            producer.produce("alone", VERDICT, b"%d" % (at % 400), headers=[("tsclust-source", b"cycles/0/%d" % at)])
        offsets = [TopicPartition("cycles", 0, start)]
        producer.send_offsets_to_transaction(offsets, reader.consumer_group_metadata(), 30)
        producer.commit_transaction(30)
    reader.close()
    return n / (time.perf_counter() - began)


def _apart(target: Callable[..., None], *given: object) -> None:
    """In a process of its own, which has to end well: what it has not sent would be waited for without end."""
    process = get_context("spawn").Process(target=target, args=given)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{target} ended with {process.exitcode}")


def _producer(address: str) -> Producer:
    return Producer(
        {"bootstrap.servers": address, "linger.ms": 5, "compression.type": "lz4", "enable.idempotence": True,
         "queue.buffering.max.messages": 100_000}
    )  # fmt: skip


def _send(address: str, messages: list[Message], n: int, rate: float = np.inf) -> None:
    """n recordings, at most so many a second; each says when it was sent."""
    producer, began = _producer(address), time.perf_counter()
    for at in range(n):
        while at > rate * (time.perf_counter() - began):
            producer.poll(0.002)
        key, content = messages[at % len(messages)]
        _produce(producer, key, content[:-1] + b',"sent":%.4f}' % time.time())
    producer.flush()


def _produce(producer: Producer, key: bytes, content: bytes) -> None:
    while True:
        try:
            producer.produce("cycles", content, key)
            return
        except BufferError:
            producer.poll(0.1)


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


def _scored() -> int:
    """Series so far."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except OSError:
        return 0
    return int(sum(float(one) for one in re.findall(r"^tsclust_stream_series_total{.*} (\S+)$", text, re.M)))


def _caught_up(n: int) -> float:
    """Series a second, once it has begun: starting and joining the group takes seconds."""
    while not (first := _scored()):
        time.sleep(0.1)
    began = time.perf_counter()
    while (last := _scored()) < n:
        time.sleep(0.2)
    return (last - first) / max(time.perf_counter() - began, 1e-9)


def _paced(address: str, messages: list[Message], rate: float, seconds: int, pid: int) -> None:
    """Seconds from a recording, produced, to its verdict, read by one who sees what is committed."""
    before, n = _cpu(pid), int(rate * seconds)
    reader = Consumer({"bootstrap.servers": address, "group.id": "looks", "isolation.level": "read_committed",
                       "fetch.wait.max.ms": 10})  # fmt: skip
    ends = [reader.get_watermark_offsets(TopicPartition("verdicts", part))[1] for part in range(PARTITIONS)]
    reader.assign([TopicPartition("verdicts", part, end) for part, end in enumerate(ends)])
    sender = get_context("spawn").Process(target=_send, args=(address, messages, n, rate))
    sender.start()
    late: list[float] = []
    while len(late) < n:
        for one in reader.consume(10_000, 0.02):
            if (sent := SENT.search(bytes(one.value() or b""))) is not None:
                late.append(time.time() - float(sent[1]))
    sender.join()
    reader.close()
    p50, p99 = np.quantile(late, [0.5, 0.99])
    used = (_cpu(pid) - before) / seconds
    print(f"at {rate:,.0f}/s for {seconds} s: p50 {p50:.3f} s, p99 {p99:.3f} s; {used:.2f} of a core")


def _long(address: str, messages: list[Message], n: int, pid: int) -> None:
    """Memory at ten points of n more; what is sent stays a tenth of them ahead at most, or it would be the broker's
    memory that is measured."""
    began, first = time.perf_counter(), _scored()
    for step in range(10 if n else 0):
        _apart(_send, address, messages, n // 10)
        while (scored := _scored()) < first + (step + 1) * (n // 10):
            time.sleep(0.2)
        each = (scored - first) / (time.perf_counter() - began)
        print(f"{scored:,} recordings: {_resident(pid):.0f} MB resident; {each:,.0f}/s with sending", flush=True)


def _cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _resident(pid: int) -> float:
    """MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    main()
