"""What is normal for a series: for its own machine, or its own regime, where there are any.

A band over all machines hides what is to be seen: each has a level of its own. So a group's band is drawn as if all its
members were of the machine of the typical one (charts/transfer.py). A member whose machine has no usual curve has no
place there, and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tsclust.arrays import Int64s
from tsclust.stages.features.reference import MIN_SERIES
from tsclust.stages.reports.charts import curves
from tsclust.stages.reports.charts.transfer import Usual, transferred
from tsclust.stages.reports.data import Band, Line
from tsclust.stages.reports.groups.sample import MEMBERS_DRAWN, Sample
from tsclust.stages.reports.groups.unusual import NormalReference

USUAL_DRAWN = 100  # the most normal series that a usual curve is taken from
REACHED = 0.5  # of them have the samples it is drawn at: those that run on longer are not what is usual
KNOWN = 0.5  # of the members, at least, have a usual curve of their own: a band of fewer is not theirs
EDGES = (0.05, 0.95)  # of a band


def band_of(drawn: Sample, rows: Int64s, common: float = curves.COMMON) -> Band:
    """Where 90 % of these rows of the drawn series lie, as far as `common` of them reach; nowhere for no rows."""
    if not len(rows):
        return Band((), (), ())
    at, (low, high) = curves.quantiles(drawn.block, rows, drawn.starts[rows], EDGES, common)
    return Band(tuple(at.tolist()), tuple(low.tolist()), tuple(high.tolist()))


@dataclass(frozen=True)
class OwnNormals:
    """own (n,): which normal each series drawn is compared with; 0: with all series."""

    drawn: Sample
    own: Int64s
    lines: dict[int, Line | None] = field(default_factory=dict)
    machines: dict[int, Usual] = field(default_factory=dict)

    @classmethod
    def of(cls, drawn: Sample, reference: NormalReference) -> OwnNormals:
        return cls(drawn, reference.scaler.compared_with(drawn.x, drawn.keys).astype(np.int64))

    @classmethod
    def by_key(cls, drawn: Sample) -> OwnNormals:
        """By the baseline alone, for series that cannot be compared."""
        _, which = np.unique(drawn.keys, return_inverse=True)
        return cls(drawn, np.where(drawn.keys != "", 1 + which, 0).astype(np.int64))

    def usual(self, which: int) -> Line | None:
        """The median of the normal series of one machine or regime; None where they are too few."""
        if which not in self.lines:
            self.lines[which] = self._usual(which)
        return self.lines[which]

    def _usual(self, which: int) -> Line | None:
        rows = self._normal(which)[:USUAL_DRAWN]
        if len(rows) < MIN_SERIES:
            return None
        at, (middle,) = curves.quantiles(self.drawn.block, rows, self.drawn.starts[rows], (0.5,), REACHED)
        return Line(tuple(at.tolist()), tuple(middle.tolist()))

    def known(self, rows: Int64s) -> Int64s:
        """Those of the series `rows` whose machine or regime has a usual curve."""
        own = self.own[rows]
        return rows[np.isin(own, [which for which in np.unique(own).tolist() if self.usual(which) is not None])]

    def machine(self, which: int) -> Usual:
        """Of one that has a usual curve: what is known of that, found out once for all groups."""
        if which not in self.machines and (line := self.usual(which)) is not None:
            self.machines[which] = Usual.of(line)
        return self.machines[which]

    def machines_of(self, rows: Int64s) -> tuple[list[Usual], Int64s]:
        """The machines of the series `rows`, which have usual curves, and (n,) which of them each one's is."""
        own, which = np.unique(self.own[rows], return_inverse=True)
        return list(map(self.machine, own.tolist())), which

    def _normal(self, which: int) -> Int64s:
        rows = np.flatnonzero(self.drawn.normal & (self.own == which)) if which else np.zeros(0, np.int64)
        return rows[:MEMBERS_DRAWN]

    def bands(self, rows: Int64s, typical: int) -> tuple[Band, Band | None]:
        """Of the members `rows`, as if all were of the machine or regime of the series `typical`, and of its normal
        series; None: compared with all, as where most members have no usual curve of their own."""
        here, known = int(self.own[typical]), self.known(rows)
        if self.usual(here) is None or len(known) < KNOWN * len(rows):
            return band_of(self.drawn, rows), None
        return self._band(known, self.machine(here)), band_of(self.drawn, self._normal(here), REACHED)

    def _band(self, rows: Int64s, there: Usual) -> Band:
        """Where 90 % of these rows lie, as if they were of the machine `there`."""
        first, matrix = curves.aligned(self.drawn.block, rows, self.drawn.starts[rows])
        machines, which = self.machines_of(rows)
        known, (low, high) = curves.edges(transferred(matrix, first, machines, which, there), EDGES)
        return Band(tuple((known + first).tolist()), tuple(low.tolist()), tuple(high.tolist()))
