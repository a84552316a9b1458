"""What goes through: a message as it came, a recording, a verdict, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Headers of what is written.
SOURCE, LAST, REASON, SIZE = "tsclust-source", "tsclust-last", "tsclust-reason", "tsclust-size"
GROUP, KEY_SIZE = "tsclust-group", "tsclust-key-size"
ROOM = 100_000  # verdicts of messages of many recordings that one transaction may hold
MOST = 100_000  # bytes of an unreadable message that are kept, and of its key


@dataclass(frozen=True, slots=True)
class Raw:
    """A message. at: its time in seconds since 1970."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    at: float


@dataclass(frozen=True, slots=True)
class Recording:
    """A series to score.

    source  where it came from, topic/partition/offset, in a message of many /row: the name of its verdict
    fields  series_id, values (a list, or an array of floats), and what is carried along
    at      when the message came, in seconds since 1970;  raw: the message, for what cannot be scored
    last    of many messages: the offset of the last one
    """

    source: str
    key: bytes | None
    fields: Mapping[str, Any]
    at: float
    raw: bytes | None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message, or a part of one, that gets no verdict, and why. last: as of a Recording."""

    source: str
    key: bytes | None
    value: bytes | None
    reason: str
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Out:
    """A message to write."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def size(self) -> int:
        """Bytes, as a broker counts them: key and headers too."""
        return len(self.value or b"") + len(self.key or b"") + sum(len(a.encode()) + len(b) for a, b in self.headers)

    def by(self, group: str) -> Out:
        """The same, with the name of the group that writes it."""
        return Out(self.topic, self.key, self.value, (*self.headers, (GROUP, group.encode())))


@dataclass(frozen=True)
class Known:
    """What is there already of what is read again. sources: of verdicts and of what was unreadable; last: (partition,
    key) -> the last message of a recording that has its verdict, those before it included."""

    sources: set[str] = field(default_factory=set)
    last: dict[tuple[int, bytes], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """What messages hold.

    following  partition -> the offset from which on nothing has been dealt with
    rest       partition -> the first message that is left for another time
    known      sources of messages that were passed over, as they are a part of something that is there
    """

    recordings: list[Recording] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    following: dict[int, int] = field(default_factory=dict)
    rest: dict[int, int] = field(default_factory=dict)
    known: list[str] = field(default_factory=list)


def source(topic: str, partition: int, offset: int, row: int | None = None) -> str:
    """topic/partition/offset, in a message of many /row"""
    return f"{topic}/{partition}/{offset}" + ("" if row is None else f"/{row}")


def place(source: str) -> tuple[int, int]:
    """(partition, offset) of a source."""
    _, _, rest = source.partition("/")
    partition, offset = rest.split("/")[:2]
    return int(partition), int(offset)


def following(messages: Iterable[Raw]) -> dict[int, int]:
    """partition -> the offset behind the last of these messages."""
    found: dict[int, int] = {}
    for one in messages:
        found[one.partition] = max(found.get(one.partition, 0), one.offset + 1)
    return found


def dead(topic: str, one: Unreadable) -> Out:
    """The message of what could not be read: as it was, cut where it is long, and why in its headers."""
    headers = [(SOURCE, one.source.encode()), (REASON, one.reason.encode())]
    if one.last is not None:
        headers.append((LAST, str(one.last).encode()))
    for name, content in ((SIZE, one.value), (KEY_SIZE, one.key)):
        if content is not None and len(content) > MOST:
            headers.append((name, str(len(content)).encode()))
    key, value = (None if content is None else content[:MOST] for content in (one.key, one.value))
    return Out(topic, key, value, tuple(headers))
