"""One transaction, in the thread that it is given.

A broker that died over a request may take what is sent again for what it has already, and acknowledge what it never
wrote: Tansu 0.6 counts the messages of a producer before it keeps them. Such an acknowledgement does not say at which
offset they are. Nothing is committed then: what readers see is looked at, and what they do not see is written again.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from tsclust.stream.clients import PATIENCE
from tsclust.stream.messages import Out

UNSURE = KafkaError(KafkaError.DUPLICATE_SEQUENCE_NUMBER, "the broker says that it has them, and not where")


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
    nowhere: list[Message] = []

    def told(error: KafkaError | None, message: Message) -> None:
        if error is None and message.offset() is None:
            nowhere.append(message)

    writer.begin_transaction()
    for out in outs:
        _produce(writer, out, told)
    if offsets:
        writer.send_offsets_to_transaction(offsets, group, PATIENCE)
    if writer.flush(PATIENCE):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    if nowhere:
        raise KafkaException(UNSURE)
    if not given_up.is_set():
        writer.commit_transaction(PATIENCE)


def _produce(writer: Producer, out: Out, told: Callable[[KafkaError | None, Message], None]) -> None:
    """Waits where the queue is full. told: of what became of it. Raises KafkaException."""
    while True:
        try:
            writer.produce(out.topic, out.value, out.key, headers=list(out.headers), on_delivery=told)
            return
        except BufferError:
            writer.poll(0.1)
