"""What the page of what has changed since training shows, as plain values, and how it is made of series that were read.

A machine has two sides: series that the model was trained on, and new ones, from the day on which it has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from tsclust.arrays import Bools, Floats, Int64s
from tsclust.series import SeriesBlock
from tsclust.stages.features.catalogue import NAMES
from tsclust.stages.model.profile import unlikeness
from tsclust.stages.reports.charts import curves
from tsclust.stages.reports.data import Band, Curve, Line
from tsclust.stages.reports.groups.cards import curves_of
from tsclust.stages.reports.groups.facts import TOPICS
from tsclust.stages.reports.made_from import Stage
from tsclust.stages.reports.measured import UNKNOWN, Measured
from tsclust.stages.scores import onset
from tsclust.stages.scores.drift import Changed, Shift
from tsclust.stages.scores.onset import Sign, What
from tsclust.stages.scores.scorer import Scores

MEMBERS = 4  # series that are drawn one by one
FAR = 1e-9
NOWHERE = Band((), (), ())


@dataclass(frozen=True)
class Recordings:
    """n series that were read: table (series_id, carried columns, values), x (n, features): the built-in features."""

    table: pa.Table
    x: Floats

    @property
    def starts(self) -> Int64s:
        """(n,) where each run starts, 0 where that is not known."""
        starts: Int64s = np.nan_to_num(self.x[:, NAMES.index("start")]).astype(np.int64)
        return starts

    def medians(self, rows: Int64s) -> dict[str, float]:
        """Feature -> its median over these rows, of those that have one."""
        known = [(name, self.x[rows, j]) for j, name in enumerate(NAMES)]
        return {name: float(np.nanmedian(values)) for name, values in known if np.isfinite(values).any()}

    def curves(self, rows: Int64s) -> tuple[Curve, ...]:
        return curves_of(self.table.take(pa.array(rows)), self.starts[rows], [None] * len(rows)) if len(rows) else ()


@dataclass(frozen=True)
class Scored:
    """Of n series: keep (n,): whether the rules do; z (n, d): deviations, and refused (n,): whether they got no answer,
    both 0 of those that are not kept."""

    keep: Bools
    z: Floats
    refused: Bools

    @classmethod
    def of(cls, scores: Scores) -> Scored:
        rows = scores.deviations
        z, refused = np.zeros((len(rows.keep), rows.z.shape[1])), np.zeros(len(rows.keep), bool)
        z[rows.keep], refused[rows.keep] = rows.z, scores.refused
        return cls(rows.keep, z, refused)

    @classmethod
    def joined(cls, parts: Sequence[Scored], places: Int64s) -> Scored:
        """Those at these places of all parts, put one after the other."""
        keep, z, refused = (
            np.concatenate([getattr(one, name) for one in parts])[places] for name in ("keep", "z", "refused")
        )
        return cls(keep, z, refused)

    @classmethod
    def none(cls, features: int) -> Scored:
        nothing = np.zeros(0, bool)
        return cls(nothing, np.zeros((0, features)), nothing)

    def showing(self, sign: Sign) -> Bools:
        """(n,) which of them show it."""
        if sign.what == "rejected":
            return ~self.keep
        return self.keep & onset.hits(self.z, self.refused, sign)


@dataclass(frozen=True)
class Side:
    """Series of a machine: how many there are, where 90 % of them lie, their median; some of them, one by one."""

    series: int = 0
    band: Band = NOWHERE
    middle: Line | None = None
    members: tuple[Curve, ...] = ()
    medians: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """In what a machine has changed.

    what, shift  the feature that has shifted; None for all that is not about one
    then, now    shares of series that show it, in training and now
    medians      of the feature in its own unit, in training and now; None where they are not known
    members      some of the new series that show it
    """

    what: What
    shift: Shift | None
    then: float
    now: float
    medians: tuple[float, float] | None
    members: tuple[Curve, ...]


@dataclass(frozen=True)
class MachineDrift:
    """One card. stranger: training does not know the machine, `before` is all the others."""

    changed: Changed
    before: Side
    after: Side
    reasons: tuple[Reason, ...]
    stranger: bool


@dataclass(frozen=True)
class DriftData:
    """Everything the page says.

    origin     where the series came from;  compared: how many of them were held against training
    cards      the machines that have changed;  more: names of those that are not shown
    stage      the scores; None where nothing has changed
    measured   what is recorded, for axes and names
    """

    title: str
    origin: str
    compared: int
    cards: tuple[MachineDrift, ...]
    more: tuple[str | None, ...]
    stage: Stage | None
    measured: Measured = UNKNOWN


def side_of(of: Recordings, series: int, rows: Int64s) -> Side:
    """Of `series` in all, of which these rows were read."""
    if not len(rows):
        return Side(series)
    block, starts = SeriesBlock.from_arrow(of.table), of.starts[rows]
    at, (low, middle, high) = curves.quantiles(block, rows, starts, (0.05, 0.5, 0.95))
    times = tuple(at.tolist())
    band, line = Band(times, tuple(low.tolist()), tuple(high.tolist())), Line(times, tuple(middle.tolist()))
    return Side(series, band, line, of.curves(rows[:MEMBERS]), of.medians(rows))


def signs_of(one: Changed, features: Sequence[str], then: tuple[float, float]) -> Iterator[tuple[Sign, Shift | None]]:
    """What shows that a machine has changed, the clearest first. then: shares in training, (refused, rejected).

    The edge of unlikeness is not remembered: it is where it parts as many of the new series as are unlike normal.
    """
    for shift in stated(one.shifts):
        at = features.index(shift.feature)
        yield Sign(one.machine, "feature", at, shift.edge, shift.above, shift.then, shift.now), shift
    if one.unlike_more:
        yield Sign(one.machine, "unlike", then=one.unlike_then, now=one.unlike), None
    if one.refused_more:
        yield Sign(one.machine, "refused", then=then[0], now=one.refused), None
    if one.rejected_more:
        yield Sign(one.machine, "rejected", then=then[1], now=one.rejected), None


def stated(shifts: Sequence[Shift]) -> tuple[Shift, ...]:
    """One of those that say the same, the plainest that is at least half as clear as the clearest, in their order."""
    same: dict[tuple[str, bool], list[Shift]] = {}
    for shift in shifts:
        same.setdefault(_fact(shift), []).append(shift)
    return tuple(shift for shift in shifts if shift is _plainest(same[_fact(shift)]))


def _fact(shift: Shift) -> tuple[str, bool]:
    """What it says, and that it is more or less of it."""
    return next((topic[0] for topic in TOPICS if shift.feature in topic), shift.feature), shift.is_up


def _plainest(shifts: Sequence[Shift]) -> Shift:
    """Of one topic."""
    clear = [one for one in shifts if one.index >= max(other.index for other in shifts) / 2]
    topic = next((topic for topic in TOPICS if clear[0].feature in topic), (clear[0].feature,))
    return min(clear, key=lambda one: topic.index(one.feature))


def showing(scored: Scored, sign: Sign, rows: Int64s) -> Int64s:
    """Those of these rows that show the sign, in their order."""
    if sign.what == "unlike":
        far = np.where(scored.keep, unlikeness(scored.z), -1.0)[rows]
        most = np.sort(far)[::-1][: max(1, round(sign.now * len(rows)))]
        return rows[far >= max(most[-1], FAR)] if len(rows) else rows
    return rows[scored.showing(sign)[rows]]


def reasons_of(
    signs: Sequence[tuple[Sign, Shift | None]], of: Recordings, scored: Scored, rows: Int64s,
    medians: tuple[dict[str, float], dict[str, float]],
) -> tuple[Reason, ...]:  # fmt: skip
    """rows: of the new series of a machine. medians: of each feature, in training and now."""
    found = []
    for sign, shift in signs:
        both = [one.get(shift.feature) if shift else None for one in medians]
        known = None if None in both else (both[0] or 0.0, both[1] or 0.0)
        members = of.curves(showing(scored, sign, rows)[:MEMBERS])
        found.append(Reason(sign.what, shift, sign.then, sign.now, known, members))
    return tuple(found)
