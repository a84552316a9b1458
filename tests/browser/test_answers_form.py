"""What asks an expert, before anything is answered: what a card says, without a script, on paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.answer_page import data, report
from tests.support.pages import CLIPPED, Opened
from tsclust.stages.reports.groups.data import ReportData
from tsclust.stages.reports.groups.page import render

__all__ = ["data", "report"]  # fixtures


def test_without_a_script_the_page_says_what_to_do(chromium: Browser, report: Path) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(report.as_uri())
        expect(page.locator(".without-script")).to_be_visible()
        expect(page.locator("#bar, .with-script >> nth=0")).to_be_hidden()
        assert page.locator("form.answer").count() == 0


@pytest.mark.parametrize(("within", "text"), [
    (None, "A group of its own when all series are divided into {} groups."),
    (0, "Found among the series that have no name yet: a group of its own when these are divided into {} groups."),
    (3, "A group of its own when the series there are divided into {} groups."),
])  # fmt: skip
def test_a_card_says_where_its_group_was_found(data: ReportData, within: int | None, text: str) -> None:
    first = data.groups[0]
    for last, said in (
        (first.first_k, f"{first.first_k}"),
        (first.first_k + 2, f"{first.first_k} to {first.first_k + 2}"),
    ):
        group = replace(first, within=within, last_k=last)
        assert text.format(said) in render(replace(data, groups=(group, *data.groups[1:])), "en")


def test_on_paper_there_are_places_to_tick(page: Page, report: Path) -> None:
    Opened(page, report)
    page.set_viewport_size({"width": 710, "height": 1000})
    page.emulate_media(media="print")
    expect(page.locator("#bar")).to_be_hidden()
    expect(page.locator("#group-1 .kind")).to_be_visible()
    assert page.evaluate(CLIPPED) == []
