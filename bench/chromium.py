"""Pages in a real Chromium, for bench/report.py: how soon they are there, and how smoothly they scroll."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from extract import FailedError
from playwright.sync_api import Browser, CDPSession, Page, ViewportSize, sync_playwright

WINDOW: ViewportSize = {"width": 1920, "height": 1080}
REST = 1_000  # ms: a new window has work of its own
NOTCH = 100  # pixels
ANSWERED = 20  # cards
FRAMES = (17, 34, 51)  # ms: one of 60 Hz, two, three
SLOW = 4  # times
CARDS = ".card:not(.rule, .usual)"
SHOWN = "<style>* { content-visibility: visible !important }</style></head>"
ANSWERABLE = "document.getElementById('bar')?.hidden === false"
SCRIPT = """{
const bench = { largest: 0, frames: [], scrolled: [], typed: [] }, next = requestAnimationFrame;
const until = (is, then) => (is() ? then() : next(() => until(is, then)));
const painted = (from) => new Promise((done) => next(() => next(() => done(performance.now() - from))));
new PerformanceObserver((list) => { bench.largest = list.getEntries().at(-1).startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
bench.ready = new Promise((done) => until(() => READY, () => next(() => done(performance.now()))));
bench.opened = async () => ({
  ready: await bench.ready, largest: bench.largest,
  first: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  loaded: performance.getEntriesByType("navigation")[0].loadEventEnd,
});
bench.watchCharts = () => {
  const overview = document.getElementById("overview"), wait = overview.querySelector(".wait");
  const over = () => !wait.isConnected || !overview.querySelector(".figures");  // drawn, or given up
  bench.charts = new Promise((done, fail) => overview.addEventListener("click", ({ timeStamp }) => {
    until(over, () => (wait.isConnected ? fail("no charts") : painted(timeStamp).then(done)));
  }));
};
bench.record = () => {
  document.addEventListener("scroll", () => bench.scrolled.push(performance.now()), { passive: true });
  const frame = (at) => { bench.frames.push(at); next(frame); };
  next(frame);
};
bench.atEnd = () => scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
bench.moving = () => bench.frames.filter((at) => at > bench.scrolled[0] - 20 && at < bench.scrolled.at(-1) + 20);
bench.focus = (card) => { card.scrollIntoView({ behavior: "instant" }); card.focus({ preventScroll: true }); };
bench.watchKeys = () => document.addEventListener("keydown", ({ timeStamp }) => {
  painted(timeStamp).then((took) => bench.typed.push(took));
}, true);
window.bench = bench;
}"""
Told = dict[str, float]


@dataclass(frozen=True)
class Way:
    """A file to open: `ready` is a condition in JavaScript, the processor so many times slower."""

    name: str
    path: Path
    ready: str = ANSWERABLE
    slow: int = 1

    @property
    def slowly(self) -> Way:
        return replace(self, name=f"{self.name}, CPU / {SLOW}", slow=SLOW)

    @property
    def all_drawn(self) -> Way:
        """The same page with content-visibility switched off."""
        path = self.path.with_suffix(".drawn.html")
        path.write_text(self.path.read_text(encoding="utf-8").replace("</head>", SHOWN, 1), encoding="utf-8")
        return replace(self, name=f"{self.name}, all drawn", path=path)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The one that the tests find."""
    finder = [str(Path(__file__).parents[1] / "tests" / "browser.sh"), "find", "chromium"]
    found = subprocess.run(finder, check=True, capture_output=True, text=True).stdout.strip()
    arguments = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=found or None, args=arguments) as browser,
    ):
        yield browser


@contextmanager
def opened(browser: Browser, way: Way) -> Iterator[tuple[Page, CDPSession, list[str]]]:
    """The page in a context of its own, when it is ready, and what was asked for."""
    with browser.new_context(viewport=WINDOW) as context:
        page, asked = context.new_page(), []
        page.set_default_timeout(600_000)
        page.add_init_script(SCRIPT.replace("READY", way.ready))
        page.on("request", lambda request: asked.append(request.url))
        session = context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": way.slow})
        page.wait_for_timeout(REST)
        page.goto(way.path.as_uri())
        page.evaluate("bench.ready")
        page.wait_for_timeout(REST)  # the largest paint is told a little later
        yield page, session, asked


def open_once(browser: Browser, way: Way) -> Told:
    """Milliseconds until this and that, requests, MB of the heap."""
    with opened(browser, way) as (page, session, asked):
        told: Told = page.evaluate("bench.opened()")
        session.send("HeapProfiler.collectGarbage")
        session.send("Performance.enable")
        metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        told["heap"] = metrics["JSHeapUsedSize"] / 2**20
        if page.locator("#plotly").count():
            page.evaluate("bench.watchCharts()")
            page.locator("#overview > summary").click()
            told["charts"] = page.evaluate("bench.charts")
        return told | {"requests": sum(url != way.path.as_uri() for url in asked)}


def scroll_once(browser: Browser, way: Way, speed: int) -> Told:
    """Of the frames while the page goes by, and of the answers by key."""
    with opened(browser, way) as (page, _, _):
        page.mouse.move(WINDOW["width"] / 2, WINDOW["height"] / 2)
        page.evaluate("bench.record()")
        wheel(page, speed)
        told: Told = page.evaluate("bench.opened()")
        told |= smoothness(page.evaluate("bench.moving()"), page.evaluate("scrollY"))
        typed = answer(page) if way.ready == ANSWERABLE else []
        return told | ({"typed": statistics.median(typed), "slowest": max(typed)} if typed else {})


def wheel(page: Page, speed: int) -> None:
    """Notch after notch to the end; late ones are made up for, as a hand does not wait."""
    began = time.perf_counter()
    for notch in itertools.count(1):
        page.mouse.wheel(0, NOTCH)
        time.sleep(max(0.0, began + notch * NOTCH / speed - time.perf_counter()))
        if notch % 20 == 0 and page.evaluate("bench.atEnd()"):
            break
    page.wait_for_timeout(REST)  # the last ones are on their way


def smoothness(frames: Sequence[float], pixels: float) -> Told:
    """Of the milliseconds from frame to frame, while so many pixels went by."""
    took = [after - before for before, after in itertools.pairwise(frames)]
    shares = {f"within {most}": sum(ms < most for ms in took) / len(took) for most in FRAMES}
    a_second = {"pixels": 1_000 * pixels / sum(took), "frames": 1_000 * len(took) / sum(took)}
    return a_second | shares | {"worst": max(took)}


def answer(page: Page) -> list[float]:
    """Milliseconds from the key to the painted answer, of cards from the first to the last."""
    cards = page.locator(CARDS).element_handles()
    asked = cards[:: max(1, len(cards) // ANSWERED)]
    page.evaluate("bench.watchKeys()")
    for i, card in enumerate(asked):
        card.evaluate("(card) => bench.focus(card)")
        page.wait_for_timeout(200)
        page.keyboard.press("2")
        page.wait_for_function("(many) => bench.typed.length === many", arg=i + 1)
    if (found := page.locator(".card.answered").count()) != len(asked):
        raise FailedError(f"{found} cards are answered, expected {len(asked)}")
    return [float(ms) for ms in page.evaluate("bench.typed")]
