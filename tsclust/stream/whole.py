"""Messages that hold whole recordings: an object of JSON, or an Arrow stream of one or many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from tsclust import untrusted
from tsclust.config.stream import Stream
from tsclust.series import ID, VALUES
from tsclust.stream.messages import ROOM, Known, Raw, Read, Recording, Unreadable, source

MOST_ROWS = 100_000  # series in one Arrow message
Parsed = Iterator[tuple[int | None, dict[str, Any]]]  # (row, fields) of each series of a message


class Whole:
    """Reads messages each of which is dealt with when it has been read."""

    def __init__(self, settings: Stream) -> None:
        parsers: dict[str, Callable[[bytes], Parsed]] = {"json": _of_json, "arrow": self._of_arrow}
        self._settings, self._parse = settings, parsers[settings.format]

    def read(self, messages: Sequence[Raw], now: float, known: Known) -> Read:
        """As many messages as one transaction has room for, one at least."""
        found = Read()
        for at, one in enumerate(messages):
            recordings, unreadable = self._of(one)
            if at and len(found.recordings) + len(found.unreadable) + len(recordings) > ROOM:
                found.rest.update({left.partition: left.offset for left in reversed(messages[at:])})
                break
            found.recordings.extend(recordings)
            found.unreadable.extend(unreadable)
            found.following[one.partition] = one.offset + 1
        return found

    def _of(self, one: Raw) -> tuple[list[Recording], list[Unreadable]]:
        try:
            return self._recordings(one), []
        except Exception as error:  # whatever it is, it is of this message: nothing else is touched
            if isinstance(error, MemoryError) and not isinstance(error, pa.ArrowException):
                raise  # Arrow's own may be of a message that says it has exabytes
            where = source(self._settings.topic, one.partition, one.offset)
            return [], [Unreadable(where, one.key, one.value, str(error)[:500])]

    def forget(self) -> None:
        """Nothing is kept from message to message."""

    def _recordings(self, one: Raw) -> list[Recording]:
        if one.value is None:
            raise ValueError("it is empty: expected a recording")
        return [
            Recording(
                source(self._settings.topic, one.partition, one.offset, row), one.key,
                named(fields, self._settings, one.key), one.at, one.value,
            )
            for row, fields in self._parse(one.value)
        ]  # fmt: skip

    def _of_arrow(self, content: bytes) -> Parsed:
        table = untrusted.arrow_table(content, None, MOST_ROWS)
        values = self._settings.values
        if (count := table.column_names.count(values)) != 1:
            names = ", ".join(table.column_names)[:200]
            raise ValueError(f"it has {count or 'no'} column{'s' * (count > 1)} {values} (it has: {names})")
        lists, others = table[values].combine_chunks(), table.drop_columns([values]).to_pylist()
        for row, (one, fields) in enumerate(zip(_arrays(lists), others, strict=True)):
            yield row, {**fields, values: one}


def named(fields: dict[str, Any], settings: Stream, key: bytes | None) -> dict[str, Any]:
    """The fields of a message with series_id and values under these names. Raises ValueError."""
    given = {settings.values: VALUES} | ({settings.id: ID} if settings.id else {})
    if taken := [name for name in (ID, VALUES) if name in fields and given.get(name) != name and name not in given]:
        raise ValueError(f"it has a field {taken[0]}, which is the name of another one here: expected none")
    found = {given.get(name, name): value for name, value in fields.items()}
    if not settings.id:
        found[ID] = text_of(key)
        if not found[ID].strip():
            raise ValueError("the key of the message is blank: expected text, which is the id")
    return found


def text_of(key: bytes | None) -> str:
    """A key as text. Raises ValueError where there is none."""
    if key is None:
        raise ValueError("the message has no key: expected one, which is the id")
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise ValueError("the key of the message is not UTF-8: expected text, which is the id") from None


def object_of(content: bytes) -> dict[str, Any]:
    """The object that a message is. Raises ValueError."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}"[:300]) from None
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object: expected one with an id and values")
    return found


def _of_json(content: bytes) -> Parsed:
    yield None, object_of(content)


def _arrays(lists: pa.Array) -> Iterator[Any]:
    """Each list as an array of floats, null as NaN. Raises ValueError for what is no list of numbers."""
    kind = lists.type
    is_list = any(of(kind) for of in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))
    inner = kind.value_type if is_list else None
    if inner is None or not (pa.types.is_floating(inner) or pa.types.is_integer(inner) or pa.types.is_null(inner)):
        raise ValueError(f"its values are of type {kind}: expected a list of numbers")
    to = np.float32 if pa.types.is_float32(inner) or pa.types.is_float16(inner) else np.float64
    for one in lists:
        yield None if one.values is None else one.values.to_numpy(zero_copy_only=False).astype(to, copy=False)
