"""What a card of the report states, without a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tsclust.stages.reports import data as report_data
from tsclust.stages.reports.data import Often, ReportData, Where
from tsclust.stages.reports.groups import page as group_page
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.parts import bind


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


def test_groups_in_which_nothing_stands_out_are_offered_apart(
    four_kinds_data: ReportData, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = four_kinds_data.groups
    telling = tuple(group if group.normal else replace(group, unusual=first.unusual) for group in others)
    data = replace(four_kinds_data, groups=(replace(first, unusual=()), *telling))
    assert (data.faint, '<details class="later faint">' in render(data, "en")) == ({first.name}, True)
    assert not any(part.faint for _, part in bind(data, 2))  # the index of a report in parts counts all
    silent = replace(data, groups=tuple(replace(group, unusual=()) for group in data.groups))
    assert silent.faint == frozenset()  # the whole report is about them
    most = replace(data, groups=(*(replace(group, unusual=()) for group in data.groups[:3]), *data.groups[3:]))
    assert most.faint == frozenset()  # what can be stated may not fit
    monkeypatch.setattr(report_data, "FIRST", 3)
    assert most.faint == {group.name for group in data.groups[:3]}


def test_a_card_says_where_its_normal_is_that_of_all(four_kinds_data: ReportData) -> None:
    told = "The normal band here is that of all normal series"
    assert four_kinds_data.baseline
    cards = [group for group in four_kinds_data.groups if group.around is None]
    assert render(four_kinds_data, "en").count(told) == len(cards)
    alone = replace(four_kinds_data, groups=tuple(replace(g, around=None) for g in four_kinds_data.groups))
    assert render(alone, "en").count(told) == len(alone.groups)


def test_an_index_counts_what_is_asked_first_and_is_skipped_to_its_groups(
    four_kinds_data: ReportData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_page, "FIRST", 3)
    book, data = next(bind(four_kinds_data, 2))
    index = render(data, "en", book=book)
    assert '<a class="skip" href="#glance">' in index
    assert "<dd>3 <small>first, of 4</small></dd>" in index
    assert "2\u00a0minutes" in index


def test_what_occurs_only_here_is_stated_beside_the_answer(four_kinds_data: ReportData) -> None:
    first, *others = four_kinds_data.groups
    often = (Often("F1", 5, 1.0, 0.95), Often("F2", 3, 0.6, 0.003, True))
    group = replace(first, where=(Where("firmware", False, 2, 3, often),), periods=())
    page = render(replace(four_kinds_data, groups=(group, *others)), "en")
    signs = page[page.index('<ul class="signs">') :].partition("</ul>")[0]
    assert "3 of 9, only here" in signs
    assert ("F1" in signs, "F2" in signs) == (False, True)
    silent = tuple(replace(one, where=(), periods=()) for one in four_kinds_data.groups)
    assert '<ul class="signs">' not in render(replace(four_kinds_data, groups=silent), "en")
