"""Whether series are still what a classifier learned from: how features of each machine were distributed, and are now.

The measure is the population stability index, sum of (now - then) log(now / then) over bins of a feature, which are
steps of its robust deviation from what is usual for the machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.model.profile import BINS, FeatureProfile

SHIFTED = 0.25  # an index above it is a major change (Siddiqi 2006)
ENOUGH = 50  # series of a machine, or of a month of it: fewer tell nothing of how a feature is distributed
FEW = 5  # series that are enough for how often something happens: of fewer a single one is a large share
PRIOR = 0.5  # series more in each bin: an empty one must not be infinitely much (Jeffreys)
CHANCES = 1e-3  # of a false alarm in all machines together: a share that is larger than they explain is no chance,
LEAST = 0.01  # a share that is smaller is not known so well: a machine's first bad recording is no change of it
MORE = 0.1  # and by so much it has to be larger: machines differ in how often they fail
# The index of series drawn anew is about chi-square of BINS - 1 degrees by their number: its mean and 6 deviations.
CHANCE = BINS - 1 + 6 * math.sqrt(2 * (BINS - 1))


@dataclass(frozen=True)
class Shift:
    """A feature whose index is `index`."""

    feature: str
    index: float


@dataclass(frozen=True)
class Changed:
    """A machine, None for all together, that is not what it was.

    shifts    the features whose distribution has shifted, most first
    refused   the share of its possible series that got no answer; refused_more: whether that is more than it was
    rejected  the share of its series that are impossible; rejected_more: whether that is more than it was
    last      whether it is so in the last weeks alone, and all series together are as they were
    since     the month from which on it is so, like 2024-03; None where no column of times says
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


@dataclass(frozen=True)
class Drift:
    """What is not as it was when the model was trained; a machine is None for all together.

    found       whether anything has changed;  changed: what has
    unknown     machines that training has not seen: judged only by their shares, of what all had in training
    rates_only  machines judged only by their shares, as they have fewer than ENOUGH series
    unjudged    machines not judged at all, as they have fewer than FEW
    """

    found: bool
    changed: tuple[Changed, ...]
    unknown: tuple[str, ...]
    rates_only: tuple[str | None, ...] = ()
    unjudged: tuple[str | None, ...] = ()


def index(now: Int64s, then: Int64s) -> Floats:
    """(..., d) the index of counts (..., d, BINS) against (d, BINS), less what chance may make of so few on either
    side; 0 for fewer than ENOUGH of `now`."""
    rows, before = now.sum(axis=-1), then.sum(axis=-1)
    a = (now + PRIOR) / (rows + PRIOR * BINS)[..., None]
    b = (then + PRIOR) / (before + PRIOR * BINS)[..., None]
    chance = CHANCE * (1 / np.maximum(rows, 1) + 1 / np.maximum(before, 1))
    found: Floats = np.where(rows >= ENOUGH, np.maximum(((a - b) * np.log(a / b)).sum(axis=-1) - chance, 0.0), 0.0)
    return found


def shifts(now: Int64s, then: Int64s, names: Sequence[str]) -> tuple[Shift, ...]:
    """The features of counts (d, BINS) that have shifted, most first."""
    found = index(now, then)
    order = np.argsort(-found, kind="stable")
    return tuple(Shift(names[j], round(float(found[j]), 4)) for j in order if found[j] > SHIFTED)


def since(months: FeatureProfile, then: Int64s, refused: float, rejected: float) -> str | None:
    """Of series by their months (in the place of machines): that from which on, without a break, some feature is
    shifted or more are refused or rejected than these shares; None where the last month that tells anything is as it
    was."""
    shifted, rows, all_ = index(months.counts, then).max(axis=-1) > SHIFTED, months.rows, months.rows + months.rejected
    first = None
    for at in np.flatnonzero(all_ >= FEW)[::-1].tolist():
        more = too_many(int(months.refused[at]), int(rows[at]), refused)
        if shifted[at] or more or too_many(int(months.rejected[at]), int(all_[at]), rejected):
            first = str(months.machines[at])
        elif rows[at] >= ENOUGH:
            break
    return first


def too_many(refused: int, rows: int, share: float, machines: int = 1) -> bool:
    """Whether many more of the rows are refused than the `share` that was when it learned: more than the binomial
    distribution gives `machines` machines by chance."""
    from scipy.stats import binom  # half a second to import; who reads the facts of scores/ does without

    by_chance = binom.sf(refused - 1, rows, max(share, LEAST)) * machines
    return rows >= FEW and refused > (share + MORE) * rows and bool(by_chance < CHANCES)
