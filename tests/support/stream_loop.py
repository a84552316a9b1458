"""The loop of a stream with clients that do as they are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tsclust.config.stream import Stream
from tsclust.stream import loop, written
from tsclust.stream.health import Health
from tsclust.stream.loop import Loop
from tsclust.stream.messages import Known, Out, Raw


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
    """works: what becomes of what comes, turn by turn; nothing after that. taken: the messages of each turn."""

    def __init__(self, *works: Work) -> None:
        self.works, self.taken, self.done_with = list(works), list[list[int]](), list[Work]()

    def take(self, messages: Sequence[Raw], known: Known) -> Work | None:
        self.taken.append([one.offset for one in messages])
        return self.works.pop(0) if self.works else None

    def keep(self, *_: object) -> bool:
        return True

    def done(self, work: Work) -> None:
        self.done_with.append(work)

    def forget(self) -> None: ...


@dataclass
class Work:
    following: dict[int, int] = field(default_factory=dict)
    rest: dict[int, int] = field(default_factory=dict)
    outs: tuple[Out, ...] = ()


def nothing(*_: object) -> Known:
    return Known()


def looped(
    reader: Reader, stop: threading.Event, monkeypatch: pytest.MonkeyPatch, desk: Desk | None = None,
    health: Health | None = None, known: Callable[..., Known] = nothing, pauses: tuple[float, ...] = (0.05,),
    **more: Any,
) -> None:  # fmt: skip
    """Until it reads, or until what it reads with says."""
    monkeypatch.setattr(loop, "PAUSES", pauses)
    monkeypatch.setattr(written, "known", known)
    clients: Any = Clients(reader, Stream(topic="t", **more))
    at: Any = desk or Desk()
    Loop(clients, (), at, stop, health or Health()).run()


def turns(reader: Reader, stop: threading.Event, *batches: Sequence[int]) -> Callable[..., list[Message]]:
    """What reading brings, turn by turn, until `stop`: the first turn is the assignment."""
    left = [list(one) for one in batches]

    def consume(*_: object) -> list[Message]:
        reader.poll(0)
        if not left:
            stop.set()
            return []
        return [Message(offset) for offset in left.pop(0)]

    return consume


def written_without(error: KafkaError | None, times: int) -> Callable[..., None]:
    """A transaction that fails so many times."""
    left = [error] * times

    def write(writers: list[object], outs: object, offsets: object, group: object, up: object, done: Any) -> None:
        done.put(left.pop() if left else None)

    return write
