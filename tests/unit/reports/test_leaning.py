"""After answers the list leans to the view that paid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsclust.stages.clusters.parts import SHAPES, GroupRow
from tsclust.stages.reports.groups.leaning import Payoff


def group(number: int, within: int | None) -> GroupRow:
    return GroupRow(number, 5, number, 50, 0.1, 2, 5, None, within, False, 0.5, 1.0, True)


LIST = [group(n, SHAPES if n % 2 else None) for n in range(1, 21)]


def test_without_answers_the_order_stays() -> None:
    assert Payoff().leaned(LIST) == LIST
    assert Payoff.of(LIST, frozenset(), frozenset()) == Payoff()


def test_the_view_whose_groups_were_malfunctions_comes_first() -> None:
    of_shapes = {row.group for row in LIST[:10] if row.within == SHAPES}
    payoff = Payoff.of(LIST, {row.group for row in LIST[:10]}, of_shapes)
    assert payoff.shapes == pytest.approx((2 + 5) / (4 + 5))
    assert payoff.features == pytest.approx(2 / (4 + 5))
    first = payoff.leaned(LIST[10:])[:5]
    assert [row.within for row in first].count(SHAPES) == 4  # the fifth is as late as the first of features


def test_drill_downs_are_no_looks_at_a_view() -> None:
    inside = [group(30, 7), group(31, 0)]
    assert Payoff.of([*LIST, *inside], {30, 31}, {30, 31}) == Payoff()


@given(st.sets(st.integers(1, 20)), st.sets(st.integers(1, 20)))
def test_each_group_stays_and_each_view_keeps_its_order(answered: set[int], bad: set[int]) -> None:
    leaned = Payoff.of(LIST, answered, bad & answered).leaned(LIST)
    for within in (None, SHAPES):
        assert [row for row in leaned if row.within == within] == [row for row in LIST if row.within == within]
