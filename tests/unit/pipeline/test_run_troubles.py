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
        (Census(3_010, 15, by_watermark=True), 3_000, Difference(10, 0, 5)),
        (Census(3_000, 0, by_watermark=True), 3_000, Difference(0, 0, 0)),
    ],
)
def test_what_a_count_tells(now: Census, known: int, expected: Difference) -> None:
    assert difference(now, known) == expected
