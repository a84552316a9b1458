"""What a card of the report states, without a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tsclust.stages.clusters.parts import SHAPES, ClusterRow, Trait
from tsclust.stages.reports import data as report_data
from tsclust.stages.reports.data import Band, Curve, Often, ReportData, Unusual, Where
from tsclust.stages.reports.groups import page as group_page
from tsclust.stages.reports.groups.cards import trait_of
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


@pytest.mark.parametrize("within", [None, SHAPES])
@pytest.mark.parametrize(("bump", "stated", "said"), [(0.3, True, True), (0.05, True, False), (0.05, False, True)])
def test_beside_clear_features_a_place_is_stated_only_where_the_picture_shows_it(
    four_kinds_data: ReportData, within: int | None, bump: float, stated: bool, said: bool
) -> None:
    """The typical curve, 3 samples of rest and then 20 at 1, against a band from 0.9 to 1.1: 7 to 9 samples on it is
    off, which is of some more series than usual where it is seen in none. Alone it is the only thing to say."""
    values = [*(0.0,) * 3, *(1.0,) * 20]
    values[3 + 8] += bump
    at = tuple(range(20))
    trait = Trait(5, 2, "bump", True, True, 7, 9)
    card = replace(
        four_kinds_data.groups[0],
        members=(Curve("1", 3, tuple(values), (), None),),
        around=Band(at, (0.9,) * 20, (1.1,) * 20),
        unusual=(Unusual("peak_height", 0.6, 1.0, 0.6, -9.0),) if stated else (),
    )
    row = ClusterRow(
        group=1, k=5, cluster=2, size=9, share=0.1, first_k=5, last_k=5, parent=None, within=within, normal=False
    )  # fmt: skip
    found = trait_of(row, {(within, 5, 2): trait}, card, four_kinds_data.normal)
    assert found == (trait if said else None)
    elsewhere = replace(trait, first=12, last=15)
    assert trait_of(row, {(within, 5, 2): elsewhere}, card, four_kinds_data.normal) == (None if stated else elsewhere)
    unknown = replace(trait, first=30, last=35)  # beyond where normal series reach
    assert trait_of(row, {(within, 5, 2): unknown}, card, four_kinds_data.normal) == unknown
