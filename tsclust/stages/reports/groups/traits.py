"""In what the shape of a group differs -> what is stated of it: what the picture of its card shows, and nothing twice.

A sweep over shapes knows a stretch and a measure that is more than normal, in the direction of the peak and in each
curve's own size. Where normal series have the stretch the picture says more: whether the curve rises there, or falls
less, and on which side of normal it runs. Pictures are in the sign of what is recorded, and so are these words.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tsclust.arrays import Bools, Floats, Int64s
from tsclust.stages.clusters.parts import SHAPES, ClusterRow, GroupPlace, Trait
from tsclust.stages.reports.data import Band, Group
from tsclust.stages.reports.groups.facts import VISIBLE, WHOLE
from tsclust.stages.reports.groups.plateau import JUMPS
from tsclust.stages.reports.groups.sample import Sample
from tsclust.stages.reports.groups.unusual import NormalReference

# What features state as well or better, by the measures of shapes: of the whole curve, and of a stretch.
STATED = {"after": "rest_level", "run": "run_length", "level": WHOLE}
PLACED = ("before", "after", "early", "late", "bump", "dip")  # what they do not: that something is there, and where
CLEAR = 2.0  # half widths of the normal band from its middle: in the picture nobody sees a curve leave it by less
SHORT = 6  # samples: of a shorter stretch the sweep measures the steepest step, not the slope
WITHIN = 0.5  # of a stretch, at least, is in the plateau whose rise a feature has stated


@dataclass(frozen=True)
class Stretch:
    """What the picture shows of a stretch, and one sample beside: samples after the start, the typical series, the
    middle of the normal band and half its width, each (n,); span: what normal goes through in all."""

    at: Int64s
    value: Floats
    middle: Floats
    half: Floats
    span: float

    @classmethod
    def of(cls, trait: Trait, card: Group, normal: Band) -> Stretch | None:
        """None where the place of the stretch is not known. normal: the band of all normal series, for a card without
        one of its own."""
        if trait.first is None or trait.last is None:
            return None
        typical, band = card.members[0], card.around or normal
        values = {at: value for at, value in enumerate(typical.values, start=-typical.start) if value is not None}
        rows = zip(band.at, band.low, band.high, strict=True)
        near = range(trait.first - 1, trait.last + 2)
        found = [(at, values[at], low, high) for at, low, high in rows if at in near and at in values]
        at, value, low, high = np.array(found, np.float64).reshape(-1, 4).T
        middles = (np.array(band.low) + np.array(band.high)) / 2
        span = float(np.ptp(middles)) if len(middles) else 0.0
        return cls(at.astype(np.int64), value, (low + high) / 2, (high - low) / 2, span)

    @property
    def sides(self) -> list[int]:
        """On which sides of normal the series clearly is, 1 above and -1 below, one after the other."""
        apart = self.value - self.middle
        clear = np.sign(apart[np.abs(apart) > CLEAR * self.half]).astype(int).tolist()
        return [side for side, _ in itertools.groupby(clear)]

    def changes(self, first: int, last: int) -> tuple[float, float]:
        """By how much the series rises from `first` to `last`, and by how much normal does: straight lines through
        them, and where these are SHORT their steepest steps."""
        inside = (self.at >= first) & (self.at <= last)
        change = _steepest if last - first < SHORT else _end_to_end
        now, usual = (change(self.at[inside], one[inside]) for one in (self.value, self.middle))
        return now, usual


def _steepest(at: Int64s, values: Floats) -> float:
    """The largest step up or down of values (n,)."""
    steps = np.diff(values)
    return float(steps[np.abs(steps).argmax()]) if len(steps) else 0.0


def _end_to_end(at: Int64s, values: Floats) -> float:
    """By how much a straight line through values (n,) rises."""
    along = at - at.mean()
    return float((along @ values) / (along @ along) * np.ptp(at)) if len(at) > 1 else 0.0


def trait_of(
    row: ClusterRow,
    traits: Mapping[GroupPlace, Trait],
    card: Group,
    normal: Band,
    plateau: tuple[float, float] = (0.0, 0.0),
) -> Trait | None:
    """What features do not state already; beside their statements only that something is at some place, and is seen.
    plateau: between which samples after the start the members normally have theirs."""
    trait = traits.get((row.within, row.k, row.cluster))
    if trait is None:
        return None
    stretch = Stretch.of(trait, card, normal)
    if card.unusual and not _adds(trait, row, card, stretch, plateau):
        return None
    return as_seen(trait, stretch)


def plateau_of(drawn: Sample, members: Bools, reference: NormalReference) -> tuple[float, float]:
    """Between which samples after the start the members (n,) of the series drawn normally have their plateau; nowhere
    where features do not say so."""
    centers = reference.center_of(drawn.x[members], drawn.keys[members])
    usual = dict(
        zip((feature.name for feature in reference.features), np.median(centers, axis=0).tolist(), strict=True)
    )
    nowhere = {"peak_position": 0.0, "decay_time": 0.0, "run_length": 0.0, "return_time": 0.0}
    peak, decay, run, back = ((nowhere | usual)[name] for name in nowhere)
    return peak + decay, run - back


def as_seen(trait: Trait, stretch: Stretch | None) -> Trait:
    """The trait in the words of the picture, for the measures that leave open what that shows."""
    if stretch is None or trait.first is None or trait.last is None or not len(stretch.at):
        return trait
    if trait.measure == "slope":
        return _inclined(trait, *stretch.changes(trait.first, trait.last), VISIBLE * stretch.span)
    if trait.measure in ("bump", "dip") and trait.more:
        return _beside(trait, stretch.sides)
    return trait


def _adds(trait: Trait, row: ClusterRow, card: Group, stretch: Stretch | None, plateau: tuple[float, float]) -> bool:
    """Whether it says something beside the statements of features."""
    stated = {one.feature for one in card.unusual}
    known = STATED.get(trait.measure) in stated and not trait.of_stretch
    known |= trait.measure == "slope" and not stated.isdisjoint(JUMPS) and _is_inside(trait, plateau)
    placed = trait.measure in PLACED and (trait.first is not None or not trait.of_stretch)
    return (placed or row.within == SHAPES) and not known and _is_seen(stretch)


def _is_inside(trait: Trait, plateau: tuple[float, float]) -> bool:
    """Whether most of its stretch is within the plateau."""
    if trait.first is None or trait.last is None:
        return False
    return min(trait.last, plateau[1]) - max(trait.first, plateau[0]) >= WITHIN * (trait.last - trait.first)


def _is_seen(stretch: Stretch | None) -> bool:
    """Whether the typical series clearly leaves the normal band there; true where that is not known."""
    return stretch is None or not len(stretch.at) or bool(stretch.sides)


def _inclined(trait: Trait, now: float, usual: float, level: float) -> Trait:
    """How it rises or falls, and how normal does, which is level where it changes by no more than `level`."""
    if abs(usual) <= level:
        return replace(trait, measure="inclined", more=now > usual)
    if now * usual < 0 and abs(now) > level:
        return replace(trait, measure="turned", more=now > 0)
    return replace(trait, measure="rise" if usual > 0 else "fall", more=abs(now) > abs(usual))


def _beside(trait: Trait, sides: list[int]) -> Trait:
    """On which side of normal it runs; as it is where that is not clear."""
    if not sides:
        return trait
    return replace(trait, measure=("side", "sides", "around")[min(len(sides), 3) - 1], more=sides[0] > 0)
