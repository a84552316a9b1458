"""The same group keeps its number: which new group is which old one, by hand and as properties."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsclust.arrays import Floats, Int64s
from tsclust.stages.clusters import matching
from tsclust.stages.clusters.matching import Matched, Numbered

Sets = list[set[int]]


def matched(old: Sets, new: Sets, close: Floats | None = None) -> Matched:
    """`match` of sets of series that both runs have."""
    shared = np.array([[len(a & b) for b in new] for a in old], np.int64).reshape(len(old), len(new))
    old_size, new_size = (np.array([len(one) for one in sets], np.int64) for sets in (old, new))
    close = np.zeros(shared.shape) if close is None else close
    return matching.match(matching.likeness(shared, old_size, new_size, close))


def numbered(old: Sets, new: Sets, highest: int = 0, close: Floats | None = None) -> Numbered:
    """Numbers of the new sets where the old ones have 1, 2, 3, ..."""
    return matching.numbers(matched(old, new, close), np.arange(1, len(old) + 1), highest)


def series(*ranges: tuple[int, int]) -> Sets:
    return [set(range(a, b)) for a, b in ranges]


THREE = series((0, 100), (100, 140), (140, 150))


def test_closeness_falls_from_one_with_the_distance_in_spreads() -> None:
    old = np.array([[0.0, 0.0], [np.nan, 0.0]])
    new = np.array([[0.0, 0.0], [2.0, 10.0], [np.inf, 0.0], [6.0, 30.0]])
    close = matching.closeness(old, new, np.array([2.0, 10.0]))
    assert close.tolist() == [pytest.approx([1, 1 / 2, 0, 1 / 4]), [0, 0, 0, 0]]


def test_features_without_a_spread_say_nothing() -> None:
    old, new = np.array([[1.0, 5.0, 3.0]]), np.array([[1.0, 7.0, np.nan]])
    assert matching.closeness(old, new, np.array([1.0, 0.0, np.nan])).tolist() == [[1.0]]
    assert matching.closeness(old, new, np.zeros(3)).tolist() == [[0.0]]
    assert matching.closeness(old[:, :0], new[:, :0], np.zeros(0)).tolist() == [[0.0]]


def test_numbers_too_large_to_scale_are_not_close() -> None:
    assert matching.closeness(np.array([[1e300]]), np.array([[0.0]]), np.array([1e-300])).tolist() == [[0.0]]


def test_alike_is_the_share_of_the_union_and_the_closeness_speaks_for_two_more() -> None:
    pairs = matching.match(matching.likeness(np.array([[3]]), np.array([4]), np.array([5]), np.array([[0.5]])))
    assert pairs.similarity.tolist() == [(3 + 2 * 0.5) / (6 + 2)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_sets_keep_their_numbers_in_any_order(order: tuple[int, ...]) -> None:
    done = numbered(THREE, [THREE[o] for o in order])
    assert done.numbers.tolist() == [o + 1 for o in order]
    assert (done.outcomes, done.gone, done.highest) == (["kept"] * 3, [], 3)


def test_new_changed_and_gone() -> None:
    done = numbered(THREE, [set(range(500, 520)), set(range(100, 122)), THREE[0]], highest=9)
    assert done.numbers.tolist() == [10, 2, 1]
    assert done.outcomes == ["new", "changed", "kept"]
    assert (done.gone, done.highest) == ([3], 10)


def test_the_larger_half_of_a_split_group_keeps_its_number() -> None:
    done = numbered(series((0, 100)), series((0, 45), (45, 100)), close=np.array([[1.0, 0.5]]))
    assert done.numbers.tolist() == [2, 1]
    assert done.outcomes == ["new", "changed"]


def test_the_larger_one_of_two_merged_groups_gives_its_number() -> None:
    done = numbered(series((0, 40), (40, 100)), series((0, 100)))
    assert done.numbers.tolist() == [2]
    assert done.gone == [1]


def test_the_nearer_one_of_two_equal_halves_keeps_the_number() -> None:
    for close in ([0.2, 0.6], [0.6, 0.2]):
        halves = matched(series((0, 100)), series((0, 50), (50, 100)), np.array([close]))
        assert (halves.old >= 0).tolist() == [c == 0.6 for c in close]


def test_two_halves_do_not_push_out_a_whole() -> None:
    """0-99 came back as 0-89. With the first old group for the second new one and the second for the first, the total
    would be larger: 0.45 + 0.61.
    """
    old, new = series((0, 100), (25, 80)), [set(range(90)), set(range(25)) | set(range(80, 100))]
    pairs = matched(old, new)
    assert pairs.old.tolist() == [0, -1]
    assert pairs.similarity[0] > 0.88


def test_a_little_alike_is_no_match() -> None:
    pairs = matched(series((0, 100)), series((75, 175)), np.array([[1.0]]))
    assert (pairs.old.tolist(), pairs.similarity.tolist()) == ([-1], [0])


@pytest.mark.parametrize(("close", "verdict"), [(0.9, "kept"), (0.75, "kept"), (0.65, "new")])
def test_without_a_series_in_common_centers_decide_strictly(close: float, verdict: str) -> None:
    done = numbered([set()], [set()], close=np.array([[close]]))
    assert done.outcomes == [verdict]
    assert done.numbers.tolist() == [1 if verdict == "kept" else 2]


def test_centers_say_nothing_against_many_members() -> None:
    """The last run had the members of the new group, and not in that old one whose center is the same."""
    assert matched([set()], series((0, 100)), np.array([[1.0]])).old.tolist() == [-1]
    assert numbered(series((0, 100)), series((0, 100)), close=np.array([[0.0]])).outcomes == ["kept"]


def test_one_series_in_common_does_not_outvote_the_centers() -> None:
    assert matched(series((0, 1)), [set()], np.array([[1.0]])).old.tolist() == [0]
    assert matched(series((0, 1)), series((0, 1)), np.array([[0.0]])).old.tolist() == [-1]


def test_no_groups_on_either_side() -> None:
    assert numbered([], THREE, highest=4).numbers.tolist() == [5, 6, 7]
    assert (numbered(THREE, []).gone, numbered(THREE, []).highest) == ([1, 2, 3], 3)
    assert numbered([], []).highest == 0


def test_a_number_that_is_gone_is_never_given_again() -> None:
    first = numbered(THREE, THREE[:2])
    again = matching.numbers(matched(THREE[:2], THREE), first.numbers, first.highest)
    assert again.numbers.tolist() == [1, 2, 4]


groups_of = st.lists(st.sets(st.integers(0, 30)), max_size=7)


@given(groups_of, groups_of, st.integers(0, 20), st.integers(0, 5))
def test_numbers_are_distinct_and_gone_numbers_stay_gone(old: Sets, new: Sets, highest: int, seed: int) -> None:
    close = np.random.default_rng(seed).random((len(old), len(new)))
    done = numbered(old, new, highest, close)
    numbers, known = done.numbers.tolist(), set(range(1, len(old) + 1))
    assert len(set(numbers)) == len(new)
    assert done.gone == sorted(known - set(numbers))
    fresh = [n for n, verdict in zip(numbers, done.outcomes, strict=True) if verdict == "new"]
    top = max([highest, *known])
    assert fresh == list(range(top + 1, top + 1 + len(fresh)))
    assert done.highest == max([top, *numbers])


@given(groups_of, groups_of, st.integers(0, 5))
def test_the_order_of_groups_decides_nothing(old: Sets, new: Sets, seed: int) -> None:
    rng = np.random.default_rng(seed)
    close = rng.random((len(old), len(new)))
    order: Int64s = rng.permutation(len(new))
    pairs, again = matched(old, new, close), matched(old, [new[o] for o in order], close[:, order])
    assert again.old.tolist() == pairs.old[order].tolist()
