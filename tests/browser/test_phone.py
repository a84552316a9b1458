"""The report on a phone: answered by a finger, without zooming."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.answer_page import verdict
from tests.support.pages import CLIPPED, Opened

FINGER = 24  # pixels that a finger hits (WCAG 2.2, 2.5.8)
SMALL = """(least) => [...document.querySelectorAll("button, select, #group-1 label, .glance a")]
  .filter((one) => one.checkVisibility() && !one.closest(".scroll"))
  .map((one) => [one.outerHTML.slice(0, 120), one.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < least || height < least).map(([html]) => html)"""
LETTERS = """() => Math.min(...[...document.querySelectorAll(
    "input:not([type=radio], [type=file]), textarea, select")]
  .filter((one) => one.checkVisibility()).map((one) => parseFloat(getComputedStyle(one).fontSize)))"""


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(viewport={"width": 400, "height": 800}, has_touch=True, is_mobile=True) as context:
        yield context.new_page()


def test_a_finger_answers_without_zooming(phone: Page, four_kinds_page: Path) -> None:
    opened = Opened(phone, four_kinds_page)
    expect(phone.locator("#group-1 .tools")).to_be_visible()
    phone.locator("#bar [data-turn='1']").tap()
    assert phone.evaluate("document.activeElement.id") == "group-1"
    phone.locator("#group-1 .verdict label").first.tap()
    phone.locator("#group-1 [name=kind]").tap()
    phone.keyboard.type("worn brushes")
    phone.locator("#bar [data-turn='1']").tap()
    phone.locator("#group-2 .verdict label").nth(1).tap()
    assert (verdict(phone, 1), verdict(phone, 2)) == ("malfunction", "normal")
    assert phone.evaluate("visualViewport.scale") == 1
    assert phone.evaluate("document.documentElement.scrollWidth") <= 400
    assert phone.evaluate(LETTERS) >= 16  # or a phone zooms into the field
    assert phone.evaluate(SMALL, FINGER) == []
    assert phone.evaluate(CLIPPED) == []
    expect(phone.locator(".card kbd:visible")).to_have_count(0)
    assert opened.is_quiet()
