"""Make the sample report of the demo and the README's pictures of it: `make sample`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tsclust.embedded_postgres import server
from tsclust.simulation.expert import two_answers
from tsclust.simulation.load import truth_of
from tsclust.workspace.folder import Workspace

HERE = Path(__file__).parent
SERIES = 100_000
DESK, PHONE, PAPER = (1280, 800), (400, 860), (760, 1075)  # paper: A4 less its margins, as pixels
MODEL = (900, 836)  # down to the end of its curve


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, server.running(Path(folder) / ".postgres") as running:
        os.environ["TSCLUST_DSN"] = running.dsn
        workspace = Path(folder)
        told("demo", "--series", SERIES, "-w", workspace)
        report = workspace / "reports" / "report.html"
        with chromium() as browser:
            take_pictures(browser, report)
            told("report", "--no-charts", "-w", workspace)
            shutil.copyfile(report, HERE / "sample.html")
            learn(workspace, running.dsn)
            with opened(browser, report.with_name("model.html"), MODEL) as page:
                page.screenshot(path=HERE / "model.png")


def told(*command: object) -> None:
    """`tsclust` with these arguments."""
    subprocess.run([sys.executable, "-m", "tsclust", *map(str, command)], check=True)


def learn(workspace: Path, dsn: str) -> None:
    """A model from what an expert who knows the truth has answered."""
    anna, _ = two_answers(Workspace.open(workspace), truth_of(dsn))
    told("labels", "import", anna, "-w", workspace)
    told("train", "-w", workspace)


@contextmanager
def chromium() -> Iterator[Browser]:
    finder = [str(HERE.parent / "tests" / "browser.sh"), "find", "chromium"]
    found = subprocess.run(finder, check=True, capture_output=True, text=True).stdout.strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found or None, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def take_pictures(browser: Browser, report: Path) -> None:
    """The first screen, a card with its answer, the overview, and the page in the dark, on a phone and on paper."""
    with opened(browser, report, DESK) as page:
        page.screenshot(path=HERE / "first.png")
        answer(page)
        only(page, "#group-2").screenshot(path=HERE / "card.png")
    with opened(browser, report, DESK) as page:
        overview = only(page, "details#overview")
        overview.locator("summary").first.click()
        overview.locator(".wait").wait_for(state="detached")
        overview.locator("figure.lineage").screenshot(path=HERE / "lineage.png")
        page.add_style_tag(content="figure.lineage { display: none !important }")
        overview.locator(".figures").screenshot(path=HERE / "overview.png")
    with opened(browser, report, DESK, color_scheme="dark") as page:
        answer(page)
        page.screenshot(path=HERE / "dark.png")
    with opened(browser, report, PHONE) as page:
        page.keyboard.press("ArrowRight")
        page.locator("#group-1.current").wait_for()
        page.screenshot(path=HERE / "phone.png")
    with opened(browser, report, PAPER) as page:
        page.emulate_media(media="print")
        page.locator("#group-1").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('#group-1').scrollIntoView()")
        page.screenshot(path=HERE / "print.png")


@contextmanager
def opened(browser: Browser, report: Path, size: tuple[int, int], **how: Any) -> Iterator[Page]:
    """The report in a window of this size that has kept no answers."""
    with browser.new_context(viewport={"width": size[0], "height": size[1]}, **how) as context:
        page = context.new_page()
        page.goto(report.as_uri())
        yield page


def answer(page: Page) -> None:
    """The second group is named, one of its series left out; the window shows it from its top."""
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("1")
    page.keyboard.type("slipping clutch")
    page.keyboard.press("Escape")
    page.locator("#group-2 .toggle").nth(6).click()
    page.locator("#group-2 [value=likely]").check()
    page.evaluate("document.querySelector('#group-2').scrollIntoView()")


def only(page: Page, selector: str) -> Any:
    """One part of the page, with nothing of the bar over it; cards get their real height only near the window."""
    page.add_style_tag(content="#bar { display: none !important } .card { content-visibility: visible !important }")
    return page.locator(selector)


if __name__ == "__main__":
    main()
