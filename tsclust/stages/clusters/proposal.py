"""Which groups an expert is asked to look at: as many as the number of series bears.

From MANY series on the first of the list, which may overlap: a kind often stands out within a larger set. Of fewer
series a hundred sets can be made that are all much the same series: here no two groups proposed share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tsclust.arrays import Floats, Int64s

FEW = 30  # series: fewer are one group, shown as one sheet
MANY = 10_000  # series: from here on the groups proposed may overlap
LEAST = 5  # series of a group; a smaller one is proposed where no group of so many shows the same
NEARLY = 0.7  # of a group's series: what has as many of them shows the same, and more of it
TIMES = 2.5  # as large as a part may the whole be: what is larger holds other things, too
AS_GOOD = 0.4  # of its worth: the whole of a kind that the sweep divides is looser than its tightest part
SIGN = 3  # series: fewer alike are no sign of a kind


def largest_k(rows: int) -> int:
    """Of a sweep over this many series: clusters have at least LEAST of them on average."""
    return 1 if rows < FEW else rows // LEAST


def proposed(order: Sequence[int], worth: Floats, size: Int64s, shared: Int64s, rows: int, most: int) -> set[int]:
    """The groups to look at, at most so many: `order` (g,) most worth first, worth and size (g,) of each, the series
    that two of them share (g, g), all symmetric; of `rows` series in all."""
    if rows >= MANY:
        return set(order[:most])
    if rows < FEW:
        return set(order)
    return set([*_apart([g for g in order if size[g] >= SIGN], worth, size, shared)][:most])


def _apart(order: Sequence[int], worth: Floats, size: Int64s, shared: Int64s) -> Iterator[int]:
    """One after the other, what shares no series with those before; in the place of each the widest of FEW series or
    fewer that holds nearly all of it: of a small kind that the sweep divides, the whole. In the place of one of fewer
    than LEAST series the first that is half made of it."""
    chosen: list[int] = []

    def free(g: int) -> bool:
        return not shared[g, chosen].any()

    def better(w: int, g: int) -> bool:
        if size[g] < LEAST:
            return bool(LEAST <= size[w] <= 2 * size[g] and shared[g, w] == size[g])
        wider = size[g] < size[w] <= min(TIMES * size[g], FEW) and shared[g, w] >= NEARLY * size[g]
        return bool(wider and worth[w] >= AS_GOOD * worth[g])

    for g in order:
        if free(g):
            wider = [w for w in order if better(w, g) and free(w)]
            chosen.append(wider[0] if wider and size[g] < LEAST else max([g, *wider], key=lambda w: size[w]))
            yield chosen[-1]
