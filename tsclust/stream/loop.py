"""Exactly once from topic to topic: verdicts and the offsets of what they are about are committed together, or not.

consume -> what becomes of it -> begin, produce, offsets, commit. On an error the transaction is aborted, and all is
read again from the committed offsets on. Brokers that are away are waited for.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from tsclust.stream import failures, transaction, written
from tsclust.stream.clients import PATIENCE, Clients
from tsclust.stream.failures import COMMIT, LOOK, RECOVERY, Failures
from tsclust.stream.messages import Known, Out, Raw
from tsclust.stream.partitions import Partitions

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between attempts, the last one for all that follow
ASKED = 2.0  # seconds between two questions whether brokers that were away are there again


class Work(Protocol):
    """What is to be written. following: partition -> the offset that is committed with it; rest: partition -> where to
    go on reading, where not all was dealt with that came."""

    @property
    def outs(self) -> Sequence[Out]: ...

    @property
    def following(self) -> dict[int, int]: ...

    @property
    def rest(self) -> Mapping[int, int]: ...


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


class Told(failures.Told, Protocol):
    """Who is told how it goes."""

    def turned(self, lag: int) -> None:
        """It has come round, and so many messages wait."""

    def reached(self) -> None:
        """Brokers have answered."""

    def is_away(self) -> bool:
        """Whether brokers could not be reached the last time."""


class Loop(Generic[W]):
    """One instance. `stop` ends it behind what it is at."""

    def __init__(
        self, clients: Clients, topics: Sequence[str], desk: Desk[W], stop: threading.Event, told: Told
    ) -> None:
        """topics: that verdicts and unreadable messages go to."""
        self._clients, self._topics, self._desk, self._stop, self._told = clients, topics, desk, stop, told
        self._settings = clients.settings
        self._unsure, self._known = True, Known()
        self._failures = Failures(self._settings, told)
        self._since = 0.0  # when the last batch was taken
        self._asked = 0.0  # when brokers that are away were asked the last time
        self._ours = Partitions(clients.reader(), self._settings, self._changed)
        self._writer: Producer | None = None

    def run(self) -> None:
        """Until `stop`. Raises SettingsError where another instance has the same name."""
        try:
            self._ours.subscribe()
            while not self._stop.is_set():
                self.turn()
                self._ask()
                self._told.turned(self._ours.lag())
        finally:
            self._let_go()
            self._ours.reader.close()

    def turn(self) -> None:
        """Take what is there, and commit what becomes of it."""
        if self._writer is None and not self._recover(None):
            return
        messages = self._taken()
        if not self._is_sure():
            return
        work, changes = self._desk.take(messages, self._known), self._ours.changes
        if work is None:
            if not messages:
                self._failures.nothing_to_do()
            return
        if not self._desk.keep(work, self._again) or changes != self._ours.changes:
            if not self._stop.is_set():
                self._recover(None)
            return
        self._commit(work)

    def _taken(self) -> list[Raw]:
        """What has come: a full batch, or what there is `wait` seconds after the one before was taken. The time that
        scoring and committing took counts, as messages have waited meanwhile."""
        left = max(self._since + self._settings.wait - time.monotonic(), 0.0)
        messages = self._ours.take(self._settings.batch, left)
        self._since = time.monotonic()
        return messages

    def _is_sure(self) -> bool:
        """After a start, a change or an error: which verdicts are there. False where that could not be seen."""
        if not (self._unsure and self._ours.mine):
            return True
        try:
            starts = self._ours.starts()
            self._known = written.known(self._clients, self._topics, starts, self._stop)
            written.say(self._known, starts, self._ours.end)
        except KafkaException as error:
            self._recover(error.args[0], LOOK)
            return False
        self._failures.worked(LOOK)
        self._unsure = self._stop.is_set()
        return not self._unsure

    def _commit(self, work: W) -> None:
        if (error := self._transact(work)) is not None:
            self._recover(error, COMMIT)
            return
        self._failures.committed()
        self._told.reached()
        self._ours.committed(work.following)
        self._desk.done(work)
        try:
            self._ours.read_from(work.rest)
        except KafkaException as refused:
            self._recover(refused.args[0], RECOVERY)

    def _transact(self, work: W) -> KafkaError | None:
        """What went wrong, if anything.

        In a thread of its own, as a producer whose connection broke in the midst may wait for ever, whatever its limit
        is: that one is left alone, and commits nothing any more.
        """
        offsets = [TopicPartition(self._settings.topic, part, offset) for part, offset in work.following.items()]
        group, given_up = self._ours.reader.consumer_group_metadata(), threading.Event()
        done: queue.SimpleQueue[KafkaError | None] = queue.SimpleQueue()
        given = ([self._writer], work.outs, offsets, group, given_up, done)
        threading.Thread(target=transaction.write, args=given, daemon=True).start()
        try:
            return done.get(timeout=2 * PATIENCE)
        except queue.Empty:
            given_up.set()
            return KafkaError(KafkaError._TIMED_OUT)

    def _recover(self, error: KafkaError | None, step: str = RECOVERY) -> bool:
        """Abort, or begin anew with another producer, and read again what is not committed: until that worked, or
        `stop`. From the second failure in a row on there is a pause before, that grows. step: what failed."""
        self._desk.forget()
        self._unsure = True
        if error is not None:
            self._failures.add(step, error)
            if (before := self._failures.in_a_row() - 1) > 0:
                self._pause(before - 1)
        while not self._stop.is_set():
            try:
                self._clean(error)
                self._ours.read_again()
            except KafkaException as another:
                self._failures.add(RECOVERY, another.args[0])
                self._let_go()
                self._pause(self._failures.in_a_row() - 1)
            else:
                self._failures.worked(RECOVERY)
                self._told.reached()
                return True
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

    def _ask(self) -> None:
        """Whether brokers are there again, where nothing comes that would show it."""
        if self._told.is_away() and time.monotonic() - self._asked > ASKED:
            self._asked = time.monotonic()
            if self._ours.answers():
                self._told.reached()

    def _again(self, attempt: int) -> bool:
        """Wait before another attempt to write elsewhere; False where there is none to be."""
        changes = self._ours.changes
        return self._pause(attempt) and changes == self._ours.changes

    def _pause(self, attempt: int) -> bool:
        return self._ours.wait(PAUSES[min(attempt, len(PAUSES) - 1)], self._stop)

    def _changed(self) -> None:
        """Partitions have come or gone."""
        self._unsure = True
        self._failures.worked(COMMIT)
        self._desk.forget()
