"""Messages of one value each: the values of a key are a recording until a gap, an end mark, or silence.

A recording is named by its first message. The offset that is committed is that of the oldest recording that has not
ended, so that a kill loses no half of one: its messages come again, and with them those of others that ended meanwhile.
Their verdicts, which carry the offset of their last message, are found by `written`, and these messages passed over.
What ends a recording are messages of its key, so that it ends there each time: the times of two that follow each other,
or a mark. Times of others say nothing, as each producer has a clock of its own. Where a key is silent the clock here
decides, which stands still while nothing can be read: messages that wait are no silence.

Values may overtake each other: within a recording they are put in order of their times. One that comes more than a gap
before a recording that has begun, or has the name of one that has ended, belongs to it: it is late, and not taken.
"""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tsclust.config.stream import Stream
from tsclust.series import ID, VALUES
from tsclust.stream.messages import Known, Raw, Read, Recording, Unreadable, following, source
from tsclust.stream.whole import object_of, text_of

REMEMBERED = 100_000  # keys whose last recording is known, so that late values are
LOOKS = 1.0  # seconds between two looks for silent keys
LATEST = 10  # times [stream] idle, after which a value is late no more: a time may have been wrong
AHEAD = 86_400.0  # seconds that the time of a value may be after that of its message: clocks and time zones differ


LATE = "it is late: the recording that its time belongs to has ended. See [stream] gap and idle"


@dataclass
class Window:
    """The recording of a key that has not ended. first: offset of its first message; seen: when the last one came, as
    the brokers say; heard: when it came here; last: its offset; fields: of the first one; values: (time, order of
    arrival, value); begins, ends: the least and the largest of these times."""

    key: bytes
    first: int
    seen: float
    fields: dict[str, Any]
    values: list[tuple[float, int, float | None]] = field(default_factory=list)
    heard: float = 0.0
    last: int = -1
    too_long: bool = False
    begins: float = math.inf
    ends: float = -math.inf

    def add(self, at: float, order: int, value: float | None) -> None:
        self.values.append((at, order, value))
        self.begins, self.ends = min(self.begins, at), max(self.ends, at)

    def keep_end(self) -> None:
        """All that is needed of one that is refused."""
        self.values.clear()
        self.begins = self.ends


@dataclass(frozen=True, slots=True)
class Ended:
    """The last recording of a key that has. at: its last time; heard: when it ended here."""

    at: float
    name: object
    heard: float


@dataclass(frozen=True, slots=True)
class Value:
    """A message. name: of the recording it says it belongs to, None where it does not; last: its mark."""

    at: float
    value: float | None
    name: object
    last: bool
    fields: dict[str, Any]


