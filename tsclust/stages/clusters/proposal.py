"""Which groups an expert is asked to look at: as many as the number of series bears.

From MANY series on the first of the list, which may overlap: a kind often stands out within a larger set. Of fewer
series a hundred sets can be made that are all much the same series: here no two groups proposed share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tsclust.arrays import Int64s

FEW = 30  # series: fewer are one group, shown as one sheet
MANY = 10_000  # series: from here on the groups proposed may overlap
LEAST = 5  # series of a group; a smaller one is proposed where no group of so many shows the same
SIGN = 3  # series: fewer alike are no sign of a kind


def largest_k(rows: int) -> int:
    """Of a sweep over this many series: clusters have at least LEAST of them on average."""
    return 1 if rows < FEW else rows // LEAST


def proposed(order: Sequence[int], size: Int64s, shared: Int64s, rows: int, most: int) -> set[int]:
    """The groups to look at, at most so many: `order` (g,) most worth first, their size (g,), the series that two of
    them share (g, g), all symmetric; of `rows` series in all."""
    if rows >= MANY:
        return set(order[:most])
    if rows < FEW:
        return set(order)
    return set([*_apart([g for g in order if size[g] >= SIGN], size, shared)][:most])


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
