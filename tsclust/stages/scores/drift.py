"""What has changed since a classifier learned: the words that scores/ remembers it in, and how sure one has to be.

What counts as an alarm depends on how many series there are on either side (`exact_tests`), on the machines, features
and edges: all of them together raise a false alarm in one run of 1 / CHANCES (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.model.profile import BINS

CHANCES = 1e-3  # of a false alarm in a run
ENOUGH = 100  # series of a machine in training: fewer tell nothing of how its features are distributed
FEW = 5  # series now that are judged: of fewer a single one is a large share
LEAST = 0.01  # a share that is smaller is not known so well: a machine's first bad recording is no change of it
MORE = 0.1  # and by so much it has to be larger: machines differ in how often they fail
MOVED = 0.3  # deviations of a median that are named
PRIOR = 0.5  # series more in each bin: an empty one must not be infinitely much (Jeffreys)


@dataclass(frozen=True)
class Shift:
    """A feature that has shifted.

    index      population stability index: sum of (now - then) log(now / then) over its bins (Siddiqi 2006)
    edge       in robust deviations from what is usual, where the change is clearest; above: whether it is the series
               above it that are more, or those below
    then, now  the share of series beyond the edge;  moved: by how many robust deviations the median has
    """

    feature: str
    index: float
    edge: float = 0.0
    above: bool = True
    then: float = 0.0
    now: float = 0.0
    moved: float = 0.0

    @property
    def is_moved(self) -> bool:
        """Whether people read of the median, rather than of those that lie far out."""
        return abs(self.moved) >= MOVED

    @property
    def is_up(self) -> bool:
        """Whether it is more than in training, by what people read of."""
        return self.moved > 0 if self.is_moved else self.above


@dataclass(frozen=True)
class Changed:
    """A machine, None for all together but those that are named, that is not what it was.

    shifts    the features that have shifted, the clearest first
    refused   the share of its possible series that got no answer; refused_more: whether that is more than it was
    rejected  the share of its series that are impossible; rejected_more: whether that is more than it was
    last      whether it is so in the last days alone, and all series together are as they were;  days: how many days
    since     the day from which on it is so, like 2024-03-12; None where no column of times says
    unlike    the share of its series that is unlike normal, unlike_then: that was in training; unlike_more: whether
              that is more than chance explains
    """

    machine: str | None
    rows: int
    refused: float
    refused_more: bool
    rejected: float
    rejected_more: bool
    shifts: tuple[Shift, ...]
    last: bool = False
    since: str | None = None
    unlike: float = 0.0
    unlike_then: float = 0.0
    unlike_more: bool = False
    days: int = 0


@dataclass(frozen=True)
class Drift:
    """What is not as it was when the model was trained; a machine is None for all together.

    found       whether anything has changed;  changed: what has
    unknown     machines that training has not seen: judged only by their shares, of what all had in training
    rates_only  machines judged only by their shares, as they have too few possible series, now or in training
    unjudged    machines not judged at all, as they have fewer than FEW
    compared    how many series: those that were not trained on; None where the model is of an earlier version
    """

    found: bool
    changed: tuple[Changed, ...]
    unknown: tuple[str, ...]
    rates_only: tuple[str | None, ...] = ()
    unjudged: tuple[str | None, ...] = ()
    compared: int | None = None


def index(now: Int64s, then: Floats) -> Floats:
    """(..., d) the population stability index of counts (..., d, BINS) against (d, BINS)."""
    a = (now + PRIOR) / (now.sum(axis=-1) + PRIOR * BINS)[..., None]
    b = (then + PRIOR) / (then.sum(axis=-1) + PRIOR * BINS)[..., None]
    found: Floats = ((a - b) * np.log(a / b)).sum(axis=-1)
    return found


def too_many(refused: int, rows: int, share: float, level: float = CHANCES) -> bool:
    """Whether many more of the rows are refused than the `share` that was in training: more than the binomial
    distribution gives by chance with the probability `level`."""
    from scipy.stats import binom  # half a second to import; who reads the facts of scores/ does without

    by_chance = binom.sf(refused - 1, rows, max(share, LEAST))
    return rows >= FEW and refused > (share + MORE) * rows and bool(by_chance < level)
