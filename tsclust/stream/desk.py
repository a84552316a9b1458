"""What becomes of messages: they are read, scored, and their verdicts addressed; what is not for Kafka is put away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from tsclust.config.stream import Stream
from tsclust.errors import ConnectError, DiskFullError, QueryError, SettingsError, SourceLostError, TsclustError
from tsclust.json_log import note
from tsclust.stream import messages
from tsclust.stream.health import Health
from tsclust.stream.judging import Judged, Verdict, judge, out_of, overwritten, refused
from tsclust.stream.messages import Known, Out, Raw, Read, Unreadable
from tsclust.stream.models import Models
from tsclust.wording.language import Language

LARGEST = 900_000  # bytes of a verdict with its key: a broker takes a megabyte, unless it is told otherwise
# What is waited for: a server that is away, or takes nothing until somebody has changed something there.
PASSING = (ConnectError, SourceLostError, DiskFullError, QueryError, SettingsError, OSError)


class Reader(Protocol):
    """What messages hold."""

    def read(self, messages: Sequence[Raw], now: float, known: Known) -> Read: ...

    def forget(self) -> None: ...


class Sink(Protocol):
    """Where verdicts go beside Kafka, at least once: what comes again changes nothing there. name: for the log."""

    name: str

    def put(self, verdicts: Sequence[Verdict], scored_at: datetime) -> list[Unreadable]:
        """Those that cannot be put there. Raises one of PASSING where that may pass."""


class Watch(Protocol):
    """Looks at scores as they come."""

    def see(self, judged: Judged) -> None: ...

    def alarms(self) -> list[Out]:
        """What is to be written, until it is `sent`."""

    def sent(self) -> None: ...


@dataclass(frozen=True)
class Finished:
    """What is to be committed. outs, following, rest: see Work;  known: so many were passed over, see Read."""

    outs: list[Out]
    following: dict[int, int]
    judged: Judged
    unreadable: list[Unreadable]
    scored_at: datetime
    rest: dict[int, int]
    known: int


class Scoring:
    """The desk of a stream."""

    def __init__(
        self, settings: Stream, models: Models, words: Language, reader: Reader, sinks: Sequence[Sink], watch: Watch,
        health: Health,
    ) -> None:  # fmt: skip
        self._settings, self._models, self._words, self._reader = settings, models, words, reader
        self._sinks, self._watch, self._health = sinks, watch, health
        self._committed: dict[int, int] = {}
        self._warned: set[str] = set()

    def take(self, raws: Sequence[Raw], known: Known) -> Finished | None:
        read, scorer = self._reader.read(raws, time.monotonic(), known), self._models.scorer
        fresh = [one for one in read.recordings if one.source not in known.sources]
        judged = judge(scorer, fresh, self._settings.longest, self._words) if fresh else Judged()
        refused = [one for one in read.unreadable if one.source not in known.sources]
        passed = len(read.known) + len(read.recordings) - len(fresh) + len(read.unreadable) - len(refused)
        unreadable = [*refused, *judged.unreadable]
        alarms = self._watch.alarms()
        following = {part: at for part, at in read.following.items() if self._committed.get(part) != at}
        if not (following or judged.verdicts or unreadable or alarms):
            return None
        self._warn(judged.verdicts)
        now = datetime.now(UTC)
        verdicts = self._addressed(judged.verdicts, now, unreadable) if self._settings.to_topic else []
        outs = [*self._dead(unreadable), *alarms, *verdicts]
        return Finished(outs, following, judged, unreadable, now, read.rest, passed)

    def _dead(self, unreadable: Sequence[Unreadable]) -> list[Out]:
        return [messages.dead(self._settings.unreadable, one).by(self._settings.group) for one in unreadable]

    def _addressed(self, verdicts: Sequence[Verdict], now: datetime, unreadable: list[Unreadable]) -> list[Out]:
        """Their messages; those that none can be made of are added to `unreadable`: brokers would refuse one that is
        too large, and with it the whole transaction."""
        found = []
        for one in verdicts:
            try:
                out, why = out_of(self._settings.to_topic, one, now).by(self._settings.group), ""
            except (TypeError, ValueError, RecursionError) as error:
                out, why = None, f"its verdict cannot be written as JSON: {error}. Carry less along"[:500]
            if out is not None and (size := out.size) > LARGEST:
                more = "Carry less along, in the key too"
                out, why = None, f"its verdict has {size:,} bytes: expected at most {LARGEST:,}. {more}"
            if out is None:
                unreadable.append(refused(one.of, why))
            else:
                found.append(out)
        return found

    def keep(self, work: Finished, again: Callable[[int], bool]) -> bool:
        for sink in self._sinks:
            attempt = 0
            while (refused := self._put(sink, work)) is None:
                if not again(attempt):
                    return False
                attempt += 1
            work.unreadable.extend(refused)
            work.outs.extend(self._dead(refused))
        return True

    def _put(self, sink: Sink, work: Finished) -> list[Unreadable] | None:
        """What the sink refuses; None where it cannot be reached."""
        try:
            refused = sink.put(work.judged.verdicts, work.scored_at) if work.judged.verdicts else []
        except PASSING as error:
            self._health.lost(sink.name, error.problem if isinstance(error, TsclustError) else str(error))
            return None
        self._health.found(sink.name)
        return refused

    def done(self, work: Finished) -> None:
        self._committed |= work.following
        self._watch.sent()
        self._watch.see(work.judged)
        self._health.known.inc(work.known)
        self._health.scored(work.judged.verdicts, len(work.unreadable), time.time())
        for one in work.unreadable[:3]:
            note("unreadable", logging.WARNING, source=one.source, why=one.reason)
        if len(work.unreadable) > 3:
            note("unreadable", logging.WARNING, more=len(work.unreadable) - 3, topic=self._settings.unreadable)

    def forget(self) -> None:
        self._committed.clear()
        self._reader.forget()

    def _warn(self, verdicts: Sequence[Verdict]) -> None:
        """Once for each name: a field of a message that the verdict's own takes the place of."""
        for name in {name for one in verdicts[:100] for name in overwritten(one.of)} - self._warned:
            self._warned.add(name)
            note("a field of messages has the name of one of the verdict's, which counts", logging.WARNING, field=name)
