"""In what the shape of a group differs most from normal, for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.clusters.parts import GroupRow, Trait
from tsclust.stages.clusters.shapes.curves import TypicalCurves

ALONG_ONE = 0.9  # of the members: then a stretch is where their typical curve has it


def of(
    groups: Sequence[GroupRow], away: Floats, along: Int64s, names: tuple[str, ...], found: TypicalCurves
) -> list[Trait]:
    """The trait of each of g groups that differs: away (g, d) from normal by the measures of these names (d,), along
    (g, t) how many members are along each typical curve."""
    most = np.abs(away).argmax(axis=1).tolist()
    return [
        _trait(row, names[at], bool(own[at] > 0), found, curves)
        for row, own, at, curves in zip(groups, away, most, along, strict=True)
        if own[at] != 0
    ]


def _trait(row: GroupRow, name: str, more: bool, found: TypicalCurves, along: Int64s) -> Trait:
    measure, _, stretch = name.partition("_")
    curve = int(along.argmax())
    if not stretch or along[curve] < ALONG_ONE * row.size:
        return Trait(row.k, row.cluster, measure, bool(stretch), more)
    borders = (found.borders[curve] - found.borders[curve, 0]).tolist()
    return Trait(row.k, row.cluster, measure, True, more, borders[int(stretch) - 1], borders[int(stretch)])