class LongForm:
    """Reads messages that hold a value each."""

    def __init__(self, settings: Stream) -> None:
        self._settings = settings
        # partition -> key -> its recording, the one that began first comes first; and the last one that has ended
        self._open: defaultdict[int, OrderedDict[bytes, Window]] = defaultdict(OrderedDict)
        self._ended: defaultdict[int, OrderedDict[bytes, Ended]] = defaultdict(OrderedDict)
        self._now, self._turned, self._looked = 0.0, math.inf, 0.0  # seconds in which messages could be read
        self._next: dict[int, int] = {}
        self._order = itertools.count()

    def read(self, messages: Sequence[Raw], now: float, known: Known) -> Read:
        found = Read()
        self._advance(now)
        for one in messages:
            if self._is_known(one, known):
                found.known.append(source(self._settings.topic, one.partition, one.offset))
            else:
                self._take(one, found)
        self._next |= following(messages)
        if self._now - self._looked >= LOOKS:
            self._looked = self._now
            self._end_silent(found)
        found.following.update({part: self._oldest(part) for part in self._next})
        return found

    def forget(self) -> None:
        for one in (self._open, self._ended, self._next):
            one.clear()

    def _advance(self, now: float) -> None:
        """The clock, by a turn as long as they are: what a longer one has waited for elsewhere does not count."""
        most = max(self._settings.wait + LOOKS, self._settings.idle / 4)
        self._now += min(max(now - self._turned, 0.0), most)
        self._turned = now

    def _end_silent(self, found: Read) -> None:
        for partition, windows in self._open.items():
            for key in [key for key, one in windows.items() if self._now - one.heard > self._settings.idle]:
                self._end(partition, key, found)

    def _is_known(self, raw: Raw, known: Known) -> bool:
        """Whether it was a part of something that is there, when it was read before."""
        ended = raw.key is not None and raw.offset <= known.last.get((raw.partition, raw.key), -1)
        return ended or source(self._settings.topic, raw.partition, raw.offset) in known.sources

    def _oldest(self, partition: int) -> int:
        """The first message that is still needed, or the one behind all."""
        begun = (one.first for one in self._open[partition].values() if not one.too_long)
        return next(begun, self._next[partition])

    def _take(self, raw: Raw, found: Read) -> None:
        windows = self._open[raw.partition]
        where = source(self._settings.topic, raw.partition, raw.offset)
        try:
            key, value = self._read(raw)
        except (ValueError, RecursionError) as error:
            found.unreadable.append(Unreadable(where, raw.key, raw.value, str(error)[:500]))
            return
        window = windows.get(key)
        if self._is_late(raw.partition, key, window, value):
            found.unreadable.append(Unreadable(where, raw.key, raw.value, LATE))
            return
        if window is not None and self._begins_another(window, value, raw):
            self._end(raw.partition, key, found)
            window = None
        if window is None:
            window = windows[key] = Window(key, raw.offset, raw.at, value.fields)
        self._add(window, value, raw, found)
        if value.last:
            self._end(raw.partition, key, found)

    def _begins_another(self, window: Window, value: Value, raw: Raw) -> bool:
        silent = raw.at - window.seen > self._settings.idle
        return silent or self._is_other(window, value) or value.at - window.ends > self._settings.gap

    def _is_other(self, window: Window, value: Value) -> bool:
        return value.name is not None and value.name != window.fields.get(self._settings.id)

    def _is_late(self, partition: int, key: bytes, window: Window | None, value: Value) -> bool:
        """Whether a value belongs to a recording that has ended."""
        if window is not None and not self._is_other(window, value):
            return window.begins - value.at > self._settings.gap
        last = self._ended[partition].get(key)
        if last is None or self._now - last.heard > LATEST * self._settings.idle:
            return False
        return value.at <= last.at and value.name == last.name if value.name is not None else value.at < last.at

    def _add(self, window: Window, value: Value, raw: Raw, found: Read) -> None:
        window.seen, window.heard, window.last = max(window.seen, raw.at), self._now, raw.offset
        window.add(value.at, next(self._order), value.value)
        if not window.too_long and len(window.values) > self._settings.longest:
            window.too_long = True  # said now, as it may never end
            why = f"it has more than {self._settings.longest:,} values. See [stream] gap, end and longest"
            name = source(self._settings.topic, raw.partition, window.first)
            found.unreadable.append(Unreadable(name, raw.key, raw.value, why, raw.offset))
        if window.too_long:
            window.keep_end()

    def _end(self, partition: int, key: bytes, found: Read) -> None:
        window = self._open[partition].pop(key)
        ended = self._ended[partition]
        name = window.fields.get(self._settings.id) if self._settings.id else None
        ended[key] = Ended(window.ends, name, self._now)
        ended.move_to_end(key)
        if len(ended) > REMEMBERED:
            ended.popitem(last=False)
        if window.too_long:
            return
        where = source(self._settings.topic, partition, window.first)
        fields = {**window.fields, VALUES: list(in_order(window.values))}
        fields.pop(self._settings.id or ID, None)
        fields[ID] = f"{text_of(key)}@{partition}:{window.first}" if name is None else name
        found.recordings.append(Recording(where, key, fields, window.seen, None, window.last))

    def _read(self, raw: Raw) -> tuple[bytes, Value]:
        """Raises ValueError for what is no value."""
        if raw.value is None:
            raise ValueError("it is empty: expected a value")
        text_of(raw.key)
        asked, fields = self._settings, object_of(raw.value)
        value = fields.pop(asked.value, ValueError)
        if value is ValueError:
            raise ValueError(f"it has no field {asked.value} (it has: {', '.join(fields)[:200]})")
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise ValueError(f"{asked.value} is {str(value)[:60]!r}: expected a number, or null for a missing one")
        at = seconds(fields.pop(asked.time, None), asked.time) if asked.time else raw.at
        if at - raw.at > AHEAD and raw.at > 0:  # it would make all that follow late
            raise ValueError(
                f"its {asked.time} is {(at - raw.at) / 86_400:,.1f} days ahead: expected seconds since 1970"
            )
        last = bool(fields.pop(asked.end, False)) if asked.end else False
        name = fields.get(asked.id) if asked.id else None
        assert raw.key is not None
        return raw.key, Value(at, None if value is None else float(value), name, last, fields)


def seconds(value: Any, name: str) -> float:
    """A time as seconds since 1970: a number of them, or ISO 8601. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"{name} is {str(value)[:60]!r}: expected seconds since 1970, or a time like 2026-01-31T12:00:00Z"
        ) from None


def in_order(values: Sequence[tuple[float, int, float | None]]) -> Iterator[float | None]:
    """In the order of their times, those of one time as they came."""
    return (one[2] for one in sorted(values, key=lambda one: one[:2]))
