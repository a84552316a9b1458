"""One transaction, in the thread that it is given."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from tsclust.stream.clients import PATIENCE
from tsclust.stream.messages import Out


def write(
    writers: list[Producer | None], outs: Sequence[Out], offsets: list[TopicPartition], group: object,
    given_up: threading.Event, done: queue.SimpleQueue[KafkaError | None],
) -> None:  # fmt: skip
    """What went wrong goes to `done`, None for nothing. writers: the one that writes it, of which nothing is kept here;
    given_up: nobody waits any more, and it must not be committed."""
    try:
        _write(writers.pop(), outs, offsets, group, given_up)
    except KafkaException as error:
        done.put(error.args[0])
    else:
        done.put(None)


def _write(
    writer: Producer | None, outs: Sequence[Out], offsets: list[TopicPartition], group: object,
    given_up: threading.Event,
) -> None:  # fmt: skip
    assert writer is not None
    writer.begin_transaction()
    for out in outs:
        _produce(writer, out)
    if offsets:
        writer.send_offsets_to_transaction(offsets, group, PATIENCE)
    if not given_up.is_set():
        writer.commit_transaction(PATIENCE)


def _produce(writer: Producer, out: Out) -> None:
    """Waits where the queue is full. Raises KafkaException."""
    while True:
        try:
            writer.produce(out.topic, out.value, out.key, headers=list(out.headers))
            return
        except BufferError:
            writer.poll(0.1)
