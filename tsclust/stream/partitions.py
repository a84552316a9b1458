"""The partitions of the topic that are ours: what they bring, how far they are committed, and where they are read from.

Brokers say when one comes or goes. They do not say when a topic was made anew, or has lost its end: the reader is
turned back then, and what it brings is new, although it has offsets that were committed before.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tsclust.config.stream import Stream
from tsclust.json_log import note
from tsclust.stream.beginning import begin_at_end
from tsclust.stream.clients import PATIENCE
from tsclust.stream.messages import Raw


class Partitions:
    """Of one member of the group. mine: those that are ours;  changes: of them, so far."""

    def __init__(self, reader: Consumer, settings: Stream, changed: Callable[[], None]) -> None:
        """changed: called when partitions come or go."""
        self.reader, self._settings, self._topic, self._told = reader, settings, settings.topic, changed
        self.mine: set[int] = set()
        self.changes = 0
        self._began: dict[int, int] = {}  # partition -> the first offset that was read of it
        self._next: dict[int, int] = {}  # partition -> the offset that is to come, as far as we know
        self._behind: dict[int, int] = {}  # partition -> the offset that we have committed

    def subscribe(self) -> None:
        self.reader.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def take(self, most: int, seconds: float) -> list[Raw]:
        """What comes of ours within so many seconds, and is not committed."""
        changes, came = self.changes, []
        for one in self.reader.consume(most, seconds):
            if (error := one.error()) is not None:
                note("the brokers report an error", logging.WARNING, error=None, why=error.str())
            else:
                came.append(raw_of(one))
        if changes != self.changes:  # what had come before partitions changed hands comes again
            came = list({(one.partition, one.offset): one for one in came}.values())
        ours = [one for one in came if one.partition in self.mine]
        fresh = [one for one in ours if self._is_fresh(one)]
        if passed := len(ours) - len(fresh):
            note("messages that were read again are passed over: they are committed", messages=passed)
        return fresh

    def _is_fresh(self, raw: Raw) -> bool:
        """Whether it is not committed. Where the reader went back by itself, what was committed is there no more."""
        part = raw.partition
        if raw.offset < self._next.get(part, 0):
            what = "a partition begins anew: its topic was made anew, or has lost its end"
            note(what, logging.WARNING, partition=part, offset=raw.offset, before=self._next[part])
            self._forget(part)
        self._began.setdefault(part, raw.offset)
        self._next[part] = raw.offset + 1
        return raw.offset >= self._behind.get(part, 0)

    def _forget(self, part: int) -> None:
        for one in (self._began, self._next, self._behind):
            one.pop(part, None)

    def committed(self, following: Mapping[int, int]) -> None:
        """These are, by us."""
        self._behind |= following

    def starts(self) -> dict[int, int]:
        """partition -> the offset from which on nothing is committed, -1 where nothing is. Raises KafkaException."""
        return {one.partition: max(one.offset, -1) for one in self._committed()}

    def end(self, part: int) -> int:
        """The offset behind the last message that there is. Raises KafkaException."""
        return int(self.reader.get_watermark_offsets(TopicPartition(self._topic, part), PATIENCE)[1])

    def answers(self) -> bool:
        """Whether a broker does, at once."""
        try:
            self.reader.list_topics(self._topic, timeout=1.0)
        except KafkaException:
            return False
        return True

    def lag(self) -> int:
        """Messages that wait."""
        waiting = 0
        for one in self.reader.position(self._named(self.mine)):
            _, end = self.reader.get_watermark_offsets(TopicPartition(self._topic, one.partition), cached=True)
            waiting += max(end - one.offset, 0) if one.offset >= 0 and end >= 0 else 0
        return waiting

    def read_again(self) -> None:
        """From the committed offsets on; where there are none, from the first that was read. Raises KafkaException."""
        again = {one.partition: one.offset for one in self._committed()}
        self.read_from({part: at if at >= 0 else self._began.get(part, -1) for part, at in again.items()})

    def read_from(self, offsets: Mapping[int, int]) -> None:
        """Those below 0 say nothing. Raises KafkaException."""
        for part, offset in offsets.items():
            if offset >= 0:
                self._seek(TopicPartition(self._topic, part, offset))
                self._next[part] = offset

    def _seek(self, to: TopicPartition) -> None:
        """A partition that was just assigned is not read yet, and cannot be turned back; it begins there anyway."""
        try:
            self.reader.seek(to)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:
                raise

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Stay in the group meanwhile; False at `stop`."""
        until = time.monotonic() + seconds
        paused: set[int] = set()
        while time.monotonic() < until and not stop.is_set():
            if came := self.mine - paused:
                self.reader.pause(self._named(came))
                paused |= came
            # What is paused brings no messages; a partition that has just come may bring one: it is read again.
            if (one := self.reader.poll(0.1)) is not None and one.error() is None:
                raw = raw_of(one)
                self._began[raw.partition] = min(raw.offset, self._began.get(raw.partition, raw.offset))
        if still := paused & self.mine:
            self.reader.resume(self._named(still))
        return not stop.is_set()

    def _committed(self) -> list[TopicPartition]:
        return self.reader.committed(self._named(self.mine), PATIENCE) if self.mine else []

    def _named(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, part) for part in partitions]

    def _assigned(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self.mine |= {one.partition for one in partitions}
        if self._settings.start == "latest":
            self._began |= begin_at_end(self.reader, self._topic, {one.partition for one in partitions})
        self._changed("partitions gained", partitions)

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self.mine -= {one.partition for one in partitions}
        for one in partitions:
            self._forget(one.partition)
        self._changed("partitions given up", partitions)

    def _changed(self, what: str, partitions: list[TopicPartition]) -> None:
        self.changes += 1
        self._told()
        note(what, partitions=sorted(one.partition for one in partitions), now=len(self.mine))


def raw_of(message: Message) -> Raw:
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    return Raw(partition, offset, _bytes(message.key()), _bytes(message.value()), message.timestamp()[1] / 1_000)


def _bytes(content: str | bytes | None) -> bytes | None:
    return content.encode() if isinstance(content, str) else content
