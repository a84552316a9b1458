"""How sure it is that a group is one thing: whether its series differ from normal in the same way.

The agreement of a group is the mean cosine between the deviations of two of its series: 1 where all differ from normal
in the same features and in the same proportions, however strongly. In the statistics of directions it is the squared
mean resultant length, without its bias (Mardia and Jupp, Directional Statistics, 2000). Two parts of a group, by
spherical K-means (Dhillon and Modha, Machine Learning 42, 2001), are offered where each agrees with itself clearly more
than the whole does.

Whether a group has one peak says little of this: a cluster of K-means ends where others begin, and its features are
counts, or nearly normal. Hartigan's dip and the index of SigClust (Liu, Hayes, Nobel and Marron 2008) were tried:
docs/clustering.md.
"""

from __future__ import annotations

import numpy as np

from tsclust.arrays import Bools, Floats

CLOSE, SOME = 0.8, 0.6  # agreement from which on a group is probably one thing, may be two, or hardly one
FEWEST = 10  # series: of fewer nothing is said
PARTED = 500  # series that parts are looked for in
GAIN = 0.1  # by which parts agree more than the whole
SMALLEST = 0.1  # of the series, at least, are in the smaller part
STARTS = 3  # directions that a division begins with
ROUNDS = 30


def directions(deviations: Floats, weights: Floats) -> Floats:
    """(n, d) deviations from normal, each feature with its weight (d,) -> of length 1."""
    weighted = deviations * weights
    unit: Floats = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-12)
    return unit


def agreement(unit: Floats) -> float | None:
    """The mean cosine between two rows of unit (n, d); None for fewer than FEWEST rows."""
    n = len(unit)
    return None if n < FEWEST else float(((unit.sum(axis=0) ** 2).sum() - n) / (n * (n - 1)))


def parts(unit: Floats) -> tuple[Bools, Bools] | None:
    """((n,), (n,)) which rows of unit (n, d) are in the larger part and which in the other; None where they are best
    left together. The rows come in an order of chance."""
    whole = agreement(unit[:PARTED])
    side = None if whole is None else _side(unit[:PARTED])
    if whole is None or side is None:
        return None
    there = unit @ side > 0
    one, other = (there, ~there) if there.sum() * 2 >= len(there) else (~there, there)
    each = agreement(unit[one]), agreement(unit[other])
    if each[0] is None or each[1] is None or other.mean() < SMALLEST:
        return None
    gain = each[0] * one.mean() + each[1] * other.mean() - whole
    return (one, other) if gain > GAIN else None


def _side(unit: Floats) -> Floats | None:
    """(d,) what divides the rows of unit (n, d) best into two: those with which it has a positive product, and the
    others."""
    found = [_divided(unit, axis) for axis in _axes(unit)]
    best = max((one for one in found if one is not None), key=lambda one: one[0], default=None)
    return None if best is None else best[1]


def _axes(unit: Floats) -> Floats:
    """(STARTS, d) the principal axes."""
    centred = unit - unit.mean(axis=0)
    axes: Floats = np.linalg.eigh(centred.T @ centred)[1].T[::-1][:STARTS]
    return axes


def _divided(unit: Floats, axis: Floats) -> tuple[float, Floats] | None:
    """(how long the sums of both parts are, what divides them), from the rows' middle along an axis on."""
    along = unit @ axis
    there, side = along > np.median(along), axis
    for _ in range(ROUNDS):
        if there.all() or not there.any():
            return None
        one, other = unit[there].sum(axis=0), unit[~there].sum(axis=0)
        long = float(np.linalg.norm(one)), float(np.linalg.norm(other))
        side = one / max(long[0], 1e-12) - other / max(long[1], 1e-12)
        again = unit @ side > 0
        if np.array_equal(again, there):
            break
        there = again
    return sum(long), side
