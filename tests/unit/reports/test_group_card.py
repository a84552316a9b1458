"""What a card of the report states, without a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tsclust.stages.reports import data as report_data
from tsclust.stages.reports.data import ReportData
from tsclust.stages.reports.groups.page import render


@pytest.mark.parametrize(("within", "text"), [
    (None, "A group of its own when all series are divided into {} groups."),
    (0, "Found among the series that have no name yet: a group of its own when these are divided into {} groups."),
    (3, "A group of its own when the series there are divided into {} groups."),
])  # fmt: skip
def test_a_card_says_where_its_group_was_found(four_kinds_data: ReportData, within: int | None, text: str) -> None:
    first = four_kinds_data.groups[0]
    for last, said in (
        (first.first_k, f"{first.first_k}"),
        (first.first_k + 2, f"{first.first_k} to {first.first_k + 2}"),
    ):
        group = replace(first, within=within, last_k=last)
        assert text.format(said) in render(replace(four_kinds_data, groups=(group, *four_kinds_data.groups[1:])), "en")


def test_of_many_groups_those_in_which_nothing_stands_out_are_offered_apart(
    four_kinds_data: ReportData, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = four_kinds_data.groups
    telling = tuple(group if group.normal else replace(group, unusual=first.unusual) for group in others)
    data = replace(four_kinds_data, groups=(replace(first, unusual=()), *telling))
    assert (data.faint, '<details class="later faint">' in render(data, "en")) == (frozenset(), False)
    monkeypatch.setattr(report_data, "FIRST", 3)
    assert (data.faint, '<details class="later faint">' in render(data, "en")) == ({first.name}, True)
    silent = replace(data, groups=tuple(replace(group, unusual=()) for group in data.groups))
    assert silent.faint == frozenset()  # the whole report is about them
