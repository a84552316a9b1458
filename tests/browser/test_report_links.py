"""Links of a page of many groups lead to the group that they name: what is answered by a key is what is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.endurance import times
from tests.support.pages import Opened
from tsclust.config import Report
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect
from tsclust.workspace.folder import Workspace

FAR = 32  # a group far down


@pytest.fixture(scope="module")
def report(forty_groups: Workspace) -> Path:
    data = collect(forty_groups, Report())
    assert len(data.groups) > 40
    path = forty_groups.root / "links.html"
    path.write_text(render(data, "en"), encoding="utf-8")
    return path


@pytest.fixture
def wide_or_narrow(request: pytest.FixtureRequest, name: str, width: int) -> Iterator[Page]:
    browser: Browser = request.getfixturevalue(name)
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        yield context.new_page()


def top(page: Page, group: int) -> float:
    """Where the group's card begins, once the page is at rest."""
    seen, before = page.evaluate(f"document.querySelector('#group-{group}').getBoundingClientRect().top"), None
    while seen != before:
        page.wait_for_timeout(250)
        before, seen = seen, page.evaluate(f"document.querySelector('#group-{group}').getBoundingClientRect().top")
    return float(seen)


WINDOWS = [("chromium", 400), ("firefox", 1280), ("chromium", 1280), ("firefox", 400)]


@pytest.mark.endurance
@pytest.mark.parametrize(("name", "width"), WINDOWS[: times(2, 4)])
def test_a_link_leads_to_its_group(wide_or_narrow: Page, report: Path) -> None:
    page = wide_or_narrow
    opened = Opened(page, report)
    page.locator(f".glance a[href='#group-{FAR}']").click()
    assert 0 <= top(page, FAR) < 60
    near = page.locator(f"#group-{FAR} .near a").first
    other = int((near.get_attribute("href") or "").removeprefix("#group-"))
    near.click()
    assert 0 <= top(page, other) < 60
    page.keyboard.press("2")
    assert page.evaluate(f"document.querySelector('#group-{other} [value=normal]').checked")
    page.goto("about:blank")
    page.goto(f"{report.as_uri()}#group-{FAR}")
    assert 0 <= top(page, FAR) < 60
    assert not opened.complaints
