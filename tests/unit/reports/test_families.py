"""Which groups get a card, and which are a row under the card that has shown their series."""

from __future__ import annotations

import numpy as np

from tsclust.arrays import Bools
from tsclust.stages.reports.groups.families import NEW, Family, Likes, families


def groups(rows: int, *members: range) -> Likes:
    inside: Bools = np.zeros((rows, len(members)), bool)
    for g, of in enumerate(members):
        inside[list(of), g] = True
    return Likes.of(inside, np.ones(rows, np.int64))


def test_series_alike_are_counted_once() -> None:
    likes = groups(20, range(10), range(5, 15))
    assert sorted(likes.count.tolist()) == [5, 5, 5, 5]
    assert (likes.count @ likes.inside).tolist() == [10, 10]


def test_what_was_shown_is_a_row_under_the_card_that_showed_most_of_it() -> None:
    likes = groups(100, range(10), range(20, 50), range(9), range(30, 52))
    assert families(likes, [True] * 4, 4) == [Family(0, ((2, 1.0),)), Family(1, ((3, 20 / 22),))]


def test_the_place_of_a_row_goes_to_a_further_group_that_is_new() -> None:
    likes = groups(100, range(20), range(18), range(15), range(60, 70), range(70, 80))
    asked = [True, True, False, False, False]
    assert families(likes, asked, 2) == [Family(0, ((1, 1.0),)), Family(3)]


def test_every_card_is_mostly_new_whatever_groups_there_are() -> None:
    rng = np.random.default_rng(3)
    inside = rng.random((400, 30)) < rng.uniform(0.01, 0.3, 30)
    found = families(Likes.of(inside, np.ones(400, np.int64)), [True] * 20 + [False] * 10, 20)
    seen = np.zeros(400, bool)
    for family in found:
        assert (inside[:, family.at] & ~seen).sum() >= NEW * inside[:, family.at].sum()
        seen |= inside[:, family.at]
    placed = [g for family in found for g in (family.at, *(row for row, _ in family.rows))]
    assert set(range(20)) <= set(placed)  # all that were proposed are on the page
    assert len(placed) == len(set(placed))
