"""Arrays in, arrays out: series aligned at their start, bands, which members to show, points and ticks to draw."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Floats, Int64s, Values
from tsclust.series import SeriesBlock

Ticks = tuple[tuple[float, str], ...]  # (per cent from the left or from the top, label)

COMMON = 0.1  # a band is drawn where at least this share of its series have values
SENSIBLE = 1e100  # a larger value is no measurement, and would overflow on the way to the page


def typical_first(shaped: Floats) -> npt.NDArray[np.intp]:
    """(n,) rows of shaped (n, d) by their distance: from the centre for the first, from the first for the others."""
    medoid = int(((shaped - shaped.mean(axis=0)) ** 2).sum(axis=1).argmin())
    away = ((shaped - shaped[medoid]) ** 2).sum(axis=1)
    away[medoid] = -1.0
    return np.argsort(away, kind="stable")


def strata(ordered: npt.NDArray[np.intp], count: int) -> npt.NDArray[np.intp]:
    """`count` of the rows: the first, then the middle one of each further `count`-th. Each stands for as many."""
    n = len(ordered)
    if n <= count:
        return ordered
    middle = ((np.arange(count) + 0.5) * n / count).astype(np.int64)
    middle[0] = 0
    return ordered[middle]


def quantiles(
    block: SeriesBlock, rows: npt.NDArray[np.intp], starts: Int64s, of: Sequence[float], common: float = COMMON
) -> tuple[Int64s, list[Floats]]:
    """(at, [(t,), ...]): these quantiles over the series at each sample after the start.

    starts (n,): where each of the n rows starts. Samples that fewer than `common` of the series have are left out.
    """
    first, matrix = aligned(block, rows, starts)
    there, found = edges(matrix, of, common)
    return there + first, found


def edges(matrix: Floats, of: Sequence[float], common: float = COMMON) -> tuple[Int64s, list[Floats]]:
    """(columns, [(t,), ...]): these quantiles of each column of matrix (n, t), NaN being missing; without those that
    fewer than `common` of the rows have."""
    present = np.isfinite(matrix).sum(axis=0)
    there = np.flatnonzero(present >= max(1.0, common * len(matrix)))
    ordered = np.sort(matrix[:, there], axis=0)  # missing values, as NaN, come last
    ranks = [np.rint(q * (present[there] - 1)).astype(np.int64) for q in of]
    return there, [ordered[rank, np.arange(len(there))] for rank in ranks]


def aligned(block: SeriesBlock, rows: npt.NDArray[np.intp], starts: Int64s) -> tuple[int, Floats]:
    """(first, (n, t)): the series under each other, column 0 lies `first` samples after the start; NaN is missing.

    As wide as nine of ten series reach before and after the start, so that one endless series costs no memory.
    """
    begins = block.offsets[rows]
    lengths = block.offsets[rows + 1] - begins
    first = -int(np.quantile(starts, 1 - COMMON, method="higher"))
    width = max(int(np.quantile(lengths - starts, 1 - COMMON, method="higher")) - first, 1)
    matrix = np.full((len(rows), width), np.nan)
    row = np.repeat(np.arange(len(rows)), lengths)
    inner = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    column = inner - np.repeat(starts + first, lengths)
    seen = (column >= 0) & (column < width)
    matrix[row[seen], column[seen]] = sensible(block.values[(np.repeat(begins, lengths) + inner)[seen]])
    return first, matrix


def sensible(values: Values) -> Floats:
    """float64, NaN for what is missing or no measurement."""
    wide = values.astype(np.float64)
    return np.where(np.abs(wide) < SENSIBLE, wide, np.nan)


def plain(values: Values) -> tuple[float | None, ...]:
    """The same, None for what is missing or no measurement."""
    found = sensible(values)
    return tuple(found.tolist() if np.isfinite(found).all() else [None if v != v else v for v in found.tolist()])


def thinned(at: Int64s, values: Floats, limit: int) -> tuple[Int64s, Floats]:
    """At most about `limit` of the points of a long curve: the lowest and highest of each stretch, so peaks stay."""
    if len(at) <= limit:
        return at, values
    keep: set[int] = {0, len(at) - 1}
    for stretch in np.array_split(np.arange(len(at)), limit // 2):
        seen = stretch[np.isfinite(values[stretch])]
        if len(seen):
            keep |= {int(seen[values[seen].argmin()]), int(seen[values[seen].argmax()])}
    chosen = np.array(sorted(keep))
    return at[chosen], values[chosen]


def straightened(points: Sequence[tuple[int, int]], off: float) -> list[tuple[int, int]]:
    """Points, ascending in x, without those that the line between others passes at most `off` above or below."""
    kept, low, high = [points[0]], -math.inf, math.inf  # slopes that pass all points since the last kept one
    for last, (x, y) in itertools.pairwise(points):
        wide, up = x - kept[-1][0], y - kept[-1][1]
        if not low <= up / wide <= high:
            kept.append(last)
            low, high, wide, up = -math.inf, math.inf, x - last[0], y - last[1]
        low, high = max(low, (up - off) / wide), min(high, (up + off) / wide)
    return [*kept, points[-1]] if len(points) > 1 else kept


def steps(points: Iterable[tuple[object, object]]) -> str:
    """The SVG path of a staircase from where the pen is: across to each x, then down or up to its y."""
    return "".join(f"H{x}V{y}" for x, y in points)


def nice_ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers between low and high: multiples of 1, 2 or 5 times a power of ten, at most about + 1 of them."""
    rough = (high - low) / about
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(i * step) for i in np.arange(first, last + 1)]
