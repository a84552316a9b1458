"""How many groups are proposed follows the number of series: few are apart from each other, and no kind is lost for
it; of many a kind within a larger set is a look of its own."""

from __future__ import annotations

import numpy as np
import pytest

from tsclust.arrays import Int64s
from tsclust.errors import NoSeriesError
from tsclust.stages.clusters.proposal import FEW, LEAST, MANY, proposed
from tsclust.stages.clusters.step import feasible_ks

KS = tuple(range(2, 41))


def chosen(*groups: range, rows: int = MANY - 1, most: int = 40) -> set[int]:
    """Which of these sets of series, most worth first, are proposed."""
    members = np.array([[row in group for row in range(rows)] for group in groups], np.int64)
    shared: Int64s = members @ members.T
    return proposed(range(len(groups)), np.diag(shared), shared, rows, most)


@pytest.mark.parametrize(
    ("rows", "ks"), [(1, (1,)), (29, (1,)), (30, (2, 3, 4, 5, 6)), (37, (2, 3, 4, 5, 6, 7)), (200, KS), (10**6, KS)]
)
def test_the_largest_k_follows_the_number_of_series(rows: int, ks: tuple[int, ...]) -> None:
    assert feasible_ks(KS, rows) == ks


def test_a_k_that_leaves_clusters_too_small_is_an_error() -> None:
    with pytest.raises(NoSeriesError, match=r"k = 8 needs at least 40 series; in group 3: 37\. Name a larger"):
        feasible_ks((8, 9), 37, "in group 3", "Name a larger group")
    with pytest.raises(NoSeriesError):
        feasible_ks(KS, 0)


def test_no_two_groups_proposed_share_a_series() -> None:
    assert chosen(range(10), range(9, 20), range(10, 20), range(15, 30)) == {0, 2}


def test_a_small_group_gives_way_to_the_one_that_is_half_made_of_it() -> None:
    assert chosen(range(4), range(8)) == {1}
    assert chosen(range(3), range(6)) == {1}
    assert chosen(range(3), range(7)) == {0}  # more than twice as many: whatever the small one shows is lost in it
    assert chosen(range(3), range(5, 8), range(2, 8)) == {0, 1}  # it does not hold all of the first


def test_a_small_group_is_proposed_where_nothing_else_shows_it_and_two_series_are_no_sign() -> None:
    assert chosen(range(3), range(10, 12), range(20, 30)) == {0, 2}


def test_at_most_so_many_are_proposed() -> None:
    assert chosen(range(5), range(5, 10), range(10, 15), most=2) == {0, 1}
    assert chosen(range(5), range(5, 10), range(10, 15), rows=MANY, most=2) == {0, 1}
    assert LEAST < FEW < MANY


def test_of_many_series_a_part_is_a_look_of_its_own_and_nearly_the_same_set_is_none() -> None:
    assert chosen(range(40), range(20), range(30, 60), rows=MANY) == {0, 1, 2}
    assert chosen(range(40), range(21), range(25, 40), rows=MANY) == {0, 2}
    assert chosen(range(20), range(30, 40), range(40), rows=MANY) == {0, 1, 2}
    assert chosen(range(30), range(10, 40), rows=MANY) == {0}  # of both they share two thirds
    assert chosen(range(2), range(5, 8), rows=MANY) == {1}
