"""How far the members of a group are from what is usual for each one's own machine or regime, along the run."""

from __future__ import annotations

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.reports.charts import curves
from tsclust.stages.reports.data import Apart, Band, Curve, Line
from tsclust.stages.reports.groups.own_normal import EDGES, REACHED, OwnNormals
from tsclust.stages.reports.groups.sample import MEMBERS_DRAWN


def apart(normals: OwnNormals, rows: Int64s, typical: int) -> Apart | None:
    """Of the members `rows`, the first of whose machines is that of `typical`; None where it has no usual curve."""
    if normals.usual(int(normals.own[typical])) is None:
        return None
    members = normals.known(rows)
    normal = np.flatnonzero(normals.drawn.normal & np.isin(normals.own, normals.own[members]))[:MEMBERS_DRAWN]
    first, (line,) = _apart(normals, np.array([typical]))
    at = range(first, first + len(line))
    values = tuple(None if np.isnan(v) else float(v) for v in line)
    own = Line((at[0], at[-1]), (0.0, 0.0))
    return Apart(
        _band(normals, members, curves.COMMON), _band(normals, normal, REACHED), Curve("", -first, values, (), own)
    )


def _band(normals: OwnNormals, rows: Int64s, common: float) -> Band:
    """Where 90 % of their differences lie, as far as `common` of them reach."""
    if not len(rows):
        return Band((), (), ())
    first, matrix = _apart(normals, rows)
    at, (low, high) = curves.edges(matrix, EDGES, common)
    return Band(tuple((at + first).tolist()), tuple(low.tolist()), tuple(high.tolist()))


def _apart(normals: OwnNormals, rows: Int64s) -> tuple[int, Floats]:
    """(first, (n, t)): the series less the usual curve of each one's own machine; NaN is missing."""
    drawn = normals.drawn
    first, matrix = curves.aligned(drawn.block, rows, drawn.starts[rows])
    at = np.arange(matrix.shape[1]) + first
    machines, which = normals.machines_of(rows)
    usual = np.stack([np.interp(at, machine.at, machine.values) for machine in machines])
    return first, matrix - usual[which]
