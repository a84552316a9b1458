"""The page of a model in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

import tsclust
from tests.support.pages import CLIPPED, Opened
from tsclust.stages.model.facts import MODEL
from tsclust.workspace.folder import Workspace


def test_the_page_of_the_model_in_two_languages(page: Page, plant_copy: Workspace) -> None:
    for lang in ("en", "ru"):
        assert tsclust.train(plant_copy.root, {"report": {"lang": lang}}).skipped  # the page is drawn anew
        path = plant_copy.reports / "model.html"
        opened = Opened(page, path)
        expect(page.locator("h1")).to_be_visible()
        assert page.locator("table.confusion tbody tr").count() == len(plant_copy.manifest(MODEL).facts.kinds)
        for width in (400, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(CLIPPED) == []
        assert opened.is_quiet()
