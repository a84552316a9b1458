"""How the features of series are distributed, machine by machine: counts of deviations in bins, of series that are
unlike normal in all, of refused and of impossible ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Bools, Floats, Int64s, Keys

# Edges of bins are quantiles of what was trained on: far out, where a few series lie, as in the middle, where most do.
QUANTILES = np.array([0.0, 0.002, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.998, 1.0])
LEVELS = np.array([0.9, 0.97, 0.99, 0.997, 1.0])  # quantiles of `unlikeness`
BINS = len(QUANTILES) + 1
BAND = 2.0  # deviations of a feature that count nothing in unlikeness
SAMPLE = 100_000  # series that quantiles are taken from
MOST = 10_000  # machines that are told apart: 2.8 KB each
NOBODY = np.zeros(0, "<U1")
ALL = "\x1f"  # stands for all machines together: no machine is called so


@dataclass(frozen=True)
class Bins:
    """edges (d, BINS - 1) of the deviations of d features, ascending; levels (LEVELS,) of unlikeness."""

    edges: Floats
    levels: Floats

    @classmethod
    def of(cls, z: Floats) -> Bins:
        """From deviations z (n, d) of series that were trained on; of none, all zero."""
        if not len(z):
            return cls(np.zeros((z.shape[1], BINS - 1)), np.zeros(len(LEVELS)))
        edges = np.quantile(z, QUANTILES, axis=0, method="higher").T
        return cls(np.ascontiguousarray(edges), np.quantile(unlikeness(z), LEVELS, method="higher"))


@dataclass(frozen=True)
class FeatureProfile:
    """How d features of m machines are distributed, sorted by name: counts (m, d, BINS) of series, refused (m,) of them
    got no answer; rejected (m,) series more are impossible. unlike (m, LEVELS): series whose unlikeness is above each.
    """

    bins: Bins
    machines: Keys
    counts: Int64s
    unlike: Int64s
    refused: Int64s
    rejected: Int64s

    @classmethod
    def from_deviations(
        cls, bins: Bins, z: Floats, machine: Keys, refused: Bools, rejected: Keys = NOBODY
    ) -> FeatureProfile:
        """Of n series with deviations z (n, d): machine and refused (n,). rejected: machine of each impossible one."""
        machines, at = np.unique(np.concatenate([machine, rejected]), return_inverse=True)
        own, out = at[: len(machine)], at[len(machine) :]
        refusals, impossible = (np.bincount(rows, minlength=len(machines)) for rows in (own[refused], out))
        far, over = unlikeness(z), np.zeros((len(machines), len(LEVELS)), np.int64)
        for column, level in enumerate(bins.levels):
            over[:, column] = np.bincount(own[far > level], minlength=len(machines))
        return cls(bins, machines, count(bins.edges, z, own, len(machines)), over, refusals, impossible)

    @classmethod
    def empty(cls, bins: Bins) -> FeatureProfile:
        """Of no series."""
        zero = np.zeros(0, np.int64)
        counts = np.zeros((0, len(bins.edges), BINS), np.int64)
        return cls(bins, NOBODY, counts, np.zeros((0, len(LEVELS)), np.int64), zero, zero)

    @property
    def rows(self) -> Int64s:
        """(m,) series of each machine."""
        rows: Int64s = self.counts[:, 0].sum(axis=-1)
        return rows

    @property
    def _numbers(self) -> tuple[Int64s, ...]:
        return self.counts, self.unlike, self.refused, self.rejected

    def __add__(self, other: FeatureProfile) -> FeatureProfile:
        machines, at = np.unique(np.concatenate([self.machines, other.machines]), return_inverse=True)
        both = [np.concatenate(one) for one in zip(self._numbers, other._numbers, strict=True)]
        sums = [np.zeros((len(machines), *one.shape[1:]), np.int64) for one in both]
        for total, one in zip(sums, both, strict=True):
            np.add.at(total, at, one)
        return FeatureProfile(self.bins, machines, *sums)

    def bounded(self) -> FeatureProfile:
        """More than MOST machines are not told apart, whatever the order in which they came."""
        many = len(self.machines) > MOST or (ALL in self.machines.tolist() and len(self.machines) > 1)
        return self.whole() if many else self

    def whole(self) -> FeatureProfile:
        """All machines as one, which is called ALL."""
        return FeatureProfile(self.bins, np.array([ALL]), *(one.sum(axis=0)[None] for one in self._numbers))

    def without(self, machines: Collection[str]) -> FeatureProfile:
        """Of all but these."""
        return self._taken(~np.isin(self.machines, list(machines)))

    def aligned(self, machines: Keys) -> FeatureProfile:
        """Of exactly these machines (m,), in this order; of one that is not there, no series."""
        if not len(self.machines):
            nothing = (np.zeros((len(machines), *one.shape[1:]), np.int64) for one in self._numbers)
            return FeatureProfile(self.bins, machines, *nothing)
        at = np.minimum(np.searchsorted(self.machines, machines), len(self.machines) - 1)
        there = self.machines[at] == machines
        taken = (one[at] * there.reshape(-1, *[1] * (one.ndim - 1)) for one in self._numbers)
        return FeatureProfile(self.bins, machines, *taken)

    def of_machine(self, machine: str) -> FeatureProfile:
        """Of this one, or of ALL together, as one."""
        first, last = (int(np.searchsorted(self.machines, machine, side)) for side in ("left", "right"))
        return self._taken(slice(None) if machine == ALL else slice(first, last)).whole()

    def _taken(self, rows: Bools | slice) -> FeatureProfile:
        return FeatureProfile(self.bins, self.machines[rows], *(one[rows] for one in self._numbers))

    def counts_of(self, machine: str) -> Int64s:
        """(d, BINS) of a machine, or of ALL together."""
        found: Int64s = self.of_machine(machine).counts[0]
        return found

    def shares_of(self, machine: str) -> tuple[float, float]:
        """Of a machine, or of ALL: (refused of the possible series, rejected of all)."""
        mine = self.of_machine(machine)
        rows, refused, rejected = (int(one[0]) for one in (mine.rows, mine.refused, mine.rejected))
        return refused / max(rows, 1), rejected / max(rows + rejected, 1)


def count(edges: Floats, z: Floats, group: npt.NDArray[np.intp], groups: int) -> Int64s:
    """(groups, d, BINS) how many of z (n, d) lie in each bin; group (n,). What lies on an edge is below it."""
    counts = np.zeros((groups, z.shape[1], BINS), np.int64)
    for j in range(z.shape[1]):
        at = group * BINS + np.searchsorted(edges[j], z[:, j])
        counts[:, j] = np.bincount(at, minlength=groups * BINS).reshape(groups, BINS)
    return counts


def unlikeness(z: Floats) -> Floats:
    """(n,) how far deviations z (n, d) are from normal in all: the root mean square, over features, of the logarithm of
    what exceeds BAND. 0: nothing does. A series in which many features are a little off is as unlike as one in which
    few are far off."""
    over = np.log1p(np.maximum(np.abs(z) - BAND, 0.0))
    found: Floats = np.sqrt((over**2).mean(axis=1)) if z.shape[1] else np.zeros(len(z))
    return found
