"""Groups of which a rule rejects too much are named, and no others."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from tsclust.stages.features import lost_groups


def test_machines_products_and_months_are_named() -> None:
    n = 300
    carried = pl.DataFrame(
        {
            "machine": [f"M{i % 10}" for i in range(n)], "product": [i % 3 for i in range(n)],
            "at": [datetime(2024, 1 + i // 100, 1, tzinfo=UTC) for i in range(n)],
        }
    )  # fmt: skip
    rejected = pl.Series([
        "stuck" if i % 10 == 4 else "cut_end" if i // 100 == 1 and i % 2 else None for i in range(n)
    ])  # fmt: skip
    halves = [lost_groups.count(carried[half], rejected[half]) for half in (slice(0, 90), slice(90, n))]
    found = lost_groups.found(halves)
    assert [(g.rule, g.column, g.value, g.series, g.rejected) for g in found] == [
        ("cut_end", "at", "2024-02", 100, 50),
        ("stuck", "machine", "M4", 30, 30),
    ]
    assert lost_groups.found(halves[::-1]) == found


def test_what_loses_much_of_all_is_named_once() -> None:
    carried = pl.DataFrame({"machine": ["a", "b"] * 50})
    found = lost_groups.found([lost_groups.count(carried, pl.Series(["flat"] * 60 + [None] * 40))])
    assert [(g.column, g.rejected, g.series) for g in found] == [("", 60, 100)]


def test_two_of_five_are_chance() -> None:
    carried = pl.DataFrame({"machine": ["a"] * 5 + ["b"] * 95})
    assert lost_groups.found([lost_groups.count(carried, pl.Series(["flat"] * 4 + [None] * 96))]) == ()
    assert lost_groups.found([]) == ()


def test_a_column_that_names_each_series_names_no_groups() -> None:
    times = [datetime(2024, 1, 1, tzinfo=UTC)] * 200
    carried = pl.DataFrame(
        {"order": [f"O{i}" for i in range(200)], "machine": ["a", "b"] * 100, "at": times, "load": [0.5] * 200}
    )
    assert lost_groups.columns_of_groups(carried) == ("machine", "at")
