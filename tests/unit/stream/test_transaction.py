"""What a transaction takes for written: with brokers that acknowledge what they have not kept, or nothing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from tsclust.stream import transaction
from tsclust.stream.messages import Out

Told = Callable[[KafkaError | None, Any], None]


class Message:
    """One that a broker has acknowledged."""

    def __init__(self, offset: int | None) -> None:
        self._offset = offset

    def offset(self) -> int | None:
        return self._offset


class Writer:
    """A producer. offsets: where the broker says that its messages are; those beyond are not acknowledged."""

    def __init__(self, *offsets: int | None) -> None:
        self.calls: list[str] = []
        self._offsets, self._waiting = list(offsets), list[Told]()

    def produce(self, *_: object, on_delivery: Told, **__: object) -> None:
        self._waiting.append(on_delivery)

    def flush(self, _: float) -> int:
        for told, offset in zip(self._waiting, self._offsets, strict=False):
            told(None, Message(offset))
        return len(self._waiting) - len(self._offsets)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.calls.append(name)


@pytest.mark.parametrize(
    ("offsets", "wrong"),
    [
        ((7, 8, 9), None),
        ((None, 0, 9), KafkaError.DUPLICATE_SEQUENCE_NUMBER),
        ((7, 8), KafkaError._TIMED_OUT),
    ],
)
def test_only_what_the_broker_has_somewhere_is_committed(offsets: tuple[int | None, ...], wrong: int | None) -> None:
    writer: Any = Writer(*offsets)
    done: queue.SimpleQueue[KafkaError | None] = queue.SimpleQueue()
    transaction.write([writer], [Out("v", b"k", b"x")] * 3, [], None, threading.Event(), done)
    error = done.get(timeout=0)
    assert (error.code() if error else None) == wrong
    assert writer.calls == ["begin_transaction", *["commit_transaction"] * (wrong is None)]
