"""Ways of being normal that may be none: regimes that no column names, and machines that differ from all others.

Series are compared within their regime and their machine, so no group shows what sets one of these apart as a whole. A
kind of malfunction that makes up more than 5 % may have become a regime, a machine that was always worn is its own
normal: whoever knows the machines is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tsclust.arrays import Floats, Int64s
from tsclust.series import keys
from tsclust.stages.features.reference import center_and_spread
from tsclust.stages.reports.charts import curves
from tsclust.stages.reports.data import Part
from tsclust.stages.reports.groups.cards import curves_drawn
from tsclust.stages.reports.groups.own_normal import OwnNormals
from tsclust.stages.reports.groups.unusual import NormalReference, stands_out

MACHINES = 10  # of fewer it is not known how they usually differ
ODD = 6.0  # robust deviations, of machines or, where that is more, on each: beyond that one differs as a whole
MOST = 6  # machines


def ways(normals: OwnNormals, reference: NormalReference, baseline: Sequence[str]) -> tuple[Part, ...]:
    """Every regime, the most frequent first, then the machines that differ most. What most series do is not unusual."""
    return (*_regimes(normals, reference), *_machines(normals, reference, baseline))


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


def _machines(normals: OwnNormals, reference: NormalReference, baseline: Sequence[str]) -> Iterator[Part]:
    """Of each column of the baseline the values that differ most from the others, where all other columns are equal."""
    drawn, scaler = normals.drawn, reference.scaler
    rows = np.flatnonzero(drawn.normal & (scaler.rows(drawn.keys) > 0))
    own, first, key = np.unique(drawn.keys[rows], return_index=True, return_inverse=True)
    if len(own) < MACHINES:
        return
    centers, within = scaler.centers[scaler.rows(own)], np.median(scaler.spreads[scaler.rows(own)], axis=0)
    carried = pl.DataFrame(drawn.table.select(list(baseline)).take(rows[first]))
    for column in baseline:
        value, beside = _numbered(carried, [column]), _numbered(carried, [name for name in baseline if name != column])
        usual = _medians(centers, beside)[beside]
        effects = _medians(centers - usual, value)
        center, spread = center_and_spread(effects, within)
        against = _with_normal(reference, center + np.median(usual, axis=0), spread)
        away = np.abs((effects - center) / spread).max(axis=1) if len(effects) >= MACHINES else np.zeros(len(effects))
        for at in np.argsort(-away, kind="stable")[:MOST][np.sort(-away)[:MOST] <= -ODD]:
            there = value[key] == at
            moved = drawn.x[rows[there]] - usual[key[there]] + np.median(usual, axis=0)
            yield replace(_way(normals, rows[there], moved, there.sum() / drawn.normal.sum(), against), name=column)


def _medians(x: Floats, of: npt.NDArray[np.intp]) -> Floats:
    """(g, d) of each set of the rows of x (n, d)."""
    return np.stack([np.median(x[of == i], axis=0) for i in range(of.max() + 1)])


def _numbered(carried: pl.DataFrame, columns: Sequence[str]) -> npt.NDArray[np.intp]:
    """(n,) the set of each row by these columns, from 0 on; one set without columns."""
    if not columns:
        return np.zeros(len(carried), np.intp)
    sets: npt.NDArray[np.intp] = np.unique(keys(carried.select(columns)), return_inverse=True)[1]
    return sets


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
