"""Messages of one value each: the values of a key are a recording until a gap, an end mark, or silence.

A recording is named by its first message. The offset that is committed is that of the oldest recording that has not
ended, so that a kill loses no half of one: its messages come again, and with them those of others that ended meanwhile.
Their verdicts, which carry the offset of their last message, are found by `written`, and these messages passed over.
What ends a recording depends on messages alone, so that it ends there each time: on the times of two that follow each
other, a mark, or a later message of the partition, whoever sent it. Only where all of a partition is silent the clock
decides, and then nothing is left open.

Values may overtake each other: within a recording they are put in order of their times. One that comes more than a gap
before a recording that has begun belongs to one that has ended: it is late, and not taken.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tsclust.config.stream import Stream
from tsclust.series import ID, VALUES
from tsclust.stream.messages import Known, Raw, Read, Recording, Unreadable, following, source
from tsclust.stream.whole import object_of, text_of

REMEMBERED = 100_000  # keys whose last recording is known, so that late values are


@dataclass
class Window:
    """The recording of a key that has not ended. first: offset of its first message; seen: when the last one came, as
    the brokers say; last: its offset; fields: of the first one; values: (time, order of arrival, value)."""

    key: bytes
    first: int
    seen: float
    fields: dict[str, Any]
    values: list[tuple[float, int, float | None]] = field(default_factory=list)
    last: int = -1
    too_long: bool = False

    @property
    def begins(self) -> float:
        return min(one[0] for one in self.values)

    @property
    def ends(self) -> float:
        return max(one[0] for one in self.values)


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
        self._open: dict[int, dict[bytes, Window]] = {}  # partition -> key -> its recording
        self._ended: dict[int, dict[bytes, float]] = {}  # partition -> key -> the last time of its last recording
        self._heard: dict[int, float] = {}  # partition -> when its last message came here
        self._next: dict[int, int] = {}
        self._order = itertools.count()

    def read(self, messages: Sequence[Raw], now: float, known: Known) -> Read:
        found = Read()
        for one in messages:
            if not self._is_known(one, known):
                self._take(one, found)
            self._heard[one.partition] = now
        self._next |= following(messages)
        for partition, heard in self._heard.items():
            if now - heard > self._settings.idle:
                for key in list(self._open.get(partition, {})):
                    self._end(partition, key, found)
        found.following.update({part: self._oldest(part) for part in self._next})
        return found

    def forget(self) -> None:
        for one in (self._open, self._ended, self._heard, self._next):
            one.clear()

    def _is_known(self, raw: Raw, known: Known) -> bool:
        """Whether it was a part of something that is there, when it was read before."""
        ended = raw.key is not None and raw.offset <= known.last.get((raw.partition, raw.key), -1)
        return ended or source(self._settings.topic, raw.partition, raw.offset) in known.sources

    def _oldest(self, partition: int) -> int:
        """The first message that is still needed, or the one behind all."""
        begun = [one.first for one in self._open.get(partition, {}).values() if not one.too_long]
        return min(begun, default=self._next[partition])

    def _take(self, raw: Raw, found: Read) -> None:
        windows = self._open.setdefault(raw.partition, {})
        for key in [key for key, one in windows.items() if raw.at - one.seen > self._settings.idle]:
            self._end(raw.partition, key, found)
        where = source(self._settings.topic, raw.partition, raw.offset)
        try:
            key, value = self._read(raw)
        except (ValueError, RecursionError) as error:
            found.unreadable.append(Unreadable(where, raw.key, raw.value, str(error)[:500]))
            return
        window = windows.get(key)
        if window is not None and self._begins_another(window, value):
            self._end(raw.partition, key, found)
            window = None
        if late := self._is_late(raw.partition, key, window, value):
            found.unreadable.append(Unreadable(where, raw.key, raw.value, late))
            return
        if window is None:
            window = windows[key] = Window(key, raw.offset, raw.at, value.fields)
        self._add(window, value, raw, found)
        if value.last:
            self._end(raw.partition, key, found)

    def _begins_another(self, window: Window, value: Value) -> bool:
        other = value.name is not None and value.name != window.fields.get(self._settings.id)
        return other or value.at - window.ends > self._settings.gap

    def _is_late(self, partition: int, key: bytes, window: Window | None, value: Value) -> str:
        """Why a value belongs to a recording that has ended; "" where it does not."""
        if window is not None:
            late = window.begins - value.at > self._settings.gap
        else:
            late = value.at <= self._ended.get(partition, {}).get(key, -math.inf)
        return "it is late: the recording that its time belongs to has ended. See [stream] gap and idle" if late else ""

    def _add(self, window: Window, value: Value, raw: Raw, found: Read) -> None:
        window.seen, window.last = max(window.seen, raw.at), raw.offset
        if window.too_long:
            window.values[-1] = (max(value.at, window.ends), next(self._order), None)
            return
        window.values.append((value.at, next(self._order), value.value))
        if len(window.values) > self._settings.longest:
            window.too_long = True  # said now, as it may never end
            why = f"it has more than {self._settings.longest:,} values. See [stream] gap, end and longest"
            name = source(self._settings.topic, raw.partition, window.first)
            found.unreadable.append(Unreadable(name, raw.key, raw.value, why))
            del window.values[:-1]

    def _end(self, partition: int, key: bytes, found: Read) -> None:
        window = self._open[partition].pop(key)
        ended = self._ended.setdefault(partition, {})
        ended[key] = max(window.ends, ended.pop(key, -math.inf))  # the last one comes last
        if len(ended) > REMEMBERED:
            del ended[next(iter(ended))]
        if window.too_long:
            return
        where = source(self._settings.topic, partition, window.first)
        fields = {**window.fields, VALUES: list(in_order(window.values))}
        name = fields.pop(self._settings.id, None) if self._settings.id else None
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
