"""Columns that a number tells apart: their order, what is missing among them, and how a setting names them."""

from __future__ import annotations

import pytest

from tsclust.source import numbered


def names(before: str, *numbers: object, after: str = "") -> list[str]:
    return [f"{before}{n}{after}" for n in numbers]


@pytest.mark.parametrize(
    "in_order",
    [
        names("v", 1, 2, 9, 10, 11),
        names("s_", "08", "09", "10"),
        names("t", "0.8", "0.9", "1.0", "1.1", "2"),
        names("s1.", 0, 1, 2, 9, 10, 11),
        names("", -2, -1, 0, 1, 2),
        ["t-2", "t-1", "t0", "t1"],
        names("v-", 1, 2, 3),
        names("t", 0, 5, 10, after="_amp"),
        ["first", "second"],
    ],
)
def test_columns_stand_in_the_order_of_their_numbers(in_order: list[str]) -> None:
    shuffled = [*in_order[1::2], *in_order[::2]] if in_order[0] != "first" else in_order
    assert list(numbered.ordered(shuffled)) == in_order


@pytest.mark.parametrize(
    ("there", "gaps"),
    [
        (names("v", 0, 1, 2, 3), []),
        (names("v", 0, 1, 3, 4), ["2"]),
        (names("v", 5, 6, 9), ["7", "8"]),
        (names("t", 0, 10, 20, 30), []),
        (names("t", 0, 10, 30, 40), ["20"]),
        (names("t", "0.0", "0.1", "0.3", "1.0"), ["0.2", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]),
        (names("f", 1, 10, 100), ["19", "28", "37", "46", "55", "64", "73", "82", "91"]),
        (["a", "b"], []),
        ([], []),
    ],
)
def test_numbers_that_no_column_has(there: list[str], gaps: list[str]) -> None:
    assert numbered.missing(there) == gaps


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (names("v", *range(12)), "v0..v11"),
        (names("v", 0, 1, 3, 4, 5), "v0..v1,v3..v5"),
        (names("f", 1, 2, 5, 10), "f1..f2,f5,f10"),
        ([*names("v", 0, 1, 2), "V3"], "v0..v2,V3"),
        (names("t", "0.9", "1.0", "1.1"), "t0.9..t1.1"),
        (["v7"], "v7"),
    ],
)
def test_ranges_name_exactly_these_columns(there: list[str], said: str) -> None:
    assert numbered.as_ranges(there) == said
    others = [*names("v", *range(20)), *names("w", *range(20)), *names("f", *range(20)), "valve", "t2.0", "V4"]
    assert [n for n in dict.fromkeys([*there, *others]) if numbered.fits(n, said)] == there
    assert numbered.is_set(said, []) == (said != "v7")


def test_patterns_and_lists() -> None:
    there = ["v0", "v1", "valve", "w0", "a,b"]
    assert [n for n in there if numbered.fits(n, "v[0-9]*, w?")] == ["v0", "v1", "w0"]
    assert numbered.fits("a,b", "a,b")
    assert not numbered.is_set("a,b", there)
    assert numbered.ends("v0..v1, w0, x*") == ["v0", "v1", "w0"]


def test_two_names_of_one_number() -> None:
    assert numbered.twice(["v1", "v2", "v01"]) == ("v1", "v01")
    assert numbered.twice(["v1", "v2", "name"]) is None
