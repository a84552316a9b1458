"""What would keep people with poor eyes, or without a mouse, from using the pages: axe-core finds nothing serious."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import tsclust
from tests.support.endurance import times
from tests.support.pages import Opened
from tests.support.report_workspace import lifelike, write

AXE = Axe()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report in both languages."""
    root = tmp_path_factory.mktemp("accessible") / "ws"
    write(root, lifelike(), baseline=["machine"])
    (root / "tsclust.toml").write_text('[cluster]\nbaseline = ["machine"]\n', encoding="utf-8")
    found = {}
    for lang in ("en", "ru"):
        found[lang] = tsclust.report(root, {"report": {"lang": lang}}, name=lang).wrote
    return found


def serious(page: Page) -> list[str]:
    """What axe-core finds serious or critical: rule, what, where."""
    response: dict[str, Any] = AXE.run(page).response
    assert len(response["passes"]) > 20  # it did look
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


SHOWN = [("en", "light"), ("ru", "dark"), ("en", "dark"), ("ru", "light")]


@pytest.mark.endurance
@pytest.mark.parametrize(("lang", "colours"), SHOWN[: times(2, 4)])
def test_nothing_keeps_people_from_the_report(page: Page, pages: dict[str, Path], lang: str, colours: str) -> None:
    page.emulate_media(color_scheme=colours)
    opened = Opened(page, pages[lang])
    page.add_style_tag(content=".card { content-visibility: visible !important }")
    assert serious(page) == []
    for summary in page.locator("summary").all():
        summary.click()
    expect(page.locator("#overview .wait")).to_have_count(0)
    page.locator("#group-1 [value=malfunction]").check()
    page.locator("#group-2 [value=dont_know]").check()
    page.locator("#group-1 .toggle").first.click()
    page.locator(".rule .toggle").first.click()
    page.locator("#group-1 .tools button").first.click()
    page.locator("#group-1 [data-zoom='+']").click()
    page.locator(".glance .pick").first.click()
    page.locator("#find").fill("W1")
    expect(page.locator("#found button").first).to_be_visible()
    assert serious(page) == []
    page.locator("#group-1 .mini").first.click()
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert serious(page) == []
    assert opened.is_quiet()
