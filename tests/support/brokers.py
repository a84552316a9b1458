"""Brokers of Kafka's protocol, and tsclust stream as a process of its own between their topics."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pydantic import SecretStr

from tests.support.commands import PLAIN
from tests.support.service import free_port
from tsclust.config import Settings
from tsclust.config.stream import Stream
from tsclust.embedded_broker import await_answer, command
from tsclust.json_log import LOG, JsonLines
from tsclust.stream.run import Options, stream

JOINED = {"session.timeout.ms": 6_000, "heartbeat.interval.ms": 1_000}
Given = dict[str, Any]  # settings of librdkafka
SOURCE, REASON = "tsclust-source", "tsclust-reason"


@dataclass
class Broker:
    """address: what it tells its clients to use;  behind: where it is, if that is another one;  storage: of messages,
    and what it needs to know for it."""

    address: str
    behind: str = ""
    process: subprocess.Popen[bytes] | None = None
    storage: str = "memory://tansu/"
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> None:
        line = command(self.behind or self.address, self.storage)
        line[line.index("--advertised-listener-url") + 1] = f"tcp://{self.address}"
        environment = {**os.environ, **self.environment}
        self.process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
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

    def send(
        self,
        topic: str,
        messages: Iterable[tuple[bytes | None, bytes | None]],
        client: Given | None = None,
        **more: Any,
    ) -> None:
        """(key, value) each. client: what it takes to be let in."""
        producer = Producer(
            {"bootstrap.servers": self.address, "linger.ms": 20, "enable.idempotence": True,
             "queue.buffering.max.messages": 1_000_000, "message.max.bytes": 20_000_000, **(client or {})}
        )  # fmt: skip
        for key, value in messages:
            producer.produce(topic, value, key, **more)
            producer.poll(0)
        assert producer.flush(60) == 0


def read(
    address: str, topic: str, until: Callable[[list[Message]], bool], seconds: float = 60, client: Given | None = None
) -> list[Message]:
    """What a reader of committed messages sees of a topic, until there is enough of it."""
    reader = Consumer(
        {"bootstrap.servers": address, "group.id": f"reads-{time.time_ns()}", "auto.offset.reset": "earliest",
         "isolation.level": "read_committed", "enable.auto.commit": False, **JOINED, **(client or {})}
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


def until(done: Callable[[], object], seconds: float = 60) -> object:
    """What it says once it says yes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := done():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come about")


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


class Within:
    """A tsclust stream in this process, where none of the process itself is asserted: it is there at once."""

    def __init__(self) -> None:
        self._stop, self._errors, self._log = threading.Event(), list[Exception](), io.StringIO()
        self._thread = threading.Thread()

    def run(self, root: Path, settings: Settings, options: Options) -> None:
        """Until it is there."""
        there = threading.Event()

        def target() -> None:
            try:
                stream(root, settings, options, self._stop, lambda _: there.set())
            except Exception as error:  # noqa: BLE001  raised where it is stopped
                self._errors.append(error)
                there.set()

        self._thread = threading.Thread(target=target, daemon=True)
        self._thread.start()
        assert there.wait(60)
        if self._errors:
            raise self._errors[0]

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    def stop(self) -> int:
        """What a process would end with."""
        self._stop.set()
        self._thread.join(40)
        assert not self._thread.is_alive()
        if self._errors:
            raise self._errors[0]
        return 0

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Its log is kept."""
        handler, before = logging.StreamHandler(self._log), LOG.level
        handler.setFormatter(JsonLines())
        LOG.addHandler(handler)
        LOG.setLevel(logging.INFO)
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join(40)
            LOG.removeHandler(handler)
            LOG.setLevel(before)


@contextmanager
def streaming_within(
    broker: Broker, root: Path, model: Path | str, options: Options | None = None, dsn: str = "", **more: Any
) -> Iterator[Within]:
    """The same in this process. more: settings of [stream]."""
    asked = {"brokers": broker.address, "topic": "cycles", "to_topic": "verdicts", "create": True, **more}
    found = Within()
    with found.heard():
        settings = Settings(stream=Stream(model=str(model), **asked), dsn=SecretStr(dsn))
        found.run(root, settings, options or Options())
        yield found
        found.stop()


@pytest.fixture
def broker() -> Iterator[Broker]:
    """One in memory."""
    found = Broker(f"127.0.0.1:{free_port()}")
    found.start()
    try:
        yield found
    finally:
        found.kill()
