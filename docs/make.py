"""What docs/ takes from the code: tables of features and rules, the drawing of the phases, schemas of JSON.

python docs/make.py     rewrites docs/features.md, docs/phases.svg and docs/json/; a test holds that they are up to date
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from tsclust.arrays import Floats
from tsclust.simulation import machines
from tsclust.stages.features import phases
from tsclust.stages.features.catalogue import as_markdown
from tsclust.stages.features.default_rules import DEFAULT_RULES
from tsclust.stages.features.shape import order
from tsclust.wording.language import Language

DOCS = Path(__file__).parent
WIDE, HIGH, LEFT, TOP = 820, 300, 50, 44  # pixels of the drawing, and where the plot begins
COLOURS = {
    "rest": "#eef0f2", "peak": "#f6d5b8", "decay": "#f9e9c9", "side movement": "#d5e6f3", "return": "#dcd6ec",
}  # fmt: skip


def json_files() -> dict[str, str]:
    """Name of a schema in docs/json/ -> its content."""
    found: dict[str, str] = runpy.run_path(str(DOCS / "schemas.py"))["files"]()
    return found


def page(old: str) -> str:
    """docs/features.md with the tables as they are in the code."""
    rules = "".join(f"| `{r.name}` | `{r.when}` | {r.reason} |\n" for r in DEFAULT_RULES)
    parts = {"name": as_markdown(word), "rule": f"| rule | when | because |\n| --- | --- | --- |\n{rules}"}
    for first, table in parts.items():
        old = re.sub(rf"^\| {first} \|(?:.*\n)(?:\|.*\n)*", lambda _, table=table: table, old, flags=re.MULTILINE)
    return old


def word(text: str) -> str:
    """A phase or a meaning of the catalogue in the words of the report."""
    english = Language.load("en")
    return english.meaning(str(english.texts["phases"].get(text, text)))


def drawing() -> str:
    """One recording of the demo, an SVG: where its phases are and what is measured there."""
    x = cycle()
    rest, peak = phases.lower_end(x, order(x)), int(x.argmax())
    start, end = phases.active(x, rest, peak, x[peak] - rest)
    first, last = phases.side_movement(x, order(x), rest, peak, end, x[peak] - rest)
    bounds = [("rest", 0, start), ("peak", start, peak), ("decay", peak, first), ("side movement", first, last - 1)]
    bounds += [("return", last - 1, end), ("rest", end, len(x) - 1)]
    marks = "".join(measured(x, rest, peak, start, end, first, last))
    shades = "".join(shade(name, a, b, len(x)) for name, a, b in bounds)
    line = " ".join(f"{across(i, len(x)):.1f},{down(v, x):.1f}" for i, v in enumerate(x))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDE}" height="{HIGH}" fill="#fff"/>{shades}'
        f'<polyline points="{line}" fill="none" stroke="#1f4e79" stroke-width="2"/>{marks}</svg>\n'
    )


def cycle() -> Floats:
    """A normal recording of the demo."""
    series, truth = next(machines.make(1_000, 1))
    row = next(i for i, kind in enumerate(pa.table(truth)["kind"].to_pylist()) if kind == "normal")
    return np.array(series["values"][row].as_py(), np.float64)


def across(i: float, n: int) -> float:
    return LEFT + (WIDE - LEFT - 20) * i / (n - 1)


def down(value: float, x: Floats) -> float:
    return float(TOP + (HIGH - TOP - 34) * (x.max() - value) / (x.max() - x.min()))


def shade(name: str, a: int, b: int, n: int) -> str:
    """A phase: its colour, its name above where there is room, else slanted."""
    left, right = across(a, n), across(b, n)
    middle = (left + right) / 2
    turn = "" if right - left > 7 * len(word(name)) else f' transform="rotate(-30 {middle:.1f} {TOP - 6})"'
    anchor = "start" if turn else "middle"
    return (
        f'<rect x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{HIGH - TOP - 34}" fill="{COLOURS[name]}"/>'
        f'<text x="{middle:.1f}" y="{TOP - 6}" text-anchor="{anchor}"{turn} fill="#333">{word(name)}</text>'
    )


def measured(x: Floats, rest: float, peak: int, start: int, end: int, first: int, last: int) -> Iterator[str]:
    """Arrows and words: peak_height, peak_width, side_mean, run_length, return_time."""
    n, half, side = len(x), rest + (x[peak] - rest) / 2, float(x[first:last].mean())
    a, b = phases.crossing(x, peak, half, -1), phases.crossing(x, peak, half, 1)
    yield arrow(across(peak, n), down(x[peak], x), across(peak, n), down(rest, x))
    yield text(across(peak, n) + 8, down(x[peak] * 0.85, x), "peak_height")
    yield arrow(across(a, n), down(half, x), across(b, n), down(half, x))
    yield text(across(b, n) + 6, down(half, x) + 4, "peak_width")
    middle = across((first + last) / 2, n)
    yield arrow(middle, down(side, x), middle, down(rest, x))
    yield text(middle + 8, (down(side, x) + down(rest, x)) / 2 + 4, "side_mean")
    yield text(middle, down(side, x) - 26, "side_std, side_slope, side_rise, side_fall,", "middle")
    yield text(middle, down(side, x) - 10, "side_step, side_roughness, side_oscillation", "middle")
    floor = HIGH - 22
    yield arrow(across(start, n), floor, across(end, n), floor)
    yield text(across((start + end) / 2, n), floor + 16, "run_length: samples from start to end", "middle")


def arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line with a bar at each end."""
    dx, dy = (0, 4) if y1 == y2 else (4, 0)
    bars = "".join(f"M{x - dx:.1f} {y - dy:.1f}L{x + dx:.1f} {y + dy:.1f}" for x, y in ((x1, y1), (x2, y2)))
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}{bars}" stroke="#a33" fill="none"/>'


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#a33">{words}</text>'


if __name__ == "__main__":
    path = DOCS / "features.md"
    path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
    (DOCS / "phases.svg").write_text(drawing(), encoding="utf-8")
    for name, content in json_files().items():
        (DOCS / "json").mkdir(exist_ok=True)
        (DOCS / "json" / name).write_text(content, encoding="utf-8")
