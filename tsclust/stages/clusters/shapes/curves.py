"""The typical curves of normal series, found by themselves: one for each product or direction, however many machines.

A sample of series in their own size is divided by k-medoids (Kaufman and Rousseeuw 1987) of what it costs to lay one
along another. There is one more curve as long as that saves a fifth of the cost: between products it halves, among
series that differ by chance or by their machine it hardly falls. Each curve is then the median of its series laid along
it (after DBA, Petitjean et al. 2011), cut into stretches that are nearly straight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.clusters.shapes import alignment, kernels
from tsclust.stages.clusters.shapes.alignment import PAD

SAMPLE = 200  # series that are laid along each other
MOST = 8  # typical curves
SAVED = 0.8  # of the cost that is left, at most, for one more curve
SHARE = 0.05  # of the sample that a curve stands for, at least: what is rarer is no way of being normal
NEAR = 0.9  # of the sample: the rest, the farthest, counts as if it were no farther
STARTS, ROUNDS, AVERAGED = 8, 10, 3
STRETCHES = 9  # of a curve, at most
COST = 18.0  # of one stretch more, times log m: what it has to explain, in squares of the noise
COARSE = 0.02  # of the highest level: no less is noise
SHORTEST = 2  # samples of a stretch
RUNS = 0.05  # of the highest level: what is above is no rest


@dataclass(frozen=True)
class TypicalCurves:
    """t typical curves: values (t, longest) in their own size, lengths (t,), borders (t, most + 1) of the stretches
    (t,) that each has."""

    values: Floats
    lengths: Int64s
    borders: Int64s
    stretches: Int64s

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def width(self) -> int:
        """How many measures a series has."""
        return kernels.OF_ALL + kernels.OF_STRETCH * int(self.stretches.max())


def fit(sample: Sequence[Floats]) -> TypicalCurves | None:
    """From a sample of series in their own size, in an order of chance; None where they have no run in common, such as
    pulses at any place."""
    some = list(sample[:SAMPLE])
    medoids, label = _medoids(_pairwise(some))
    averages = [
        _average(some[one], [y for y, at in zip(some, label, strict=True) if at == i]) for i, one in enumerate(medoids)
    ]
    averages = [(curve, noise) for curve, noise in averages if curve.any()]
    if not averages:
        return None
    values, lengths = _side_by_side([curve for curve, _ in averages])
    cuts = [_cut(curve, noise) for curve, noise in averages]
    stretches = np.array([len(cut) - 1 for cut in cuts])
    borders = np.zeros((len(cuts), stretches.max() + 1), np.int64)
    for row, cut in zip(borders, cuts, strict=True):
        row[: len(cut)] = cut
    return TypicalCurves(values, lengths, borders, stretches)


def _side_by_side(curves: Sequence[Floats]) -> tuple[Floats, Int64s]:
    lengths = np.array([len(curve) for curve in curves])
    values = np.zeros((len(curves), lengths.max()))
    for row, curve in zip(values, curves, strict=True):
        row[: len(curve)] = curve
    return values, lengths


def _padded(y: Floats) -> Floats:
    return np.concatenate([np.zeros(PAD), y, np.zeros(PAD)])


def _pairwise(sample: Sequence[Floats]) -> Floats:
    """(n, n) what it costs to lay one series along the other, the cheaper way round."""
    offsets = np.cumsum([0, *map(len, sample)])
    cost = alignment.costs(np.concatenate(sample), offsets, *_side_by_side([_padded(y) for y in sample]))
    np.fill_diagonal(cost, 0.0)
    both: Floats = np.minimum(cost, cost.T)
    return both


def _medoids(cost: Floats) -> tuple[list[int], Int64s]:
    """(the series that stand for all, which of them stands for each (n,))."""
    rng = np.random.default_rng(0)
    known, k = _divided(cost, 1, rng), 1
    for more in range(2, min(MOST, len(cost)) + 1):
        found = _divided(cost, more, rng)
        enough = np.bincount(found[2], minlength=more).min() >= SHARE * len(cost)
        if enough and found[0] < SAVED ** (more - k) * known[0]:
            known, k = found, more
    return known[1], known[2]


def _divided(cost: Floats, k: int, rng: np.random.Generator) -> tuple[float, list[int], Int64s]:
    """The best of several starts: (cost, medoids, label (n,))."""
    return min((_moved(cost, _start(cost, k, rng)) for _ in range(STARTS)), key=lambda found: found[0])


def _start(cost: Floats, k: int, rng: np.random.Generator) -> list[int]:
    """k series, far ones more likely, as in K-means++."""
    medoids = [int(rng.integers(len(cost)))]
    while len(medoids) < k:
        chance = cost[:, medoids].min(axis=1) ** 2
        some = chance / chance.sum() if chance.sum() > 0 else None
        medoids.append(int(rng.choice(len(cost), p=some)))
    return medoids


def _moved(cost: Floats, medoids: list[int]) -> tuple[float, list[int], Int64s]:
    """Each medoid to the middle of its series, until none moves."""
    label = np.zeros(len(cost), np.int64)
    for _ in range(ROUNDS):
        label = cost[:, medoids].argmin(axis=1)
        moved = [_middle(cost, np.flatnonzero(label == i), one) for i, one in enumerate(medoids)]
        if moved == medoids:
            break
        medoids = moved
    label, left = cost[:, medoids].argmin(axis=1), cost[:, medoids].min(axis=1)
    return float(np.minimum(left, np.quantile(left, NEAR)).sum()), medoids, label


def _middle(cost: Floats, members: Int64s, otherwise: int) -> int:
    return int(members[cost[np.ix_(members, members)].sum(axis=0).argmin()]) if len(members) else otherwise


def _average(start: Floats, members: Sequence[Floats]) -> tuple[Floats, Floats]:
    """((m,), (m,)) the median of the members laid along their typical curve, and how far they are from it."""
    curve, laid = _padded(start), np.zeros((len(members), len(start) + 2 * PAD))
    for _ in range(AVERAGED):
        for row, y in zip(laid, members, strict=True):
            at = np.empty(len(y), np.int64)
            alignment.align(y, curve, at)
            row[:], _ = alignment.laid_on(y, at, len(curve))
        curve = np.median(laid, axis=0)
    return curve, 1.4826 * np.median(np.abs(laid - curve), axis=0)


def _cut(curve: Floats, noise: Floats) -> list[int]:
    """Borders of nearly straight stretches of the run: least squares by dynamic programming (Bellman 1961), one more
    stretch where it explains enough (Yao 1988)."""
    high = float(np.abs(curve).max())
    away = np.flatnonzero(np.abs(curve) > RUNS * high)
    begin, end = int(away[0]), max(int(away[-1]) + 1, int(away[0]) + SHORTEST)
    noise_of_run = max(float(np.median(noise[begin:end])), COARSE * high)
    return [begin + border for border in _stretches(curve[begin:end] / noise_of_run)]


def _stretches(run: Floats) -> list[int]:
    """Borders, from 0 to the end, of a run measured in its noise."""
    left = _squares(run)
    m = len(run)
    least, came = np.full((STRETCHES + 1, m + 1), np.inf), np.zeros((STRETCHES + 1, m + 1), np.int64)
    least[0, 0] = 0.0
    for k in range(1, STRETCHES + 1):
        through = least[k - 1][:, None] + left
        came[k], least[k] = through.argmin(axis=0), through.min(axis=0)
    k = int(np.argmin(least[1:, m] + COST * np.log(m) * np.arange(1, STRETCHES + 1))) + 1
    borders = [m]
    for stretch in range(k, 0, -1):
        borders.append(int(came[stretch, borders[-1]]))
    return borders[::-1]


def _squares(curve: Floats) -> Floats:
    """(m + 1, m + 1) sum of squares that a line from a to b - 1 leaves; infinite for what is too short."""
    m = len(curve)
    x = np.arange(m, dtype=np.float64)
    sums = [np.concatenate([[0.0], np.cumsum(v)]) for v in (curve, x * curve, curve * curve, x, x * x)]
    y, xy, yy, sx, xx = (s[None, :] - s[:, None] for s in sums)
    n = np.arange(m + 1)[None, :] - np.arange(m + 1)[:, None]
    few = np.maximum(n, 1)
    along, about = np.maximum(xx - sx * sx / few, 1e-12), xy - sx * y / few
    left: Floats = np.where(n >= SHORTEST, np.maximum(yy - y * y / few - about**2 / along, 0.0), np.inf)
    return left
