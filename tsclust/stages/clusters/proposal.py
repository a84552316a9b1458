"""Which groups an expert is asked to look at: as many as the number of series bears.

From MANY series on a group may share series with one before it, as long as it is not much the same: a kind often stands
out within a larger set. Of fewer series a hundred sets can be made that are all much the same series: here no two
groups proposed share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from tsclust.arrays import Int64s

FEW = 30  # series: fewer are one group, shown as one sheet
MANY = 1_000  # series: from here on the groups proposed may overlap
LEAST = 5  # series of a group; a smaller one is proposed where no group of so many shows the same
SIGN = 3  # series: fewer alike are no sign of a kind
HALF = 0.5  # of the larger of two groups: where they share more, they are one look


def largest_k(rows: int) -> int:
    """Of a sweep over this many series: clusters have at least LEAST of them on average."""
    return 1 if rows < FEW else rows // LEAST


def proposed(order: Sequence[int], size: Int64s, shared: Int64s, rows: int, most: int) -> set[int]:
    """The groups to look at, at most so many: `order` (g,) most worth first, their size (g,), the series that two of
    them share (g, g), all symmetric; of `rows` series in all."""
    if rows < FEW:
        return set(order)
    chosen = _different if rows >= MANY else _apart
    return set(islice(chosen([g for g in order if size[g] >= SIGN], size, shared), most))


def _different(order: Sequence[int], size: Int64s, shared: Int64s) -> Iterator[int]:
    """One after the other, what does not share more than HALF of the larger one with any before."""
    chosen: list[int] = []
    for g in order:
        if (shared[g, chosen] <= HALF * np.maximum(size[g], size[chosen])).all():
            chosen.append(g)
            yield g


def _apart(order: Sequence[int], size: Int64s, shared: Int64s) -> Iterator[int]:
    """One after the other, what shares no series with those before; in the place of a small one the first that holds
    it all, of LEAST series or more and no more than twice as many: at least half of it is what was seen."""
    chosen: list[int] = []

    def free(g: int) -> bool:
        return not shared[g, chosen].any()

    for g in order:
        if free(g):
            wider = (w for w in order if LEAST <= size[w] <= 2 * size[g] and shared[g, w] == size[g] and free(w))
            chosen.append(next(wider, g) if size[g] < LEAST else g)
            yield chosen[-1]
