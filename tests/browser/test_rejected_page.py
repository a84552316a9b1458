"""The page of filter --html in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.pages import CLIPPED, Opened
from tests.support.screened import shown


@pytest.mark.parametrize(("lang", "title"), [("en", "Set aside by the rule “stuck”"), ("ru", "правилом «stuck»")])
def test_the_page_shows_the_series_over_the_normal_ones(
    page: Page, rejected_pages: dict[str, Path], screened: Path, lang: str, title: str
) -> None:
    opened = Opened(page, rejected_pages[lang])
    facts = shown(screened, "stuck", limit=100).facts
    assert facts
    expect(page.locator("h1")).to_contain_text(title)
    assert page.locator("html").get_attribute("lang") == lang
    assert [int(text) for text in page.locator("article h3").all_text_contents()] == facts["ids"]
    assert page.locator("article .typical").count() == len(facts["ids"])
    assert len({p.get_attribute("d") for p in page.locator("article .typical").all()}) == len(facts["ids"])
    assert all(len(p.get_attribute("d") or "") > 100 for p in page.locator("article .normal").all()[:5])
    names = {"en": ["Machine", "Direction", "Recorded"], "ru": ["Машина", "Направление", "Записано"]}
    assert page.locator("article").first.locator("dt").all_text_contents() == names[lang]
    page.locator("header summary").click()  # the condition is a long one
    text = page.locator("header").inner_text()
    for said in ("frozen_run > 0.25 * n_recorded", "tsclust filter --dry-run", "tsclust.toml"):
        assert said in text
    numbers = [int(re.sub(r"\D", "", dd.split("\n")[0])) for dd in page.locator(".facts dd").all_inner_texts()]
    assert numbers == [facts["rejected"], facts["in_all"], facts["alone"], len(facts["ids"])]
    assert opened.is_quiet()


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_nothing_of_the_page_is_clipped(page: Page, rejected_pages: dict[str, Path], lang: str) -> None:
    opened = Opened(page, rejected_pages[lang])
    for width in (400, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CLIPPED) == []
    assert opened.is_quiet()


def test_the_page_speaks_of_what_is_recorded(screened_copy: Path) -> None:
    report = {"quantity": "Torque", "unit": "Nm", "sample_seconds": 0.05, "names": {"machine_id": "Press"}}
    found = shown(screened_copy, "stuck", html=True, flags={"report": report})
    assert found.wrote
    text = found.wrote.read_text(encoding="utf-8")
    assert "From left to right: seconds after the start; upwards: Torque, Nm." in text
    assert "<bdi>Press</bdi>" in text
    assert "machine_id" not in text
