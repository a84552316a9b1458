"""Which verdicts are there already, where it is not known whether the last ones were committed.

Kafka shows nothing of a transaction that was aborted, and what was committed is behind the group's offsets: then there
is nothing to find. But a broker may show what it aborted (Tansu 0.6 does), and a recording that is spread over many
messages is read again from its first one on, others that ended meanwhile with it. Each verdict carries its source: what
readers see of sources that are to be read is not written again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tsclust.stream.clients import PATIENCE, Clients
from tsclust.stream.messages import GROUP, LAST, SOURCE, Known, place

MOST = {"json": 20_000, "arrow": 20_000, "long": 200_000}  # messages of each partition that are looked at


def known(clients: Clients, topics: Iterable[str], committed: Mapping[int, int]) -> Known:
    """What a reader sees of that which is at or behind the committed offset of its partition. Raises KafkaException."""
    if not committed:
        return Known()
    looker = clients.looker()
    try:
        tails = [one for topic in topics if topic for one in _tails(looker, topic, MOST[clients.settings.format])]
        looker.assign(tails)
        ours = (f"{clients.settings.topic}/", clients.settings.group)
        return _read(looker, tails, ours, committed)
    finally:
        looker.close()


def _tails(looker: Consumer, topic: str, most: int) -> list[TopicPartition]:
    """Where to begin in each partition that has anything."""
    found = []
    for partition in looker.list_topics(topic, timeout=PATIENCE).topics[topic].partitions:
        first, end = looker.get_watermark_offsets(TopicPartition(topic, partition), PATIENCE)
        if end > first:
            found.append(TopicPartition(topic, partition, max(first, end - most)))
    return found


def _read(looker: Consumer, tails: list[TopicPartition], ours: tuple[str, str], committed: Mapping[int, int]) -> Known:
    found = Known()
    for one in _messages(looker, tails):
        _note(one, ours, committed, found)
    return found


def _messages(looker: Consumer, tails: list[TopicPartition]) -> Iterator[Message]:
    """Until all partitions have ended. Raises KafkaException."""
    ended: set[tuple[str, int]] = set()
    heard = time.monotonic()
    while len(ended) < len(tails):
        # It waits for as many as are asked for, so long as it may: the ends of partitions come at once, if few.
        if messages := looker.consume(10_000, 0.05):
            heard = time.monotonic()
        elif time.monotonic() - heard > PATIENCE:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        for one in messages:
            if (error := one.error()) is None:
                yield one
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add((str(one.topic()), int(one.partition() or 0)))
            else:
                raise KafkaException(error)


def _note(message: Message, ours: tuple[str, str], committed: Mapping[int, int], found: Known) -> None:
    """ours: how sources begin, and the group: what another one has judged gets a verdict of this one as well."""
    headers = {
        name: value.decode() for name, value in dict(message.headers() or ()).items() if isinstance(value, bytes)
    }
    source, key = headers.get(SOURCE, ""), message.key()
    if not source.startswith(ours[0]) or headers.get(GROUP, ours[1]) != ours[1]:
        return
    partition, first = place(source)
    last = int(headers.get(LAST, first))
    if last < committed.get(partition, last + 1):
        return
    found.sources.add(source)
    if LAST in headers and isinstance(key, bytes):
        found.last[partition, key] = max(last, found.last.get((partition, key), -1))
