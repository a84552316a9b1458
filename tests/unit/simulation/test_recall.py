"""When a planted kind counts as found."""

from __future__ import annotations

import polars as pl
import pytest

from tsclust.simulation import recall
from tsclust.stages.clusters.parts import SHAPES


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ([(1, "bent", 60, 60), (1, "normal", 40, 40)], {"bent": 1}),
        ([(1, "bent", 60, 60), (1, "normal", 61, 61)], {}),  # not made of it
        ([(1, "bent", 30, 30), (2, "bent", 30, 30)], {"bent": 2}),  # two groups together
        ([(1, "bent", 40, 40), (2, "bent", 40, 0)], {}),  # the same series twice
    ],
)
def test_a_kind_is_found_when_groups_made_of_it_hold_half_of_it(
    counts: list[tuple[int, str, int, int]], found: dict[str, int]
) -> None:
    members = pl.DataFrame(counts, schema=["look", "kind", "count", "first"], orient="row")
    assert recall.score(members, {"bent": 100}).found == found


def test_members_of_a_group_of_shapes_are_looked_up_in_its_own_sweep() -> None:
    rows = pl.DataFrame({"series_id": [1, 2, 3], "k03": [0, 1, 1], f"{recall.OF_SHAPES}k03": [1, 0, 1]})
    assert rows.filter(recall.members_of(3, 1, None))["series_id"].to_list() == [2, 3]
    assert rows.filter(recall.members_of(3, 1, SHAPES))["series_id"].to_list() == [1, 3]
