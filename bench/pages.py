"""How soon pages are there in Chromium and in Firefox, as a table for docs/benchmarks.md.

python bench/pages.py PAGE.html ... [--runs N]

Each page from file://, headless without a GPU, 1280 x 800, every time in a new context whose window is at rest. From
the start of the navigation, medians: first contentful paint; `ready`, when the page can be answered and that is
painted; the load event. The slowest `ready` too. Needed are pip install .[test] and the browsers of tests/browser.sh.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chromium import ANSWERABLE, REST, SCRIPT, Told
from playwright.sync_api import Browser, ViewportSize, sync_playwright

WINDOW: ViewportSize = {"width": 1280, "height": 800}
SHOWN = ("first", "ready", "loaded")


@contextmanager
def browser(name: str) -> Iterator[Browser]:
    """The one of that name that the tests find."""
    finder = [str(Path(__file__).parents[1] / "tests" / "browser.sh"), "find", name]
    found = subprocess.run(finder, check=True, capture_output=True, text=True).stdout.strip()
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    how: dict[str, Any] = (
        {"args": ["--disable-gpu", *root]} if name == "chromium" else {"channel": "moz-firefox" if found else None}
    )
    with sync_playwright() as playwright:
        kind = {"chromium": playwright.chromium, "firefox": playwright.firefox}[name]
        with kind.launch(executable_path=found or None, **how) as one:
            yield one


def opened(one: Browser, path: Path) -> Told:
    """Milliseconds until this and that."""
    with one.new_context(viewport=WINDOW) as context:
        page = context.new_page()
        page.add_init_script(SCRIPT.replace("READY", ANSWERABLE))
        page.wait_for_timeout(REST)
        page.goto(path.resolve().as_uri())
        page.evaluate("bench.ready")
        page.wait_for_timeout(REST)  # what was painted is told a little later
        told: Told = page.evaluate("bench.opened()")
        return told


def row(page: Path, name: str, runs: list[Told]) -> str:
    medians = [f"{statistics.median(run[what] for run in runs):,.0f}" for what in SHOWN]
    slowest = f"{max(run['ready'] for run in runs):,.0f}"
    return f"| {page.name} | {page.stat().st_size / 1e6:.1f} | {name} | {' | '.join([*medians, slowest])} |"


def main() -> None:
    said = arguments()
    print("| page | MB | browser | first paint, ms | ready | loaded | slowest ready |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for name in ("chromium", "firefox"):
        with browser(name) as one:
            for page in said.pages:
                opened(one, page)  # the first of a browser is slower
                print(row(page, name, [opened(one, page) for _ in range(said.runs)]), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE.html")
    parser.add_argument("--runs", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
