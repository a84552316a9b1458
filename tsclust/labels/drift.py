"""Whether series are still what a classifier learned from: how the features of each machine lay, then and now.

The measure is the population stability index, sum of (now - then) log(now / then) over bins of a feature, which are
steps of its robust deviation from what is usual for the machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from tsclust.series import Floats, Int64s

Keys = npt.NDArray[np.str_]
Bools = npt.NDArray[np.bool_]

EDGES = np.array([-3.0, -2.0, -1.28, -0.67, 0.0, 0.67, 1.28, 2.0, 3.0])  # of bins, in robust deviations
BINS = len(EDGES) + 1
SHIFTED = 0.25  # an index above it is a major change (Siddiqi 2006)
ENOUGH = 50  # series of a machine, or of a month of it: fewer tell nothing
PRIOR = 0.5  # series more in each bin: an empty one must not be infinitely much (Jeffreys)
CHANCES = 1e-3  # of a false alarm in all machines together: a share that is larger than they explain is no chance,
MORE = 0.1  # and by so much it has to be larger: machines differ in how often they fail
MOST = 10_000  # machines that are told apart: 2.4 KB each
# The index of series drawn anew is about chi-square of BINS - 1 degrees by their number: its mean and 6 deviations.
CHANCE = BINS - 1 + 6 * math.sqrt(2 * (BINS - 1))
NOBODY = np.zeros(0, "<U1")
ALL = "\x1f"  # stands for all machines together: no machine is called so


@dataclass(frozen=True)
class Lying:
    """How d features of m machines lie, sorted by name: counts (m, d, BINS) of series, refused (m,) of them got no
    answer; rejected (m,) series more are impossible."""

    machines: Keys
    counts: Int64s
    refused: Int64s
    rejected: Int64s

    @classmethod
    def of(cls, z: Floats, machine: Keys, refused: Bools, rejected: Keys = NOBODY) -> Lying:
        """Of n series with deviations z (n, d): machine and refused (n,). rejected: machine of each impossible one."""
        machines, at = np.unique(np.concatenate([machine, rejected]), return_inverse=True)
        own, out = at[: len(machine)], at[len(machine) :]
        refusals, impossible = (np.bincount(rows, minlength=len(machines)) for rows in (own[refused], out))
        return cls(machines, count(z, own, len(machines)), refusals, impossible)

    @classmethod
    def none(cls, d: int) -> Lying:
        """Of no series."""
        zero = np.zeros(0, np.int64)
        return cls(NOBODY, np.zeros((0, d, BINS), np.int64), zero, zero)

    @property
    def rows(self) -> Int64s:
        """(m,) series of each machine."""
        rows: Int64s = self.counts[:, 0].sum(axis=-1)
        return rows

    def __add__(self, other: Lying) -> Lying:
        machines, at = np.unique(np.concatenate([self.machines, other.machines]), return_inverse=True)
        names = ("counts", "refused", "rejected")
        both = [np.concatenate([getattr(self, name), getattr(other, name)]) for name in names]
        sums = [np.zeros((len(machines), *one.shape[1:]), np.int64) for one in both]
        for total, one in zip(sums, both, strict=True):
            np.add.at(total, at, one)
        return Lying(machines, *sums)

    def bounded(self) -> Lying:
        """More than MOST machines are not told apart, whatever the order in which they came."""
        many = len(self.machines) > MOST or (ALL in self.machines.tolist() and len(self.machines) > 1)
        return self.whole() if many else self

    def whole(self) -> Lying:
        """All machines as one, which is called ALL."""
        sums = (one.sum(axis=0)[None] for one in (self.counts, self.refused, self.rejected))
        return Lying(np.array([ALL]), *sums)

    def of_machine(self, machine: str) -> Lying:
        """Of this one, or of ALL together, as one."""
        first, last = (int(np.searchsorted(self.machines, machine, side)) for side in ("left", "right"))
        mine = slice(None) if machine == ALL else slice(first, last)
        return Lying(self.machines[mine], self.counts[mine], self.refused[mine], self.rejected[mine]).whole()

    def counts_of(self, machine: str) -> Int64s:
        """(d, BINS) of a machine, or of ALL together."""
        found: Int64s = self.of_machine(machine).counts[0]
        return found

    def shares_of(self, machine: str) -> tuple[float, float]:
        """Of a machine, or of ALL: (refused of the possible series, rejected of all)."""
        mine = self.of_machine(machine)
        rows, refused, rejected = (int(one[0]) for one in (mine.rows, mine.refused, mine.rejected))
        return refused / max(rows, 1), rejected / max(rows + rejected, 1)


@dataclass(frozen=True)
class Shift:
    """A feature whose index is `index`."""

    feature: str
    index: float


def count(z: Floats, group: npt.NDArray[np.intp], groups: int) -> Int64s:
    """(groups, d, BINS) how many of z (n, d) lie in each bin; group (n,). What lies on an edge is below it."""
    counts = np.zeros((groups, z.shape[1], BINS), np.int64)
    for j in range(z.shape[1]):
        at = group * BINS + np.searchsorted(EDGES, z[:, j])
        counts[:, j] = np.bincount(at, minlength=groups * BINS).reshape(groups, BINS)
    return counts


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


def since(months: Lying, then: Int64s, refused: float, rejected: float) -> str | None:
    """Of series by their months (in the place of machines): that from which on, without a break, some feature is
    shifted or more are refused or rejected than these shares; None where the last month that tells anything is as it
    was."""
    shifted, rows, all_ = index(months.counts, then).max(axis=-1) > SHIFTED, months.rows, months.rows + months.rejected
    first = None
    for at in np.flatnonzero(all_ >= ENOUGH)[::-1].tolist():
        more = too_many(int(months.refused[at]), int(rows[at]), refused)
        if shifted[at] or more or too_many(int(months.rejected[at]), int(all_[at]), rejected):
            first = str(months.machines[at])
        elif rows[at] >= ENOUGH:
            break
    return first


def too_many(refused: int, rows: int, share: float, machines: int = 1) -> bool:
    """Whether many more of the rows are refused than the `share` that was when it learned: more than the binomial
    distribution gives so many machines by chance."""
    by_chance = binom.sf(refused - 1, rows, share) * machines
    return rows >= ENOUGH and refused > (share + MORE) * rows and bool(by_chance < CHANCES)
