"""What a transaction takes for written: with brokers that acknowledge what they have not kept, or nothing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

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
        self.calls.append("produce")
        self._waiting.append(on_delivery)

    def flush(self, _: float) -> int:
        self.calls.append("flush")
        for told, offset in zip(self._waiting, self._offsets, strict=False):
            told(None, Message(offset))
        return len(self._waiting) - len(self._offsets)

    def send_offsets_to_transaction(self, offsets: list[TopicPartition], *_: object) -> None:
        self.calls.append("send_offsets_to_transaction")
        self.offsets = offsets

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
    writer = Writer(*offsets)
    error = written_by(writer)
    assert (error.code() if error else None) == wrong
    assert ("commit_transaction" in writer.calls) == (wrong is None)


def written_by(writer: Writer, offsets: Sequence[TopicPartition] = (), *, given_up: bool = False) -> KafkaError | None:
    """What went wrong with three messages and these offsets."""
    done: queue.SimpleQueue[KafkaError | None] = queue.SimpleQueue()
    over, given = threading.Event(), [writer]
    if given_up:
        over.set()
    held: Any = given
    transaction.write(held, [Out("v", b"k", b"x")] * 3, list(offsets), None, over, done)
    assert not given  # nothing is kept of it here
    return done.get(timeout=0)


def test_what_nobody_waits_for_any_more_is_not_committed() -> None:
    """Another producer may have written the same meanwhile."""
    writer = Writer(7, 8, 9)
    assert written_by(writer, given_up=True) is None
    assert writer.calls == ["begin_transaction", *["produce"] * 3, "flush"]


def test_offsets_are_a_part_of_the_transaction_and_the_commit_waits_for_all_acknowledgements() -> None:
    writer = Writer(7, 8, 9)
    assert written_by(writer, [TopicPartition("t", 0, 5)]) is None
    assert writer.calls == [
        "begin_transaction", *["produce"] * 3, "send_offsets_to_transaction", "flush", "commit_transaction",
    ]  # fmt: skip
    assert [(one.partition, one.offset) for one in writer.offsets] == [(0, 5)]
