"""What the tests of pages share: a page open in a browser, what is clipped on it, and text that would harm it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, Request

# What of the page's text reaches beyond the window or out of its own box.
CLIPPED = """() => [...document.querySelectorAll(
    "h1, h2, h3, h4, h5, p, li, dt, dd, td, legend, button, .button, .answer label, .plot span, .mini span")]
  .filter((e) => e.checkVisibility() && !e.closest(".scroll") && getComputedStyle(e).display !== "inline")
  .filter((e) => {
    const box = e.getBoundingClientRect();
    return box.left < -1 || box.right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1;
  })
  .map((e) => e.outerHTML.slice(0, 200))"""
TRY_EVERYTHING = """async (address) => {
  const stopped = [];
  addEventListener("securitypolicyviolation", (event) => stopped.push(event.effectiveDirective));
  await fetch(address).catch(() => {});
  new Image().src = address;
  document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = true" }));
  document.body.insertAdjacentHTML("beforeend", "<a id=bad onclick='window.ran = true'>x</a>");
  document.getElementById("bad").click();
  await new Promise((done) => setTimeout(done, 100));
  return [stopped.sort(), window.ran ?? null];
}"""


class Opened:
    """A report open in the browser, and all it has complained of or asked for since."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page, self.path = page, path
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._requested)
        page.goto(path.as_uri())

    def _requested(self, request: Request) -> None:
        self.requests.append(request.url)

    def is_quiet(self) -> bool:
        """No complaint, and nothing was asked for but the file itself (of which Firefox does not tell)."""
        return not self.complaints and set(self.requests) <= {self.path.as_uri()}


HOSTILE = [
    "<script>window.hacked = 1</script>",
    "\"><img src=x onerror='window.hacked = 1'>",
    "</script><script>window.hacked = 1</script>",
    "{{ 7 * 7 }} {n} {0} %s",
    "line\u2028separator\u2029paragraph\nnew\ttab",
    "\u202etxet desrever\u202c",
    "'\"`&amp;<b>",
    "</style><style>body { display: none }",
]


def seen(text: object) -> str:
    """What of a text the page shows: control characters become visible."""
    return re.sub(r"[\n\t]", "\ufffd", str(text))
