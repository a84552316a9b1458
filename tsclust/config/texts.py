"""What texts in settings mean: a sweep, a share, a missing value."""

from __future__ import annotations

import re

# In a column of numbers or times, whatever program wrote it; an empty cell always does.
MISSING = ("NULL", "null", "Null", "NA", "N/A", "n/a", "na", "#N/A", "#N/A N/A", "#NA", "#NV", "<NA>", "None", "none",
           "NaT", "\\N", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN")  # fmt: skip
CLUSTERS = 5_049  # of a sweep: what every two of them share is held in memory: 200 MB


def parse_k(text: str) -> tuple[int, ...]:
    """`2..40` or `2,5,10..20` -> every k, ascending. Raises ValueError on anything else, a k outside 2..200,
    or more than CLUSTERS in all."""
    ks: set[int] = set()
    for piece in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})(?:\s*\.\.\s*(\d{1,4}))?\s*", piece)
        if not match:
            raise ValueError(f"{text!r} is not a sweep: expected for example 2..40 or 2,5,8")
        low, high = int(match[1]), int(match[2] or match[1])
        ks.update(range(low, high + 1))
    if not ks or min(ks) < 2 or max(ks) > 200:
        raise ValueError(f"{text!r}: expected k from 2 to 200, the lower first")
    if sum(ks) > CLUSTERS:
        raise ValueError(f"{text!r} has {sum(ks):,} clusters in all: expected at most {CLUSTERS:,}, as 2..100 has")
    return tuple(sorted(ks))


def parse_share(text: str) -> float:
    """`1%` or `0.01` -> 0.01. Raises ValueError on anything else, or a share outside 0 < share <= 1."""
    match = re.fullmatch(r"\s*(\d*\.?\d+)\s*(%?)\s*", text)
    share = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0 < share <= 1:
        raise ValueError(f"{text!r} is not a share: expected more than 0% and up to 100%, for example 1%")
    return share
