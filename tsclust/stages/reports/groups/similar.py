"""Which groups are like which: their middles lie near each other, or they have members in common."""

from __future__ import annotations

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.reports.data import Near
from tsclust.stages.reports.groups.sample import Sample
from tsclust.stages.reports.groups.unusual import NormalReference

NEAREST = 3


def middles(drawn: Sample, reference: NormalReference) -> Floats:
    """(g, d) of each group: the mean deviation of its members from what is usual for them, far ones by logarithm."""
    shaped = np.nan_to_num(reference.log_deviations(drawn.x, drawn.keys))  # NaN: of those that a rule rejects
    members = drawn.inside.astype(np.float64)
    found: Floats = (members.T @ shaped) / np.maximum(members.sum(axis=0), 1)[:, None]
    return found


def nearest(names: list[str], middle: Floats, shared: Int64s, sizes: Int64s) -> list[tuple[Near, ...]]:
    """For each of g groups the few nearest others; middle (g, d), shared (g, g), sizes (g,)."""
    if len(names) < 2:
        return [()] * len(names)
    away = ((middle[:, None] - middle[None]) ** 2).sum(axis=2)
    np.fill_diagonal(away, np.inf)
    order = np.argsort(away, axis=1, kind="stable")[:, : min(NEAREST, len(names) - 1)]
    return [
        tuple(Near(names[other], float(shared[one, other] / max(sizes[one], 1))) for other in others)
        for one, others in enumerate(order.tolist())
    ]
