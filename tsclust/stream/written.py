"""Which verdicts are there already, where it is not known whether the last ones were committed.

Kafka shows nothing of a transaction that was aborted, and what was committed is behind the group's offsets: then there
is nothing to find. But a broker may show what it aborted (Tansu 0.6 does), and a recording that is spread over many
messages is read again from its first one on, others that ended meanwhile with it. Each verdict carries its source: what
readers see of sources that are to be read is not written again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tsclust.config.stream import Stream
from tsclust.json_log import note
from tsclust.stream.clients import PATIENCE, Clients
from tsclust.stream.messages import GROUP, LAST, ROOM, SOURCE, Known, place

LEAST = 20_000  # messages of each partition that are looked at
BATCH = 10_000  # messages that may lie behind the end that is said: Tansu's is in front of the last batch
WHOLE = 240.0  # seconds for all: a member of a group that is silent for five minutes is put out of it
ANEW = (
    "verdicts are there that offsets of the group, or the topic, do not explain: where it was made anew, what it holds "
    "is passed over; name another --group then"
)
Ends = dict[tuple[str, int], int]  # (topic, partition) -> the offset behind the last message that is looked at


def known(clients: Clients, topics: Iterable[str], committed: Mapping[int, int], stop: threading.Event) -> Known:
    """What a reader sees of that which is at or behind the committed offset of its partition: not all of it once `stop`
    is set. Raises KafkaException."""
    if not committed:
        return Known()
    looker = clients.looker()
    try:
        tails, ends = _tails(looker, [one for one in topics if one], looked_at(clients.settings))
        looker.assign(tails)
        ours, found = (f"{clients.settings.topic}/", clients.settings.group), Known()
        for one in _messages(looker, ends, stop):
            _note(one, ours, committed, found)
        return found
    finally:
        looker.close()


def looked_at(settings: Stream) -> int:
    """Messages of each partition: twice what a transaction may hold, as other members of the group write there too."""
    held = {"json": min(settings.batch, ROOM), "arrow": ROOM, "long": max(settings.batch, ROOM)}
    return max(2 * held[settings.format], LEAST)


def say(found: Known, committed: Mapping[int, int], end: Callable[[int], int]) -> None:
    """What will be passed over, and whether it may be of another topic of this name: offsets went with that, or were
    beyond the end of this one. end: of a partition. Raises KafkaException."""
    offsets: defaultdict[int, list[int]] = defaultdict(list)
    for part, offset in map(place, found.sources):
        offsets[part].append(offset)
    for part, there in sorted(offsets.items()):
        what = "verdicts on what is read again are there: they are not written twice"
        behind = end(part)
        note(what, partition=part, verdicts=len(there), first=min(there), last=max(there), end=behind)
        if committed.get(part, -1) < 0 or max(there) >= behind + BATCH:
            note(ANEW, logging.WARNING, partition=part, verdicts=len(there), first=min(there), last=max(there))


def _tails(looker: Consumer, topics: Iterable[str], most: int) -> tuple[list[TopicPartition], Ends]:
    """Where to begin and to end in each partition that has anything. Raises KafkaException."""
    tails, ends = [], {}
    for topic in topics:
        about = looker.list_topics(topic, timeout=PATIENCE).topics[topic]
        if about.error is not None:  # it has no partitions then, and is not empty
            raise KafkaException(about.error)
        for partition in about.partitions:
            first, end = looker.get_watermark_offsets(TopicPartition(topic, partition), PATIENCE)
            if end > first:
                tails.append(TopicPartition(topic, partition, max(first, end - most)))
                ends[topic, partition] = end
    return tails, ends


def _messages(looker: Consumer, ends: Ends, stop: threading.Event) -> Iterator[Message]:
    """Until all partitions have come to an end, that of before if others go on writing, or `stop`. Raises
    KafkaException."""
    left, began = set(ends), time.monotonic()
    heard = began
    while left and not stop.is_set():
        # It waits for as many as are asked for, so long as it may: the ends of partitions come at once, if few.
        for one in looker.consume(10_000, 0.05):
            of = (str(one.topic()), int(one.partition() or 0))
            if of not in left:
                continue  # what others write meanwhile is no progress
            heard = time.monotonic()
            if (error := one.error()) is None:
                yield one
            elif error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            if error is not None or int(one.offset() or 0) >= ends[of] + BATCH:
                left.discard(of)
        if time.monotonic() - heard > PATIENCE or time.monotonic() - began > WHOLE:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "verdicts that are there cannot be read in time"))


def _note(message: Message, ours: tuple[str, str], committed: Mapping[int, int], found: Known) -> None:
    """ours: how sources begin, and the group: what another one has judged gets a verdict of this one as well. What is
    not ours, or no source, is passed over: others may write to these topics too."""
    headers, key = dict(message.headers() or ()), message.key()
    try:
        source, group, last = (_text(headers.get(name)) for name in (SOURCE, GROUP, LAST))
        if not source.startswith(ours[0]) or group not in ("", ours[1]):
            return
        partition, first = place(source)
        behind = int(last or first)
    except ValueError:
        return
    if behind < committed.get(partition, behind + 1):
        return
    found.sources.add(source)
    if last and isinstance(key, bytes):
        found.last[partition, key] = max(behind, found.last.get((partition, key), -1))


def _text(header: str | bytes | None) -> str:
    """Raises ValueError."""
    return header.decode() if isinstance(header, bytes) else header or ""
