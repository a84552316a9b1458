"""Real browsers, for the length of a session."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

FINDER = Path(__file__).parent.parent / "browser.sh"
PATIENCE = 30_000  # milliseconds that a page may take to show what is expected: others use the machine as well
# A browser that asks nobody for anything. Root has to go without its sandbox.
ARGUMENTS = [
    *("--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]


def find_browser(name: str) -> str | None:
    """The browser that tests/browser.sh finds; None where only Playwright's own can serve."""
    finder = [str(FINDER), "find", name]
    return subprocess.run(finder, check=True, capture_output=True, text=True).stdout.strip() or None


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright for the length of the session."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium for the length of the session."""
    browser = playwright.chromium.launch(executable_path=find_browser("chromium"), args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Firefox puts what it saves: Playwright hears nothing of downloads in a Firefox that is not its own."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def firefox(playwright: Playwright, downloads: Path) -> Iterator[Browser]:
    """A Firefox for the length of the session: as it comes with the system, else Playwright's own."""
    found = find_browser("firefox")
    channel = "moz-firefox" if found else None
    browser = playwright.firefox.launch(executable_path=found, channel=channel, downloads_path=downloads)
    yield browser
    browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page that shares nothing with those of other tests."""
    with chromium.new_context() as context:
        yield context.new_page()


def whole(page: Page) -> None:
    """axe-core finds nothing serious, and nothing is wider than the screen."""
    found: dict[str, Any] = Axe().run(page).response
    assert len(found["passes"]) > 8
    assert [one["id"] for one in found["violations"] if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
