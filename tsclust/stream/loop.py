"""Exactly once from topic to topic: verdicts and the offsets of what they are about are committed together, or not.

consume -> what becomes of it -> begin, produce, offsets, commit. On an error the transaction is aborted, and all is
read again from the committed offsets on. Brokers that are away are waited for.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from tsclust.errors import SettingsError
from tsclust.json_log import note
from tsclust.stream import transaction, written
from tsclust.stream.clients import PATIENCE, Clients
from tsclust.stream.messages import Known, Out, Raw

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between attempts, the last one for all that follow
FENCED = 3  # times in a row that another one of our name has taken over
FENCES = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)


class Work(Protocol):
    """What is to be written. following: partition -> the offset that is committed with it."""

    @property
    def outs(self) -> Sequence[Out]: ...

    @property
    def following(self) -> dict[int, int]: ...


W = TypeVar("W", bound=Work)


class Desk(Protocol[W]):
    """What becomes of messages."""

    def take(self, messages: Sequence[Raw], known: Known) -> W | None:
        """None where there is nothing to commit. known: what needs no verdict any more."""

    def keep(self, work: W, again: Callable[[int], bool]) -> bool:
        """Put it where nothing is transactional; again: waits after so many attempts, and says whether to go on. False:
        it is not there."""

    def done(self, work: W) -> None:
        """It is committed."""

    def forget(self) -> None:
        """All that is not committed will come again."""


class Loop(Generic[W]):
    """One instance. `stop` ends it behind what it is at."""

    def __init__(
        self,
        clients: Clients,
        topics: Sequence[str],
        desk: Desk[W],
        stop: threading.Event,
        turned: Callable[[int], None],
    ) -> None:
        """topics: that verdicts and unreadable messages go to;  turned: told of every turn, and how many wait."""
        self._clients, self._topics, self._desk, self._stop, self._turned = clients, topics, desk, stop, turned
        self._topic, self._settings = clients.settings.topic, clients.settings
        self._began: dict[int, int] = {}  # partition -> the first offset that was read of it
        self._behind: dict[int, int] = {}  # partition -> the offset that we have committed
        self._mine: set[int] = set()
        self._changes = 0  # of what is ours
        self._unsure, self._known = True, Known()
        self._fenced = 0
        self._since = 0.0  # when the last batch was taken
        self._reader: Consumer = clients.reader()
        self._writer: Producer | None = None

    def run(self) -> None:
        """Until `stop`. Raises SettingsError where another instance has the same name."""
        try:
            self._reader.subscribe(
                [self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
            )
            while not self._stop.is_set():
                self.turn()
                self._turned(self.lag())
        finally:
            self._let_go()
            self._reader.close()

    def turn(self) -> None:
        """Take what is there, and commit what becomes of it."""
        if self._writer is None and not self._recover(None):
            return
        messages = self._taken()
        try:
            self._look()
        except KafkaException as error:
            self._recover(error.args[0])
            return
        work, changes = self._desk.take(messages, self._known), self._changes
        if work is None:
            return
        if not self._desk.keep(work, self._again) or changes != self._changes:
            if not self._stop.is_set():
                self._recover(None)
            return
        self._commit(work)

    def lag(self) -> int:
        """Messages that wait in the partitions that are ours."""
        waiting = 0
        for one in self._reader.position(self._named(self._mine)):
            _, end = self._reader.get_watermark_offsets(TopicPartition(self._topic, one.partition), cached=True)
            waiting += max(end - one.offset, 0) if one.offset >= 0 and end >= 0 else 0
        return waiting

    def _taken(self) -> list[Raw]:
        """What has come: a full batch, or what there is `wait` seconds after the one before was taken. The time that
        scoring and committing took counts, as messages have waited meanwhile."""
        left = max(self._since + self._settings.wait - time.monotonic(), 0.0)
        messages = self._reader.consume(self._settings.batch, left)
        self._since = time.monotonic()
        found = []
        for one in messages:
            if (error := one.error()) is not None:
                note("the brokers report an error", logging.WARNING, error=None, why=error.str())
            elif (raw := _raw(one)).partition in self._mine and raw.offset >= self._behind.get(raw.partition, 0):
                # A batch may have begun before partitions changed hands, and its messages come again then.
                self._began.setdefault(raw.partition, raw.offset)
                found.append(raw)
        return found

    def _look(self) -> None:
        """After a start, a change or an error: which verdicts are there. Raises KafkaException."""
        if self._unsure and self._mine:
            committed = {one.partition: one.offset for one in self._committed() if one.offset >= 0}
            starts = {part: committed.get(part, 0) for part in self._mine}
            self._known = written.known(self._clients, self._topics, starts, self._stop)
            self._unsure = self._stop.is_set()

    def _commit(self, work: W) -> None:
        if (error := self._transact(work)) is not None:
            self._recover(error)
            return
        self._fenced = 0
        self._behind |= work.following
        self._desk.done(work)

    def _transact(self, work: W) -> KafkaError | None:
        """What went wrong, if anything.

        In a thread of its own, as a producer whose connection broke in the midst may wait for ever, whatever its limit
        is: that one is left alone, and commits nothing any more.
        """
        offsets = [TopicPartition(self._topic, part, offset) for part, offset in work.following.items()]
        group, given_up = self._reader.consumer_group_metadata(), threading.Event()
        done: queue.SimpleQueue[KafkaError | None] = queue.SimpleQueue()
        given = ([self._writer], work.outs, offsets, group, given_up, done)
        threading.Thread(target=transaction.write, args=given, daemon=True).start()
        try:
            return done.get(timeout=2 * PATIENCE)
        except queue.Empty:
            given_up.set()
            return KafkaError(KafkaError._TIMED_OUT)

    def _recover(self, error: KafkaError | None) -> bool:
        """Abort, or begin anew with another producer, and read again what is not committed: until that worked, or
        `stop`."""
        self._desk.forget()
        self._unsure = True
        if error is not None:
            self._heard(error)
        for attempt in itertools.count():
            try:
                self._clean(error)
                self._read_again()
                return True
            except KafkaException as another:
                self._heard(another.args[0])
                self._let_go()
            if not self._pause(attempt):
                break
        return False

    def _clean(self, error: KafkaError | None) -> None:
        """Have a producer without a transaction. Raises KafkaException."""
        if error is not None and error.txn_requires_abort() and self._writer is not None:
            self._writer.abort_transaction(PATIENCE)
        else:
            self._let_go()
            self._writer = self._clients.writer()

    def _let_go(self) -> None:
        """Of the producer, elsewhere: to end one whose connection broke may take for ever."""
        held, self._writer = [self._writer], None
        threading.Thread(target=held.clear, daemon=True).start()

    def _heard(self, error: KafkaError) -> None:
        """Say it. Raises SettingsError where another one of our name takes over again and again."""
        note("a transaction is tried again", logging.WARNING, why=f"{error.name()}: {error.str()}")
        self._fenced += error.code() in FENCES
        if self._fenced > FENCED:
            raise SettingsError(
                f"another tsclust stream of the group {self._settings.group} calls itself {self._settings.name!r}",
                "Give each one a name of its own: --instance NAME",
            )

    def _read_again(self) -> None:
        """From the committed offsets on; where there are none, from the first that was read. Raises KafkaException."""
        for one in self._committed():
            first = one.offset if one.offset >= 0 else self._began.get(one.partition, -1)
            if first >= 0:
                self._seek(TopicPartition(self._topic, one.partition, first))

    def _seek(self, to: TopicPartition) -> None:
        """A partition that was just assigned is not read yet, and cannot be turned back; it begins there anyway."""
        try:
            self._reader.seek(to)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:
                raise

    def _committed(self) -> list[TopicPartition]:
        return self._reader.committed(self._named(self._mine), PATIENCE) if self._mine else []

    def _named(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, part) for part in partitions]

    def _again(self, attempt: int) -> bool:
        """Wait before another attempt to write elsewhere; False where there is none to be."""
        changes = self._changes
        return self._pause(attempt) and changes == self._changes

    def _pause(self, attempt: int) -> bool:
        """Wait, and stay in the group meanwhile; False at `stop`."""
        until = time.monotonic() + PAUSES[min(attempt, len(PAUSES) - 1)]
        paused: set[int] = set()
        while time.monotonic() < until and not self._stop.is_set():
            if came := self._mine - paused:
                self._reader.pause(self._named(came))
                paused |= came
            # What is paused brings no messages; a partition that has just come may bring one: it is read again.
            if (one := self._reader.poll(0.1)) is not None and one.error() is None:
                raw = _raw(one)
                self._began[raw.partition] = min(raw.offset, self._began.get(raw.partition, raw.offset))
        if still := paused & self._mine:
            self._reader.resume(self._named(still))
        return not self._stop.is_set()

    def _assigned(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._mine |= {one.partition for one in partitions}
        if self._settings.start == "latest":
            self._begin_at_end(partitions)
        self._changed("partitions gained", partitions)

    def _begin_at_end(self, partitions: list[TopicPartition]) -> None:
        """Commit the end of those that have no offset yet: what comes from now on is ours, after a kill as well."""
        try:
            new = [one for one in self._reader.committed(partitions, PATIENCE) if one.offset < 0]
            for one in new:
                one.offset = self._reader.get_watermark_offsets(one, PATIENCE)[1]
                self._began[one.partition] = one.offset
            if new:
                self._reader.commit(offsets=new, asynchronous=False)
        except KafkaException as error:  # they begin at the end anyway, if a little later
            note("the brokers report an error", logging.WARNING, error=None, why=error.args[0].str())

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._mine -= {one.partition for one in partitions}
        for one in partitions:
            self._began.pop(one.partition, None)
        self._changed("partitions given up", partitions)

    def _changed(self, what: str, partitions: list[TopicPartition]) -> None:
        self._changes += 1
        self._unsure = True
        self._desk.forget()
        note(what, partitions=sorted(one.partition for one in partitions), now=len(self._mine))


def _raw(message: Message) -> Raw:
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    return Raw(partition, offset, _bytes(message.key()), _bytes(message.value()), message.timestamp()[1] / 1_000)


def _bytes(content: str | bytes | None) -> bytes | None:
    return content.encode() if isinstance(content, str) else content
