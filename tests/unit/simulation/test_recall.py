"""When a planted kind counts as found."""

from __future__ import annotations

import polars as pl
import pytest

from tsclust.simulation import recall


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
