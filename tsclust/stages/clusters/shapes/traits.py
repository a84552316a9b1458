"""In what the shape of a group differs most from normal, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.clusters.parts import GroupRow, Trait
from tsclust.stages.clusters.shapes.curves import TypicalCurves

LEAST = 0.25  # of what the sweep compares by: less is within the normal band for most members
ALONG_ONE = 0.9  # of the members: then a stretch is where their typical curve has it


@dataclass(frozen=True)
class Shared:
    """Of g groups: along (g, t), how many members are along each typical curve; away (g, d), how far they are from
    normal by the measures, the mean of what the sweep compares."""

    along: Int64s
    away: Floats

    def of(self, groups: slice) -> Shared:
        """Of these groups alone."""
        return Shared(self.along[groups], self.away[groups])


def of(groups: Sequence[GroupRow], shared: Shared, names: tuple[str, ...], found: TypicalCurves) -> list[Trait]:
    """The trait of each of g groups that differs, by what its members share in the measures of these names (d,)."""
    most = np.abs(shared.away).argmax(axis=1).tolist()
    return [
        _trait(row, names[at], bool(own[at] > 0), found, curves)
        for row, own, at, curves in zip(groups, shared.away, most, shared.along, strict=True)
        if abs(own[at]) >= LEAST
    ]


def _trait(row: GroupRow, name: str, more: bool, found: TypicalCurves, along: Int64s) -> Trait:
    measure, _, stretch = name.partition("_")
    curve = int(along.argmax())
    one_curve = along[curve] >= ALONG_ONE * row.size and int(stretch or 0) <= found.stretches[curve]
    if not stretch or not one_curve:
        return Trait(row.k, row.cluster, measure, bool(stretch), more)
    borders = (found.borders[curve] - found.borders[curve, 0]).tolist()
    return Trait(row.k, row.cluster, measure, True, more, borders[int(stretch) - 1], borders[int(stretch)])
