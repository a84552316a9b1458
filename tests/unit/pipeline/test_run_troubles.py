"""What goes wrong in a run that is not ended by it: the exit code for a schedule."""

from __future__ import annotations

import itertools

import pytest

from tsclust.errors import AnswersError, ConnectError, DriftError, SourceLostError, StageMissingError, TsclustError
from tsclust.pipeline.run import Troubles
from tsclust.source.census import Census, Difference, difference

ALL: list[TsclustError] = [
    kind("x", "y") for kind in (DriftError, SourceLostError, ConnectError, AnswersError, StageMissingError)
]


def test_the_worst_comes_first_in_whatever_order_they_came() -> None:
    for number in range(1, len(ALL) + 1):
        for some in itertools.permutations(ALL, number):
            with pytest.raises(TsclustError) as raised:
                Troubles(list(some)).raise_worst()
            assert raised.value is min(some, key=ALL.index)
    Troubles().raise_worst()


def test_what_was_done_without_is_told_with_its_code() -> None:
    troubles = Troubles()
    done = troubles.note("extract", ConnectError("no server", "Start it"), ": goes on")
    assert (done.skipped, done.facts) == (True, {"error": "no server", "code": 7})
    assert troubles.found


@pytest.mark.parametrize(
    ("now", "known", "expected"),
    [
        (Census(3_399, 399), 3_000, Difference(399, 0)),
        (Census(3_399, 7), 3_000, Difference(399, 0, None, 392)),  # ids that are not the highest
        (Census(2_990, 0), 3_000, Difference(0, 10)),
        (Census(3_389, 399), 3_000, Difference(399, 10)),
        (Census(3_399), 3_000, Difference(399, 0)),
        (Census(2_999), 3_000, Difference(0, 1)),
    ],
)
def test_what_a_count_tells(now: Census, known: int, expected: Difference) -> None:
    assert difference(now, known) == expected


@pytest.mark.parametrize(
    ("total", "later", "fresh", "expected"),
    [
        (3_010, 15, 10, Difference(10, 0, 5)),
        (3_000, 0, 0, Difference(0, 0, 0)),
        (2_996, 8, 3, Difference(3, 7, 5)),  # as many and more are gone: what is new is read all the same
        (3_005, 2, 1, Difference(5, 0, 1)),  # four of them have an older watermark, or none
    ],
)
def test_what_the_ids_beyond_a_watermark_tell(total: int, later: int, fresh: int, expected: Difference) -> None:
    assert difference(Census(total, later, by_watermark=True), 3_000, fresh) == expected
