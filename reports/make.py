"""Make the sample report of the demo and the README's pictures of it: `make sample`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
SERIES = 100_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tsclust", "demo", "-w", folder, "--series", str(SERIES)]
        subprocess.run(command, check=True)
        report = Path(folder) / "reports" / "report.html"
        take_pictures(report)
        subprocess.run([sys.executable, "-m", "tsclust", "report", "-w", folder, "--no-charts"], check=True)
        shutil.copyfile(report, HERE / "sample.html")


def take_pictures(report: Path) -> None:
    """The README's pictures of a report: a card, the overview's charts, and the lineage of the groups."""
    finder = [str(HERE.parent / "tests" / "browser.sh"), "find", "chromium"]
    found = subprocess.run(finder, check=True, capture_output=True, text=True).stdout.strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found or None, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(report.as_uri())
        page.locator("#group-2").screenshot(path=HERE / "card.png")
        # Cards get their real height only near the window: without them the place of the charts is certain.
        page.add_style_tag(content="article.card { display: none }")
        overview = page.locator("details#overview")
        overview.locator("summary").first.click()
        overview.locator(".wait").wait_for(state="detached")
        overview.locator("figure.lineage").screenshot(path=HERE / "lineage.png")
        page.add_style_tag(content="figure.lineage { display: none !important }")
        overview.locator(".figures").screenshot(path=HERE / "overview.png")
        browser.close()


if __name__ == "__main__":
    main()
