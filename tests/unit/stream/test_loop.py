"""What the loop reads again after an error, with clients that do as they are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tsclust.config.stream import Stream
from tsclust.stream import loop, written
from tsclust.stream.loop import Loop
from tsclust.stream.messages import Known, Raw


class Message:
    """A message of partition 0."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def error(self) -> None:
        return None

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"{}"

    def timestamp(self) -> tuple[int, int]:
        return 1, 0


class Reader:
    """A consumer. calls: what it was told; assigned: by the first poll, which brings `messages` too."""

    def __init__(self, stop: threading.Event, *messages: Message) -> None:
        self.calls: list[tuple[str, Any]] = []
        self._stop, self._messages = stop, list(messages)
        self._on_assign: Callable[[Any, list[TopicPartition]], None] | None = None

    def subscribe(self, _: object, on_assign: Callable[[Any, list[TopicPartition]], None], **__: object) -> None:
        self._on_assign = on_assign

    def poll(self, _: float) -> Message | None:
        if (assign := self._on_assign) is not None:
            self._on_assign = None
            assign(self, [TopicPartition("t", 0)])
        return self._messages.pop(0) if self._messages else None

    def consume(self, *_: object) -> list[Message]:
        self._stop.set()
        return []

    def committed(self, asked: list[TopicPartition], _: float) -> list[TopicPartition]:
        return asked  # whose offset says that there is none

    def __getattr__(self, name: str) -> Callable[..., list[object]]:
        def told(*given: Any) -> list[object]:
            asked = given[0] if given else None
            self.calls.append((name, [one.offset for one in asked] if isinstance(asked, list) else asked))
            return []

        return told


class Clients:
    """Makes this reader, and a writer at the second attempt."""

    def __init__(self, reader: Reader, settings: Stream) -> None:
        self._reader, self.settings, self._attempts = reader, settings, 0

    def reader(self) -> Reader:
        return self._reader

    def writer(self) -> object:
        self._attempts += 1
        if self._attempts == 1:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return object()


class Desk:
    def take(self, messages: Sequence[Raw], known: Known) -> None:
        return None

    def forget(self) -> None: ...


def looped(reader: Reader, stop: threading.Event, monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """Until it reads."""
    monkeypatch.setattr(loop, "PAUSES", (0.05,))
    monkeypatch.setattr(written, "known", lambda *_: Known())
    clients: Any = Clients(reader, Stream(topic="t", **more))
    desk: Any = Desk()
    Loop(clients, (), desk, stop, lambda _: None).run()


def test_what_a_partition_brings_during_a_pause_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    reader = Reader(stop, Message(7), Message(8))
    looped(reader, stop, monkeypatch)
    sought = [given for name, given in reader.calls if name == "seek"]
    assert [(one.partition, one.offset) for one in sought] == [(0, 7)]
    assert [name for name, _ in reader.calls if name in ("pause", "resume")] == ["pause", "resume"]


def test_latest_begins_at_an_end_that_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a kill before the first commit would lose what came meanwhile."""
    stop = threading.Event()
    reader = Reader(stop)
    committed: list[tuple[int, int]] = []
    monkeypatch.setattr(reader, "get_watermark_offsets", lambda *_, **__: (0, 42), raising=False)

    def commit(offsets: list[TopicPartition], asynchronous: bool) -> None:
        committed.extend((one.partition, one.offset) for one in offsets)

    monkeypatch.setattr(reader, "commit", commit, raising=False)
    looped(reader, stop, monkeypatch, start="latest")
    assert committed == [(0, 42)]
    assert [one.offset for name, one in reader.calls if name == "seek"] == [42]


def test_messages_wait_no_longer_for_others_where_scoring_took_long(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, waits = threading.Event(), [0.0]
    reader = Reader(stop)

    def consume(_: int, timeout: float) -> list[Message]:
        waits.append(timeout)
        if len(waits) == 4:
            stop.set()
        return []

    monkeypatch.setattr(reader, "consume", consume, raising=False)
    monkeypatch.setattr(Desk, "take", lambda *_: time.sleep(0.02))
    looped(reader, stop, monkeypatch, wait=0.01)
    assert waits[2:] == [0.0, 0.0]
