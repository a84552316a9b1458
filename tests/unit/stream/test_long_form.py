"""Recordings whose values come one by one: where they end, what is late, and from where on all is read again."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tsclust.config.stream import Stream
from tsclust.stream.judging import refused
from tsclust.stream.long_form import LongForm
from tsclust.stream.messages import Known, Raw, Read, Recording, dead


class Partition:
    """Messages of partition 0 as they come, a second apart unless they say otherwise."""

    def __init__(self) -> None:
        self._offsets = itertools.count(100)

    def __call__(self, key: str | None, value: Any, at: float, **fields: Any) -> Raw:
        content = json.dumps({"value": value, **fields}).encode()
        return Raw(0, next(self._offsets), None if key is None else key.encode(), content, at)


def settings(**more: Any) -> Stream:
    return Stream(topic="t", format="long", gap=10, **{"idle": 60, **more})


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


def wait(long: LongForm, until: float, since: float = 0) -> dict[str, list[float | None]]:
    """What ends while nothing comes, turn by turn."""
    found: dict[str, list[float | None]] = {}
    for now in range(int(since), int(until) + 1):
        found |= values(read(long, [], now))
    return found


def test_silence_of_a_key_ends_its_recording_whatever_time_others_have() -> None:
    new, long = Partition(), LongForm(settings())
    assert not read(long, [new("a", 1, 0), new("b", 1, 52)], 0).recordings
    assert not wait(long, 5)
    assert not read(long, [new("b", 2, 61)], 5).recordings  # the clock of b's producer is a minute ahead
    assert wait(long, 62, 6) == {"t/0/100": [1.0]}
    assert wait(long, 64, 63) == {}
    assert wait(long, 67, 65) == {"t/0/101": [1.0, 2.0]}
    assert read(long, [], 68).following == {0: 103}


def test_what_is_waited_for_elsewhere_is_no_silence() -> None:
    """The database is away for longer than idle: messages of the same recording wait meanwhile."""
    new, long = Partition(), LongForm(settings())
    read(long, [new("a", 1, 0)], 0)
    assert not read(long, [new("b", 1, 0)], 70).recordings
    assert not read(long, [new("a", 2, 5)], 71).recordings
    assert wait(long, 140, 72)["t/0/100"] == [1.0, 2.0]


def test_values_of_one_time_may_belong_to_the_next_recording() -> None:
    new, long = Partition(), LongForm(settings(time="t", end="last"))
    came = [new("a", 1, 0, t=1.001), new("a", 2, 0, t=1.002, last=True), new("a", 3, 0, t=1.002), new("a", 4, 0, t=20)]
    found = read(long, came)
    assert (values(found), found.unreadable) == ({"t/0/100": [1.0, 2.0], "t/0/102": [3.0]}, [])


def test_a_value_of_the_recording_before_is_late_and_does_not_cut_the_next_one() -> None:
    new, long = Partition(), LongForm(settings(time="t"))
    came = [new("a", v, 0, t=t, series_id=name) for v, t, name in
            [(1, 1, "x"), (2, 3, "x"), (3, 3, "y"), (9, 2, "x"), (4, 4, "y"), (5, 2.5, "z")]]  # fmt: skip
    found = read(long, came)
    assert values(found) == {"t/0/100": [1.0, 2.0], "t/0/102": [3.0, 4.0]}
    assert [one.source for one in found.unreadable] == ["t/0/103"]


def test_a_time_that_is_wrong_does_not_silence_its_key() -> None:
    """Days ahead it is refused, hours ahead it makes others late for a while."""
    new, long, now = Partition(), LongForm(settings(time="t", idle=2)), 1_000_000
    found = read(long, [new("a", 1, now, t=now), new("a", 9, now, t=now + 90_000), new("a", 2, now, t=now + 1)])
    assert [(one.source, "days ahead" in one.reason) for one in found.unreadable] == [("t/0/101", True)]
    read(long, [new("a", 8, now, t=now + 9_000)])
    assert wait(long, 30) == {"t/0/103": [8.0]}
    assert not read(long, [new("a", 3, now + 30, t=now + 30)], 31).unreadable


def test_what_is_refused_says_how_far_it_went() -> None:
    new, long = Partition(), LongForm(settings(longest=2))
    (one,) = read(long, [new("a", v, v) for v in range(4)]).unreadable
    assert dict(dead("d", one).headers)["tsclust-last"] == b"102"
    whole = refused(Recording("t/0/1", b"a", {"series_id": "x", "values": [1.0, None]}, 0, None, 7), "why")
    assert json.loads(whole.value or b"") == {"series_id": "x", "values": [1.0, None]}
    assert dict(dead("d", whole).headers)["tsclust-last"] == b"7"


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


def ended(long: LongForm, messages: list[Raw], known: Known) -> dict[str, list[float | None]]:
    """All recordings of these messages, the last ones by silence."""
    return values(long.read(messages, 0, known)) | wait(long, 70)


def test_read_again_from_the_offset_that_was_committed_the_same_recordings_end() -> None:
    """Wherever it is killed: what has ended behind that offset, and what has not, comes out as it would have."""
    new = Partition()
    came = [new(f"k{i % 3}", i, i * 2 + (11 if i % 7 == 0 else 0)) for i in range(60)] + [new("k0", 0, 1_000)]
    whole = ended(LongForm(settings()), came, Known())
    for cut in range(1, len(came)):
        first = read(LongForm(settings()), came[:cut])
        rest = [one for one in came if one.offset >= first.following[0]]
        known = Known(last={(0, one.key or b""): one.last or 0 for one in first.recordings})
        again = ended(LongForm(settings()), rest, known)
        assert not again.keys() & values(first).keys()
        assert values(first) | again == whole, cut
