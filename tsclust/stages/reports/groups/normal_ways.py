"""Ways of being normal that may be none: regimes that no column names, and machines that differ from all others.

Series are compared within their regime and their machine, so no group shows what sets one of these apart as a whole. A
kind of malfunction that makes up more than 5 % may have become a regime, a machine that was always worn is its own
normal: whoever knows the machines is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Floats, Int64s
from tsclust.stages.features.reference import center_and_spread
from tsclust.stages.reports.charts import curves
from tsclust.stages.reports.data import Part
from tsclust.stages.reports.groups.cards import curves_drawn
from tsclust.stages.reports.groups.own_normal import OwnNormals
from tsclust.stages.reports.groups.unusual import NormalReference, stands_out

MACHINES = 10  # of fewer it is not known how they usually differ
ODD = 6.0  # robust deviations, of machines or, where that is more, on each: beyond that one differs as a whole
MOST = 6  # machines


def ways(normals: OwnNormals, reference: NormalReference) -> tuple[Part, ...]:
    """Every regime, the most frequent first, then the machines that differ most. What most series do is not unusual."""
    return (*_regimes(normals, reference), *_machines(normals, reference))


def _regimes(normals: OwnNormals, reference: NormalReference) -> list[Part]:
    drawn, scaler = normals.drawn, reference.scaler
    if scaler.regimes is None:
        return []
    rows, r = np.flatnonzero(drawn.normal), len(scaler.regimes.places)
    first = 1 if scaler.cells is None else len(scaler.keys)
    which = np.where(normals.own[rows] >= first, (normals.own[rows] - first) % r, -1)
    x = drawn.x[rows] - (0 if scaler.offsets is None else scaler.offsets[scaler.rows(drawn.keys[rows])])
    found = [
        _way(normals, rows[which == i], x[which == i], (which == i).mean(), _against(reference, x[which != i]))
        for i in range(r)
        if 0 < (which == i).sum() < len(rows)
    ]
    return [way if way.share < 0.5 else replace(way, unusual=()) for way in sorted(found, key=lambda way: -way.share)]


def _machines(normals: OwnNormals, reference: NormalReference) -> Iterator[Part]:
    drawn, scaler = normals.drawn, reference.scaler
    machines = slice(1, len(scaler.keys))
    if (scaler.regimes is not None and scaler.cells is None) or len(scaler.keys) <= MACHINES:
        return
    centers, within = scaler.centers[machines], np.median(scaler.spreads[machines], axis=0)
    center, spread = center_and_spread(centers, within)
    away = np.abs((centers - center) / spread).max(axis=1)
    for at in np.argsort(-away, kind="stable")[:MOST]:
        rows = np.flatnonzero(drawn.normal & (drawn.keys == scaler.keys[1 + at]))
        if away[at] >= ODD and len(rows):
            against = _with_normal(reference, center, spread)
            yield replace(
                _way(normals, rows, drawn.x[rows], len(rows) / drawn.normal.sum(), against),
                name=str(scaler.keys[1 + at]),
            )


def _way(normals: OwnNormals, rows: Int64s, x: Floats, share: float, against: NormalReference) -> Part:
    """That of these rows of the series drawn, whose features are x (n, d)."""
    typical = curves.typical_first(against.log_deviations(x, _no_keys(x)))[:1]
    return Part(float(share), curves_drawn(normals, rows[typical])[0], stands_out(x, _no_keys(x), against))


def _against(reference: NormalReference, others: Floats) -> NormalReference:
    """What is normal of the others (n, d)."""
    return _with_normal(reference, *center_and_spread(others, reference.scaler.spreads.min(axis=0)))


def _with_normal(reference: NormalReference, center: Floats, spread: Floats) -> NormalReference:
    """The same for all series."""
    scaler = replace(
        reference.scaler, keys=np.array([""]), centers=center[None], spreads=spread[None], regimes=None, offsets=None,
        cells=None,
    )  # fmt: skip
    return replace(reference, scaler=scaler)


def _no_keys(x: Floats) -> npt.NDArray[np.str_]:
    return np.full(len(x), "")
