"""Recordings whose values come one by one: where they end, what is late, and from where on all is read again."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tsclust.config.stream import Stream
from tsclust.stream.long_form import LongForm
from tsclust.stream.messages import Known, Raw, Read


class Partition:
    """Messages of partition 0 as they come, a second apart unless they say otherwise."""

    def __init__(self) -> None:
        self._offsets = itertools.count(100)

    def __call__(self, key: str | None, value: Any, at: float, **fields: Any) -> Raw:
        content = json.dumps({"value": value, **fields}).encode()
        return Raw(0, next(self._offsets), None if key is None else key.encode(), content, at)


def settings(**more: Any) -> Stream:
    return Stream(topic="t", format="long", gap=10, idle=60, **more)


def read(long: LongForm, messages: list[Raw], now: float = 0) -> Read:
    return long.read(messages, now, Known())


def values(read: Read) -> dict[str, list[float | None]]:
    return {one.source: list(one.fields["values"]) for one in read.recordings}


def test_a_gap_ends_the_recording_of_a_key_and_no_other() -> None:
    new, long = Partition(), LongForm(settings())
    came = [new("a", 1, 0), new("b", 5, 1), new("a", 2, 2), new("b", 6, 8), new("a", 3, 14), new("b", None, 15)]
    found = read(long, came, 0)
    assert values(found) == {"t/0/100": [1.0, 2.0]}
    assert found.recordings[0].key == b"a"
    assert found.following == {0: 101}  # b's first: it has not ended
    found = read(long, [new("b", 7, 40)], 1)
    assert values(found) == {"t/0/101": [5.0, 6.0, None]}
    assert found.following == {0: 104}  # a's second recording


def test_a_mark_or_another_id_ends_it() -> None:
    new, long = Partition(), LongForm(settings(end="last"))
    came = [
        new("a", 1, 0, series_id="x", machine_id="M"), new("a", 2, 1, series_id="x", last=True),
        new("a", 3, 2, series_id="y"), new("a", 4, 3, series_id="z"),
    ]  # fmt: skip
    found = read(long, came, 0)
    assert values(found) == {"t/0/100": [1.0, 2.0], "t/0/102": [3.0]}
    assert [one.fields["series_id"] for one in found.recordings] == ["x", "y"]
    assert found.recordings[0].fields["machine_id"] == "M"
    assert found.following == {0: 103}


def test_values_that_overtake_are_put_in_order_and_late_ones_are_refused() -> None:
    new, long = Partition(), LongForm(settings(time="t"))
    came = [
        new("a", v, 0, t=t) for v, t in [(1, 100), (3, 102), (2, 101), (9, 80), (4, 103), (5, 200), (6, 103), (7, 150)]
    ]
    found = read(long, [*came, new("a", 8, 0, t=201)], 0)
    assert values(found) == {"t/0/100": [1.0, 2.0, 3.0, 4.0]}
    late = [one.source for one in found.unreadable]
    assert late == ["t/0/103", "t/0/106", "t/0/107"]
    assert all("is late" in one.reason for one in found.unreadable)
    after = read(long, [new("a", 1, 0, t=300)], 0)
    assert values(after) == {"t/0/105": [5.0, 8.0]}


def test_silence_ends_it_by_the_messages_of_others_or_by_the_clock() -> None:
    new, long = Partition(), LongForm(settings())
    assert not read(long, [new("a", 1, 0), new("b", 1, 52)], 0).recordings
    found = read(long, [new("b", 2, 61)], 5)  # a is silent for more than a minute, as the brokers say
    assert values(found) == {"t/0/100": [1.0]}
    assert not read(long, [], 64).recordings
    found = read(long, [], 66)
    assert values(found) == {"t/0/101": [1.0, 2.0]}
    assert found.following == {0: 103}


def test_a_longer_one_than_may_be_is_said_once_and_holds_nothing_up() -> None:
    new, long = Partition(), LongForm(settings(longest=3))
    found = read(long, [new("a", v, v) for v in range(8)], 0)
    assert [(one.source, "more than 3 values" in one.reason) for one in found.unreadable] == [("t/0/100", True)]
    assert found.following == {0: 108}
    found = read(long, [new("a", 1, 30), new("a", 2, 60)], 0)
    assert (values(found), found.unreadable) == ({"t/0/108": [1.0]}, [])


@pytest.mark.parametrize(
    ("key", "content", "why"),
    [
        (None, b'{"value": 1}', "has no key"), (b"\xff", b'{"value": 1}', "not UTF-8"), (b"a", b"{}", "no field value"),
        (b"a", b'{"value": "1"}', "expected a number"), (b"a", b'{"value": true}', "expected a number"),
        (b"a", None, "is empty"), (b"a", b'{"value": NaN}', "is not JSON"), (b"a", b'{"value": 1}', "expected seconds"),
        (b"a", b'{"value": 1, "at": "noon"}', "expected seconds"),
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused_and_nothing_else(key: bytes | None, content: bytes | None, why: str) -> None:
    long = LongForm(settings(time="at"))
    good = b'{"value": 1, "at": "2026-01-31T12:00:00Z"}'
    found = read(long, [Raw(0, 1, b"a", good, 0), Raw(0, 2, key, content, 0)], 0)
    assert [(one.source, why in one.reason) for one in found.unreadable] == [("t/0/2", True)]
    assert found.following == {0: 1}


def test_read_again_from_the_offset_that_was_committed_the_same_recordings_end() -> None:
    """Wherever it is killed: what has ended behind that offset, and what has not, comes out as it would have."""
    new = Partition()
    came = [new(f"k{i % 3}", i, i * 2 + (11 if i % 7 == 0 else 0)) for i in range(60)] + [new("k0", 0, 1_000)]
    whole = values(read(LongForm(settings()), came))
    for cut in range(1, len(came)):
        first = read(LongForm(settings()), came[:cut])
        rest = [one for one in came if one.offset >= first.following[0]]
        known = Known(last={(0, one.key or b""): one.last or 0 for one in first.recordings})
        again = values(LongForm(settings()).read(rest, 0, known))
        assert not again.keys() & values(first).keys()
        assert values(first) | again == whole, cut
