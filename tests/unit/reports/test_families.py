"""Which groups get a card, and which are a row under the card that has shown their series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsclust.arrays import Bools
from tsclust.stages.reports.groups.families import NEW, ROW, Family, Likes, families


def groups(rows: int, *members: Sequence[int]) -> Likes:
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


def test_a_group_seen_in_parts_on_several_cards_is_a_card() -> None:
    likes = groups(40, range(10), range(10, 20), range(5, 15), range(4, 14), range(6, 20))
    cards = {family.at: family.rows for family in families(likes, [True] * 5, 5)}
    assert cards == {0: ((2, 0.5), (3, 0.6)), 1: ((4, 10 / 14),)}
    thirds = groups(40, range(10), range(10, 20), range(20, 30), [8, 9, 18, 19, 28, 29])
    assert families(thirds, [True] * 4, 4)[-1] == Family(3)


def test_every_card_is_new_or_on_no_card_by_half_whatever_groups_there_are() -> None:
    rng = np.random.default_rng(3)
    inside = rng.random((400, 30)) < rng.uniform(0.01, 0.3, 30)
    found = families(Likes.of(inside, np.ones(400, np.int64)), [True] * 20 + [False] * 10, 20)
    seen, before = np.zeros(400, bool), list[int]()
    for family in found:
        own = inside[:, family.at]
        on_one = max((inside[own, card].mean() for card in before), default=0.0)
        assert (own & ~seen).sum() >= NEW * own.sum() or on_one < ROW
        assert all(inside[inside[:, row], family.at].mean() == share >= ROW for row, share in family.rows)
        seen |= own
        before.append(family.at)
    placed = [g for family in found for g in (family.at, *(row for row, _ in family.rows))]
    assert set(range(20)) <= set(placed)  # all that were proposed are on the page
    assert len(placed) == len(set(placed))
