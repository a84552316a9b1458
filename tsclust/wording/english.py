"""English plurals for messages and notes of the command line. The report's are in its own languages."""

from __future__ import annotations

from math import ceil, floor


def percentages(low: float, high: float) -> str:
    """`42% to 90%` of two shares, rounded outwards; what a float adds to a whole percentage is no reason to."""
    return f"{floor(round(100 * low, 2))}% to {ceil(round(100 * high, 2))}%"


def counted(n: int, one: str, many: str = "") -> str:
    """`1 file`, `1,234 files`: n and the words that go with it; `many` where it is not `one` with an s."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
