"""What is packed into a page comes out of it again, as fine as it is drawn, and as much as there is room for."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import struct
import tracemalloc
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsclust.stages.reports.charts.curves import straightened
from tsclust.stages.reports.data import Curve, Line
from tsclust.stages.reports.html.packed_curves import Members, packed_curves
from tsclust.stages.reports.html.page import packed
from tsclust.wording.language import Language

ENGLISH = Language.load("en")
USUAL = Line((-1, 0, 1), (1.0, 5.0, 2.0))
PLENTY = 10_000_000


def curve(series_id: str, values: list[float | None], carried: Any = (), usual: Line | None = None) -> Curve:
    return Curve(series_id, 1, tuple(values), carried, usual)


def unpacked(text: str) -> tuple[dict[str, Any], list[list[float]]]:
    """The head, and the values of each curve: read byte by byte."""
    data = gzip.decompress(base64.b85decode(text.replace(",", "<")))
    (size,) = struct.unpack("<I", data[:4])
    head, planes = json.loads(data[4 : 4 + size]), data[4 + size :]
    many, at, curves = sum(head["lengths"]), 0, []
    assert len(planes) == 4 * many
    for length, quantum in zip(head["lengths"], head["quanta"], strict=True):
        now, values = 0, []
        for i in range(at, at + length):
            code = sum(planes[i + many * plane] << (8 * plane) for plane in range(4))
            now += 0 if code == 0xFFFF_FFFF else (code >> 1) ^ -(code & 1)
            values.append(np.nan if code == 0xFFFF_FFFF else now * quantum)
        curves.append(values)
        at += length
    return head, curves


def members(*curves: Curve, quantum: float = 0.01, shown: int = 1) -> Members:
    return Members(1_000, curves[:shown], curves, quantum)


@given(st.lists(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=30), min_size=1, max_size=5))
def test_values_come_out_as_fine_as_they_are_drawn(values: list[list[float | None]]) -> None:
    curves = [curve(str(n), some, usual=USUAL) for n, some in enumerate(values)]
    head, found = unpacked(packed_curves({"group-1": members(*curves)}, ENGLISH, PLENTY))
    assert head["ids"] == [c.series_id for c in curves]
    assert head["own"] == [len(curves)] * len(curves)
    for one, drawn in zip([c.values for c in curves] + [USUAL.values], found, strict=True):
        known = [np.nan if v is None else v for v in one]
        np.testing.assert_allclose(drawn, known, atol=0.00501, rtol=0)


def test_a_series_is_packed_once_and_finely_enough_for_each_card() -> None:
    both, other = curve("b", [1.0, 2.0]), curve("<i>\n", [3.0], usual=USUAL)
    cards = {"group-1": members(both, quantum=0.5), "group-2": members(other, both, quantum=0.001)}
    head, _ = unpacked(packed_curves(cards, ENGLISH, PLENTY))
    assert (head["ids"], head["quanta"], head["first"]) == (["b", "<i>\n"], [0.001, 0.001, 0.001], [-1, -1, -1])
    assert head["cards"] == {"group-1": [1_000, [0]], "group-2": [1_000, [1, 0]]}
    assert head["texts"] == {"1": "<i>\ufffd"}


def test_carried_values_can_be_put_in_order() -> None:
    at = datetime(2024, 3, 2, 4, 5, 6, tzinfo=UTC)
    carried = [("at", at), ("day", date(2024, 3, 2)), ("n", 7), ("ok", True), ("t", "x"), ("none", None)]
    head, _ = unpacked(packed_curves({"c": members(curve("1", [1.0], tuple(carried)))}, ENGLISH, PLENTY))
    assert head["columns"] == [[["2024-03-02 04:05:06", "UTC"]], [["2024-03-02"]], [7], ["yes"], ["x"], [None]]


def test_a_long_curve_is_packed_with_its_peaks() -> None:
    values = [0.0] * 5_000
    values[1_234] = 9.0
    head, (drawn,) = unpacked(packed_curves({"c": members(curve("1", [*values]))}, ENGLISH, PLENTY))
    places = np.cumsum([head["first"][0], *head["at"]["0"]])
    assert len(drawn) < 300
    assert places[int(np.argmax(drawn))] == 1_233
    assert max(drawn) == pytest.approx(9.0)


def test_where_there_is_less_room_there_are_fewer_members_and_at_last_none() -> None:
    random = np.random.default_rng(1)
    curves = [curve(str(n), random.normal(size=60).tolist()) for n in range(100)]
    cards = {"group-1": members(*curves, shown=5), "group-2": replace(members(*curves), sample=())}
    whole = packed_curves(cards, ENGLISH, PLENTY)
    for room in (len(whole), len(whole) - 1, len(whole) // 2):
        text = packed_curves(cards, ENGLISH, room)
        (_, kept), (_, none) = unpacked(text)[0]["cards"].values()
        ids = [unpacked(text)[0]["ids"][n] for n in kept]
        assert len(text) <= room
        assert set(ids) >= {"0", "1", "2", "3", "4"}
        assert ids == sorted(ids, key=int)
        assert (len(ids) == 100) == (room == len(whole))
        assert none == []
    assert packed_curves(cards, ENGLISH, 100) == ""


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60), st.sampled_from([1.0, 2.0, 20.0]))
def test_a_straightened_line_is_never_farther_off_than_allowed(units: list[int], off: float) -> None:
    points = list(zip(itertools.count(3, 2), units, strict=False))
    kept = straightened(points, off)
    assert {kept[0], kept[-1]} == {points[0], points[-1]}
    at = np.interp([x for x, _ in points], [x for x, _ in kept], [y for _, y in kept])
    np.testing.assert_array_less(np.abs(at - [y for _, y in points]), off + 1e-9)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 3_000_001])
def test_what_does_not_shrink_takes_little_memory_meanwhile(size: int) -> None:
    data = np.random.default_rng(1).bytes(size)
    tracemalloc.start()
    text = packed(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert gzip.decompress(base64.b85decode(text.replace(",", "<"))) == data
    assert peak < 5 * size + 10_000_000
