"""Brokers of Kafka's protocol, and tsclust stream as a process of its own between their topics."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.support.commands import PLAIN
from tests.support.service import free_port
from tsclust.embedded_broker import await_answer, command

JOINED = {"session.timeout.ms": 6_000, "heartbeat.interval.ms": 1_000}
SOURCE, REASON = "tsclust-source", "tsclust-reason"


@dataclass
class Broker:
    """One in memory. address: what it tells its clients to use;  behind: where it is, if that is another one."""

    address: str
    behind: str = ""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        line = command(self.behind or self.address, "memory://tansu/")
        line[line.index("--advertised-listener-url") + 1] = f"tcp://{self.address}"
        self.process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_answer(self.behind or self.address)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def topics(self, *names: str, partitions: int = 4) -> None:
        admin = AdminClient({"bootstrap.servers": self.address})
        for made in admin.create_topics([NewTopic(name, partitions) for name in names]).values():
            made.result(30)

    def send(self, topic: str, messages: Iterable[tuple[bytes | None, bytes | None]], **more: Any) -> None:
        """(key, value) each."""
        producer = Producer(
            {"bootstrap.servers": self.address, "linger.ms": 20, "enable.idempotence": True,
             "queue.buffering.max.messages": 1_000_000, "message.max.bytes": 20_000_000}
        )  # fmt: skip
        for key, value in messages:
            producer.produce(topic, value, key, **more)
            producer.poll(0)
        assert producer.flush(60) == 0


def read(address: str, topic: str, until: Callable[[list[Message]], bool], seconds: float = 60) -> list[Message]:
    """What a reader of committed messages sees of a topic, until there is enough of it."""
    reader = Consumer(
        {"bootstrap.servers": address, "group.id": f"reads-{time.time_ns()}", "auto.offset.reset": "earliest",
         "isolation.level": "read_committed", "enable.auto.commit": False, **JOINED}
    )  # fmt: skip
    found: list[Message] = []
    try:
        about = reader.list_topics(topic, timeout=30).topics[topic]
        reader.assign([TopicPartition(topic, part, 0) for part in about.partitions])
        deadline = time.monotonic() + seconds
        while not until(found) and time.monotonic() < deadline:
            found += [one for one in reader.consume(10_000, 0.2) if one.error() is None]
    finally:
        reader.close()
    return found


def messages_of(table: pa.Table, **more: Any) -> list[tuple[bytes | None, bytes | None]]:
    """(machine, recording as JSON) each."""
    rows = table.drop_columns(["recorded_at"]).to_pylist()
    return [(str(one["machine_id"]).encode(), json.dumps({**one, **more}).encode()) for one in rows]


def header(message: Message, name: str) -> str:
    found: Any = dict(message.headers() or ()).get(name, b"")
    return str(found.decode())


def sources(messages: Iterable[Message]) -> Counter[str]:
    """How often there is a verdict on each."""
    return Counter(header(one, SOURCE) for one in messages)


def content(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.value() or b"null")
    return found


@dataclass(frozen=True)
class Streaming:
    """A tsclust stream. log: its lines."""

    process: subprocess.Popen[str]
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


@contextmanager
def streaming(
    broker: Broker, folder: Path, model: Path | str, *words: str, environment: Mapping[str, str] | None = None
) -> Iterator[Streaming]:
    """tsclust stream from cycles to verdicts, once it is there."""
    log = folder / f"stream-{time.time_ns()}.log"
    line = [
        sys.executable, "-m", "tsclust", "stream", "--model", str(model), "--brokers", broker.address,
        "--topic", "cycles", "--to-topic", "verdicts", "--create", "--json", "-w", str(folder), *words,
    ]  # fmt: skip
    with log.open("a") as err:
        process = subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=err, text=True, env=PLAIN | dict(environment or {})
        )
    try:
        assert process.stdout
        assert json.loads(process.stdout.readline() or "{}").get("command") == "stream", log.read_text()
        yield Streaming(process, log)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def broker() -> Iterator[Broker]:
    """One in memory."""
    found = Broker(f"127.0.0.1:{free_port()}")
    found.start()
    try:
        yield found
    finally:
        found.kill()


class Line:
    """The way to a broker, which can be cut: every connection breaks, in the midst of a request too, and none is taken
    until it is joined again. What the broker has then is what a client would find after it was killed."""

    def __init__(self, address: str, behind: str) -> None:
        self._address, self._behind = _of(address), _of(behind)
        self._both: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.join()

    def join(self) -> None:
        listener = socket.create_server(self._address)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        listener, self._listener = self._listener, None
        for one in [*filter(None, [listener]), *self._both]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._both.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                behind = socket.create_connection(self._behind)
                self._both += [client, behind]
                for way in ((client, behind), (behind, client)):
                    threading.Thread(target=_copy, args=way, daemon=True).start()


def _of(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port)


def _copy(from_: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := from_.recv(1 << 16):
            to.sendall(data)
    for one in (from_, to):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def far_broker() -> Iterator[tuple[Broker, Line]]:
    """One that can be cut off."""
    found = Broker(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    found.start()
    line = Line(found.address, found.behind)
    try:
        yield found, line
    finally:
        line.cut()
        found.kill()
