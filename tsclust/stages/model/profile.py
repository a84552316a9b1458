"""How the features of series are distributed, machine by machine: counts of deviations in bins, of refused and of
impossible series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Bools, Floats, Int64s, Keys

EDGES = np.array([-3.0, -2.0, -1.28, -0.67, 0.0, 0.67, 1.28, 2.0, 3.0])  # of bins, in robust deviations


BINS = len(EDGES) + 1


MOST = 10_000  # machines that are told apart: 2.4 KB each


NOBODY = np.zeros(0, "<U1")


ALL = "\x1f"  # stands for all machines together: no machine is called so


@dataclass(frozen=True)
class FeatureProfile:
    """How d features of m machines are distributed, sorted by name: counts (m, d, BINS) of series, refused (m,) of them
    got no answer; rejected (m,) series more are impossible."""

    machines: Keys
    counts: Int64s
    refused: Int64s
    rejected: Int64s

    @classmethod
    def from_deviations(cls, z: Floats, machine: Keys, refused: Bools, rejected: Keys = NOBODY) -> FeatureProfile:
        """Of n series with deviations z (n, d): machine and refused (n,). rejected: machine of each impossible one."""
        machines, at = np.unique(np.concatenate([machine, rejected]), return_inverse=True)
        own, out = at[: len(machine)], at[len(machine) :]
        refusals, impossible = (np.bincount(rows, minlength=len(machines)) for rows in (own[refused], out))
        return cls(machines, count(z, own, len(machines)), refusals, impossible)

    @classmethod
    def empty(cls, d: int) -> FeatureProfile:
        """Of no series."""
        zero = np.zeros(0, np.int64)
        return cls(NOBODY, np.zeros((0, d, BINS), np.int64), zero, zero)

    @property
    def rows(self) -> Int64s:
        """(m,) series of each machine."""
        rows: Int64s = self.counts[:, 0].sum(axis=-1)
        return rows

    def __add__(self, other: FeatureProfile) -> FeatureProfile:
        machines, at = np.unique(np.concatenate([self.machines, other.machines]), return_inverse=True)
        names = ("counts", "refused", "rejected")
        both = [np.concatenate([getattr(self, name), getattr(other, name)]) for name in names]
        sums = [np.zeros((len(machines), *one.shape[1:]), np.int64) for one in both]
        for total, one in zip(sums, both, strict=True):
            np.add.at(total, at, one)
        return FeatureProfile(machines, *sums)

    def bounded(self) -> FeatureProfile:
        """More than MOST machines are not told apart, whatever the order in which they came."""
        many = len(self.machines) > MOST or (ALL in self.machines.tolist() and len(self.machines) > 1)
        return self.whole() if many else self

    def whole(self) -> FeatureProfile:
        """All machines as one, which is called ALL."""
        sums = (one.sum(axis=0)[None] for one in (self.counts, self.refused, self.rejected))
        return FeatureProfile(np.array([ALL]), *sums)

    def of_machine(self, machine: str) -> FeatureProfile:
        """Of this one, or of ALL together, as one."""
        first, last = (int(np.searchsorted(self.machines, machine, side)) for side in ("left", "right"))
        mine = slice(None) if machine == ALL else slice(first, last)
        return FeatureProfile(self.machines[mine], self.counts[mine], self.refused[mine], self.rejected[mine]).whole()

    def counts_of(self, machine: str) -> Int64s:
        """(d, BINS) of a machine, or of ALL together."""
        found: Int64s = self.of_machine(machine).counts[0]
        return found

    def shares_of(self, machine: str) -> tuple[float, float]:
        """Of a machine, or of ALL: (refused of the possible series, rejected of all)."""
        mine = self.of_machine(machine)
        rows, refused, rejected = (int(one[0]) for one in (mine.rows, mine.refused, mine.rejected))
        return refused / max(rows, 1), rejected / max(rows + rejected, 1)


def count(z: Floats, group: npt.NDArray[np.intp], groups: int) -> Int64s:
    """(groups, d, BINS) how many of z (n, d) lie in each bin; group (n,). What lies on an edge is below it."""
    counts = np.zeros((groups, z.shape[1], BINS), np.int64)
    for j in range(z.shape[1]):
        at = group * BINS + np.searchsorted(EDGES, z[:, j])
        counts[:, j] = np.bincount(at, minlength=groups * BINS).reshape(groups, BINS)
    return counts
