"""How many series a source has, against those that were read from it: what is new, gone, changed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Census:
    """Series of a source now.

    total  of all that is selected
    later  of those beyond the mark that the last reading came to: with higher ids or, `by_watermark`, a newer one;
           None where there is no mark
    """

    total: int
    later: int | None = None
    by_watermark: bool = False
    ids: tuple[str, ...] = ()  # of `later`, as text, where it is by watermark: which are new only those who know tell


@dataclass(frozen=True)
class Difference:
    """Between a source and the series that were read from it: at least so many are new, or gone.

    changed  None where nothing tells;  below: of the new ones, those that the mark does not find
    """

    new: int
    gone: int
    changed: int | None = None
    below: int = 0


def difference(now: Census, known: int, fresh: int = 0) -> Difference:
    """What became of a source from which `known` series were read; fresh: of `now.ids`, those that were not."""
    more = now.total - known
    if now.later is None:
        return Difference(max(more, 0), max(-more, 0))
    if now.by_watermark:
        return Difference(max(fresh, more), max(fresh - more, 0), now.later - fresh)
    return Difference(max(now.later, more), max(now.later - more, 0), None, max(more - now.later, 0))
