"""Make the sample report of the demo and the README's pictures of it: `make sample`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
SERIES = 100_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tsclust", "demo", "-w", folder, "--series", str(SERIES)]
        subprocess.run(command, check=True)
        shutil.copyfile(f"{folder}/reports/report.html", HERE / "sample.html")
    finder = [str(HERE.parent / "tests" / "browser.sh"), "find"]
    found = subprocess.run(finder, check=True, capture_output=True, text=True).stdout.strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found or None, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto((HERE / "sample.html").as_uri())
        pictures(page)
        browser.close()


def pictures(page: Page) -> None:
    """A card, the overview."""
    page.locator("#group-2").screenshot(path=HERE / "card.png")
    overview = page.locator("details#overview")
    overview.locator("summary").first.click()
    overview.locator(".js-plotly-plot").last.wait_for()
    overview.locator(".figures").screenshot(path=HERE / "overview.png")


if __name__ == "__main__":
    main()
