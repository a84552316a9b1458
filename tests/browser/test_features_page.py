"""The page of the features: its numbers against slow and obvious ones, and what it does in a real browser."""

from __future__ import annotations

import itertools
import socket
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.support.features_workspace import TOUCHING
from tests.support.pages import CLIPPED, TRY_EVERYTHING, Opened
from tsclust.stages.features.catalogue import CATALOGUE
from tsclust.stages.reports.features.data import FeaturesData

OUTSIDE = """() => [...document.querySelectorAll("svg.pairs, svg.heat")].flatMap((svg) => {
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  return [...svg.querySelectorAll("text")].filter((text) => {
    const box = text.getBBox();
    return box.x < -1 || box.y < -4 || box.x + box.width > width + 1 || box.y + box.height > height + 4;
  }).map((text) => text.textContent);
})"""


@pytest.mark.parametrize(("lang", "title"), [("en", "Features and rules"), ("ru", "Признаки и правила")])
def test_the_page_opens_offline_and_without_a_word(
    page: Page, features_pages: dict[str, Path], lang: str, title: str
) -> None:
    opened = Opened(page, features_pages[lang])
    expect(page.locator("h1")).to_have_text(title)
    assert page.locator("html").get_attribute("lang") == lang
    assert page.locator(".hists .card").count() == len(CATALOGUE)
    assert page.locator(".stranges .card").count() == 24
    assert page.locator("svg.pairs rect.frame").count() == 15
    assert opened.is_quiet()


def test_an_example_opens_large(page: Page, features_pages: dict[str, Path], features_data: FeaturesData) -> None:
    opened = Opened(page, features_pages["en"])
    page.locator(".rule .mini").first.click()
    expect(page.locator("#large h2")).to_contain_text("Values are missing")
    expect(page.locator("#large dd").first).to_have_text(features_data.rules[0].examples[0].series_id)
    expect(page.locator("#large dt").nth(1)).to_have_text("Machine")
    page.keyboard.press("Escape")
    expect(page.locator("#large")).to_be_hidden()
    assert opened.is_quiet()


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_nothing_is_clipped(page: Page, features_pages: dict[str, Path], lang: str) -> None:
    opened = Opened(page, features_pages[lang])
    page.locator("#appendix summary").click()
    for width, scheme in itertools.product((400, 1280, 1920), SCHEMES):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CLIPPED) == []
        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate(TOUCHING) == []
    assert opened.is_quiet()


def test_on_paper_nothing_is_clipped(page: Page, features_pages: dict[str, Path]) -> None:
    Opened(page, features_pages["ru"])
    page.set_viewport_size({"width": 710, "height": 1000})  # A4 less its margins
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#appendix table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 710
    assert page.evaluate(CLIPPED) == []
    wide = "(e) => e.scrollWidth > e.clientWidth + 1"
    assert page.evaluate(f"[...document.querySelectorAll('.scroll, pre')].filter({wide}).length") == 0


def test_the_page_forbids_itself_every_request(page: Page, features_pages: dict[str, Path]) -> None:
    page.goto(features_pages["en"].as_uri())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/x.png"
        stopped, ran = page.evaluate(TRY_EVERYTHING, address)
        listening.settimeout(0.1)
        with pytest.raises(TimeoutError):  # nobody came
            listening.accept()
    assert (stopped, ran) == (["connect-src", "img-src", "script-src-attr", "script-src-elem"], None)
