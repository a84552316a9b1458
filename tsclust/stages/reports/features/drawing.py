"""The drawings of the features page as paths, places in per cent and labels: the template only writes them down."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Floats
from tsclust.stages.reports.charts.axis import Axis
from tsclust.stages.reports.charts.curves import Ticks, nice_ticks, steps
from tsclust.stages.reports.features.data import Correlations, Distribution, FeaturesData
from tsclust.stages.reports.features.limits import Limit
from tsclust.wording.language import Language

WIDE, HIGH = 1000, 300  # units of a distribution's drawing
FLAT = 50  # where the tallest bin is more than this many times the lowest, counts are drawn by their logarithm
ROOM, CELL, GAP, FOOT = 64, 186, 10, 34  # units of the pair plot: left of it, of a panel, between panels, below
CROSS = "m-3-3l6 6m0-6l-6 6"
SQUARE = 24  # units of a cell of the heat map
SIGNS = {">=": "≥", "<=": "≤", "<>": "≠"}


@dataclass(frozen=True)
class LimitLine:
    """A limit. place: per cent from the left; row: of its label, from the top; left: the label lies left of the line.

    beyond: "←" or "→" where the limit lies beyond the axis
    """

    place: float
    row: int
    text: str
    left: bool
    joined: bool
    beyond: str


@dataclass(frozen=True)
class Histogram:
    """What the template needs of a distribution. across, down: (per cent, label); median: per cent from the left."""

    name: str
    about: Distribution
    kept: str
    rejected: str
    grid: str
    across: Ticks
    down: Ticks
    median: float
    lines: tuple[LimitLine, ...]
    log_counts: bool
    outside: tuple[tuple[str, str], ...]  # (what, count) of rows that are not drawn


@dataclass(frozen=True)
class Panel:
    """A square of the pair plot: where it lies, and its points; on the diagonal a distribution, and its name."""

    x: int
    y: int
    kept: str
    rejected: str
    unusual: str
    name: str = ""


@dataclass(frozen=True)
class PairPlot:
    """across, down: (units, label) of ticks."""

    width: int
    height: int
    side: int
    panels: tuple[Panel, ...]
    across: Ticks
    down: Ticks


@dataclass(frozen=True)
class Cell:
    """A correlation of the heat map; strength: 0 to 1."""

    x: int
    y: int
    rho: float
    strength: float
    title: str


@dataclass(frozen=True)
class Heat:
    """The heat map: names (x, y, text) stand on the diagonal, at the end of their row and the top of their column."""

    width: int
    height: int
    side: int
    cells: tuple[Cell, ...]
    names: tuple[tuple[int, int, str], ...]


def draw_histogram(one: Distribution, language: Language) -> Histogram:
    kept, rejected = (np.array([getattr(b, side) for b in one.bins], float) for side in ("kept", "rejected"))
    top = max(kept.max(), rejected.max(), 1.0)
    lowest = min((float(n) for n in (*kept, *rejected) if n), default=1.0)
    log_counts = bool(top > FLAT * lowest)
    ticks = _powers(top) if log_counts else [t for t in nice_ticks(0, top, 3) if t == int(t)]
    xs = np.rint(WIDE * one.axis.along(one.axis.edges)).astype(int).tolist()
    down = [(float(y), language.fixed(t, 0)) for t, y in zip(ticks, _up(np.array(ticks), top, log_counts), strict=True)]
    return Histogram(
        name=one.feature.name,
        about=one,
        kept=_bars(xs, _up(kept, top, log_counts)),
        rejected=_bars(xs, _up(rejected, top, log_counts)),
        grid="".join(f"M0 {round(y)}h{WIDE}" for y, _ in down),
        across=_across(one.axis, one.axis.ticks(), language),
        down=tuple((round(100 * y / HIGH, 2), text) for y, text in down),
        median=round(100 * float(one.axis.along([one.median])[0]), 2),
        lines=_lines(one, language),
        log_counts=log_counts,
        outside=_outside(one, language),
    )


def _across(axis: Axis, ticks: Sequence[float], language: Language) -> Ticks:
    places = (round(100 * float(at), 2) for at in axis.along(ticks))
    return tuple(zip(places, map(language.number, ticks), strict=True))


def _up(counts: Floats, top: float, log_counts: bool) -> Floats:
    """(n,) units from the top; by the logarithm half a row is the bottom, so that one row is seen."""
    if not log_counts:
        return HIGH * (1 - counts / top)
    share = np.log(np.maximum(counts, 0.5) / 0.5) / math.log(top / 0.5)
    return HIGH * (1 - share)


def _powers(top: float) -> list[float]:
    """Powers of ten up to the tallest bin, at most four of them."""
    most = math.floor(math.log10(top))
    return [10.0**p for p in range(0, most + 1, 1 + most // 4)]


def _bars(xs: Sequence[int], ys: Floats) -> str:
    """The outline of bars from xs[i] to xs[i + 1]; those of equal height are one."""
    heights = [HIGH, *np.rint(ys).astype(int).tolist()]
    points = [(x, y) for x, (before, y) in zip(xs, itertools.pairwise(heights), strict=False) if y != before]
    return f"M{xs[0]} {HIGH}{steps([*points, (xs[-1], HIGH)])}z"


def _lines(one: Distribution, language: Language) -> tuple[LimitLine, ...]:
    """The limits, each label in a row of its own."""
    places = one.axis.along([limit.value for limit in one.limits]).tolist()
    # The outer ones first: the lines of the others begin below their labels.
    order = sorted(range(len(places)), key=lambda i: (-abs(places[i] - 0.5), i))
    return tuple(_line(one.axis, one.limits[i], places[i], row, language) for row, i in enumerate(order))


def _line(axis: Axis, limit: Limit, place: float, row: int, language: Language) -> LimitLine:
    text = f"{limit.rule} {SIGNS.get(limit.sign, limit.sign)} {language.number(limit.value, 4)}"
    beyond = "←" if limit.value < axis.edges[0] else "→" if limit.value > axis.edges[-1] else ""
    return LimitLine(round(100 * place, 2), row, text, place > 0.5, limit.joined, beyond)


def _outside(one: Distribution, language: Language) -> tuple[tuple[str, str], ...]:
    """Rows whose value is not on the axis, as shares of all."""
    parts = {"outside_below": one.below, "outside_above": one.above, "outside_missing": one.missing}
    total = sum(s.kept + s.rejected for s in (*one.bins, *parts.values()))
    own, counts = language.texts["features_page"], {word: s.kept + s.rejected for word, s in parts.items()}
    return tuple((own[w], f"{language.fixed(n, 0)} ({language.share(n / total)})") for w, n in counts.items() if n)


def draw_pairs(data: FeaturesData, language: Language) -> PairPlot | None:
    """Every pair of the features once, below the diagonal; None with fewer than two features."""
    names = data.pairs.features
    if len(names) < 2:
        return None
    axes, side = [data.axes[name] for name in names], CELL - GAP
    panels = [_panel(data, axes, i, j, side) for i in range(len(names)) for j in range(i)]
    shown = {d.feature.name: d for d in data.distributions}
    diagonal = [_diagonal(shown[name], i, side) for i, name in enumerate(names)]
    across = [(ROOM + i * CELL + side * at, text) for i, axis in enumerate(axes) for at, text in _few(axis, language)]
    down = [(i * CELL + side * (1 - at), text) for i, axis in enumerate(axes) if i for at, text in _few(axis, language)]
    rounded = [tuple((round(at, 1), text) for at, text in ticks) for ticks in (across, down)]
    size = len(names) * CELL - GAP
    return PairPlot(ROOM + size + 2, size + FOOT, side, (*panels, *diagonal), rounded[0], rounded[1])


def _few(axis: Axis, language: Language) -> list[tuple[float, str]]:
    """(share of the side, label), far from the corners: there they would touch those of the next panel."""
    inner = [t for t, at in zip(axis.ticks(), axis.along(axis.ticks()), strict=True) if 0.1 <= at <= 0.9]
    ticks = axis.apart(inner, 0.3)
    return [(float(at), language.number(t, 2)) for t, at in zip(ticks, axis.along(ticks), strict=True)]


def _panel(data: FeaturesData, axes: Sequence[Axis], i: int, j: int, side: int) -> Panel:
    """Feature j from left to right, feature i from bottom to top."""
    x, y = ROOM + j * CELL, i * CELL
    kept, rejected, unusual = (
        [(x + side * a, y + side * (1 - b)) for a, b in _points(rows, axes, i, j)]
        for rows in (data.pairs.kept, data.pairs.rejected, data.pairs.unusual)
    )
    return Panel(x, y, _marked(kept, "h0"), _marked(rejected, CROSS), _marked(unusual, "h0"))


def _points(
    rows: Sequence[Sequence[float | None]], axes: Sequence[Axis], i: int, j: int
) -> Iterator[tuple[float, float]]:
    """(from the left, from the bottom) as shares of the side, of the rows where both features are known."""
    known = [(a, b) for a, b in ((row[j], row[i]) for row in rows) if a is not None and b is not None]
    across, up = axes[j].along([a for a, _ in known]), axes[i].along([b for _, b in known])
    return zip(across.tolist(), up.tolist(), strict=True)


def _marked(points: Sequence[tuple[float, float]], mark: str) -> str:
    """A path with the mark at each of the places, each place once."""
    return "".join(f"M{x} {y}{mark}" for x, y in dict.fromkeys((round(x), round(y)) for x, y in points))


def _diagonal(one: Distribution, i: int, side: int) -> Panel:
    """The distribution of the feature, by the logarithm, below its name."""
    xs = np.rint(side * one.axis.along(one.axis.edges)).astype(int).tolist()
    counts = [np.array([getattr(b, name) for b in one.bins], float) for name in ("kept", "rejected")]
    top = max(*(c.max() for c in counts), 2.0)
    kept, rejected = (_bars(xs, _up(c, top, True)) for c in counts)
    return Panel(ROOM + i * CELL, i * CELL, kept, rejected, "", one.feature.name)


def draw_heat(found: Correlations, language: Language) -> Heat:
    """Rows and columns in the order of the catalogue, below the diagonal."""
    names = found.features
    cells = tuple(
        Cell(j * SQUARE, i * SQUARE, rho, abs(rho), f"{names[j]}, {names[i]}: {language.number(rho)}")
        for i, row in enumerate(found.rho)
        for j, rho in enumerate(row)
        if rho is not None
    )
    labels = tuple((i * SQUARE + 5, i * SQUARE + 17, name) for i, name in enumerate(names))
    return Heat(len(names) * SQUARE + 150, len(names) * SQUARE, SQUARE - 1, cells, labels)
