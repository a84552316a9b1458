"""How much of what malfunctions is known: precision and recall of all that is called a malfunction, with intervals.

Figures out of fold are about labelled series; what nobody has looked at may hold more malfunctions than all of these.
So a sample of the series that are taken for normal is looked at one by one (an elusion test), and a few of those that
are called a malfunction. The sample is stratified by unlikeness to normal with the same share of each stratum: the
number of malfunctions in it is then no farther from its mean than a binomial number (Hoeffding 1956), so the intervals
of Clopper and Pearson (1934) are conservative for it. What the expert cannot decide counts both ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pydantic import BaseModel, ConfigDict

from tsclust.arrays import Bools, UInt64s

LEVEL = 0.95  # of an interval
PRECISION_SHARE = 0.01  # of the 5 % that recall may err in, for the number of true ones; the rest is for missed ones
WIDE = 0.2  # an interval that is wider than that says how many more looks would narrow it
CHECK_SEED = 17  # of the hashes that stand for ids
LARGEST_SHEET = 1_000
MOST = 1_000_000  # looks that are thought of

Interval = tuple[float, float]
UNKNOWN: Interval = (0.0, 1.0)


@dataclass(frozen=True)
class Tally:
    """Of `series`, `looked` were looked at: `hits` of them are malfunctions, `undecided` may be."""

    series: int
    looked: int = 0
    hits: int = 0
    undecided: int = 0

    def share(self, level: float) -> Interval:
        """Clopper and Pearson's interval of the share of malfunctions; exact where all were looked at."""
        if self.looked >= self.series:
            total = max(self.series, 1)
            return self.hits / total, (self.hits + self.undecided) / total
        return clopper_pearson(self.hits, self.looked, level)[0], clopper_pearson(
            self.hits + self.undecided, self.looked, level
        )[1]

    @property
    def likely(self) -> float | None:
        """The share of malfunctions among those decided; None where there is none."""
        decided = self.looked - self.undecided
        return self.hits / decided if decided else None

    def grown(self, times: float) -> Tally:
        """As if so many times as many had been looked at, and as many of them been malfunctions."""
        looked = min(round(self.looked * times), self.series)
        scale = looked / max(self.looked, 1)
        return Tally(self.series, looked, round(self.hits * scale), round(self.undecided * scale))


@dataclass(frozen=True)
class Check:
    """What an expert found in a check of scores.

    normal   of the series taken for normal, and not looked at one by one before;  called: of those called a malfunction
    known    malfunctions that were looked at one by one before the check
    hashes   (n,) of the ids of all that was called a malfunction, ascending
    cleared  (m,) of the ids of series that somebody looked at and says are none, ascending
    made_at  when the scores were made
    """

    normal: Tally
    called: Tally
    known: int
    hashes: UInt64s
    cleared: UInt64s
    made_at: str


@dataclass(frozen=True)
class Moves:
    """Series that a new model, or new labels, call a malfunction and the scores of the check did not; the reverse."""

    joined: int = 0
    left: int = 0

    def __add__(self, other: Moves) -> Moves:
        return Moves(self.joined + other.joined, self.left + other.left)


class Quality(BaseModel):
    """What a check says of all that is called a malfunction now.

    recall, precision    95 % intervals; `likely_...` the likeliest value, None where nothing was looked at
    taken, looked, missed, undecided    series taken for normal; of them looked at, malfunctions, not decided
    called, called_looked, called_right the same of those called a malfunction
    more                 looks after which recall would be known to WIDE; None: it is, or none was looked at
    made_at              when the scores were made that were checked, "" for no check
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    recall: Interval = UNKNOWN
    likely_recall: float | None = None
    precision: Interval = UNKNOWN
    likely_precision: float | None = None
    taken: int = 0
    looked: int = 0
    missed: int = 0
    undecided: int = 0
    called: int = 0
    called_looked: int = 0
    called_right: int = 0
    more: int | None = None
    made_at: str = ""

    @property
    def sheet(self) -> int:
        """Series of a sheet that is large enough: a model that has learned since is asked about anew."""
        return min(self.looked + self.called_looked + (self.more or 0), LARGEST_SHEET)


@lru_cache(maxsize=4_096)
def clopper_pearson(hits: int, looked: int, level: float) -> Interval:
    """The exact interval of a share of which `hits` of `looked` were drawn."""
    if not looked:
        return UNKNOWN
    from scipy.stats import binomtest  # half a second to import

    found = binomtest(hits, looked).proportion_ci(level, "exact")
    return float(found.low), float(found.high)


def moves(check: Check, hashes: UInt64s, called: Bools) -> Moves:
    """Of series with these hashes (n,), of which the `called` ones (n,) are called a malfunction now."""
    before = np.isin(hashes, check.hashes)
    left = before & ~called & ~np.isin(hashes, check.cleared)
    return Moves(int(np.count_nonzero(called & ~before)), int(np.count_nonzero(left)))


def estimate(check: Check, moves: Moves = Moves()) -> Quality:
    """Recall and precision of what is called a malfunction, `moves` after the check."""
    normal, called = check.normal, check.called
    recall = interval_of_recall(check, normal, called, moves)
    likely, missed = called.likely, normal.likely
    true = None if likely is None and called.series else check.known + called.series * (likely or 0.0)
    both = None if true is None or missed is None else true + normal.series * missed
    share = None if both is None or true is None else round(true / max(both, 1e-300), 4)
    return Quality(
        recall=_rounded(recall), likely_recall=share,
        precision=_rounded(called.share(LEVEL)), likely_precision=None if likely is None else round(likely, 4),
        taken=normal.series, looked=normal.looked, missed=normal.hits, undecided=normal.undecided,
        called=called.series, called_looked=called.looked, called_right=called.hits,
        more=_more(check, moves),
        made_at=check.made_at,
    )  # fmt: skip


def interval_of_recall(check: Check, normal: Tally, called: Tally, moves: Moves) -> Interval:
    """From the ends of two intervals that hold together with LEVEL (Bonferroni). A series that has joined may be a true
    one, one that has left may have been."""
    fewest, most = (check.known + called.series * end for end in called.share(1 - PRECISION_SHARE))
    least, largest = (normal.series * end for end in normal.share(LEVEL + PRECISION_SHARE))
    low = max(fewest - moves.left, 0.0) / max(fewest + largest, 1e-300)
    high = (most + moves.joined) / max(most + least, 1e-300)
    return min(low, 1.0), min(high, 1.0)


def _more(check: Check, moves: Moves) -> int | None:
    """How many more looks make the interval narrow, if these find what the first did."""
    looked = check.normal.looked + check.called.looked
    times, most = 1.0, min(MOST, check.normal.series + check.called.series) / max(looked, 1)

    def wide() -> bool:
        grown = check.normal.grown(times), check.called.grown(times)
        return _width(interval_of_recall(check, *grown, moves)) > WIDE

    if not looked or not wide():
        return None
    while times < most and wide():
        times *= 1.2
    return max(int(np.ceil(min(times, most) * looked / 10) * 10) - looked, 1)


def _width(interval: Interval) -> float:
    return interval[1] - interval[0]


def _rounded(interval: Interval) -> Interval:
    """Outwards."""
    return float(np.floor(interval[0] * 1e4) / 1e4), float(np.ceil(interval[1] * 1e4) / 1e4)
