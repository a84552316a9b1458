"""What asks an expert, before anything is answered: what a card says, without a script, on paper."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.support.pages import CLIPPED, Opened


def test_without_a_script_the_page_says_what_to_do(chromium: Browser, four_kinds_page: Path) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(four_kinds_page.as_uri())
        expect(page.locator(".without-script")).to_be_visible()
        expect(page.locator("#bar, .with-script >> nth=0")).to_be_hidden()
        assert page.locator("form.answer").count() == 0


def test_on_paper_there_are_places_to_tick(page: Page, four_kinds_page: Path) -> None:
    Opened(page, four_kinds_page)
    page.set_viewport_size({"width": 710, "height": 1000})
    page.emulate_media(media="print")
    expect(page.locator("#bar")).to_be_hidden()
    expect(page.locator("#group-1 .kind")).to_be_visible()
    assert page.evaluate(CLIPPED) == []
