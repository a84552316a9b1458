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
OUTSIDE = 1.0  # of these: at the edge of the band, for who is only asked on which side of it
FOUND = 2  # samples, at least, of a stretch that is found by the picture
SHORT = 6  # samples: of a shorter stretch the sweep measures the steepest step, not the slope
WITHIN = 0.5  # of a stretch, at least, is in the plateau whose rise a feature has stated


@dataclass(frozen=True)
class Stretch:
    """What the picture shows of a stretch, and one sample beside, or of the whole run: samples after the start, the
    typical series, the middle of the normal band and half its width, each (n,); span: what normal goes through in all.
    """

    at: Int64s
    value: Floats
    middle: Floats
    half: Floats
    span: float

    @classmethod
    def of(cls, trait: Trait, card: Group, normal: Band) -> Stretch:
        """Of the whole run where the place of the stretch is not known. normal: the band of all normal series, for a
        card without one of its own."""
        typical, band = card.members[0], card.around or normal
        values = {at: value for at, value in enumerate(typical.values, start=-typical.start) if value is not None}
        rows = zip(band.at, band.low, band.high, strict=True)
        near = range(len(typical.values))
        if trait.first is not None and trait.last is not None:
            near = range(trait.first - 1, trait.last + 2)
        found = [(at, values[at], low, high) for at, low, high in rows if at in near and at in values]
        at, value, low, high = np.array(found, np.float64).reshape(-1, 4).T
        middles = (np.array(band.low) + np.array(band.high)) / 2
        span = float(np.ptp(middles)) if len(middles) else 0.0
        return cls(at.astype(np.int64), value, (low + high) / 2, (high - low) / 2, span)

    def side(self, least: float = CLEAR) -> list[int]:
        """(n,) 1 where the series is above normal by so many half widths of the band, -1 below, 0 elsewhere."""
        apart = self.value - self.middle
        sides: list[int] = (np.sign(apart) * (np.abs(apart) > least * self.half)).astype(int).tolist()
        return sides

    def sides(self, least: float = CLEAR) -> list[int]:
        """On which sides of normal the series is, one after the other."""
        return [side for side, _ in itertools.groupby(filter(None, self.side(least)))]

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
    return as_seen(trait, stretch) if _is_open(trait) and len(stretch.at) else trait


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


def _is_open(trait: Trait) -> bool:
    """Whether the measure leaves open what the picture shows."""
    return trait.of_stretch and (trait.measure == "slope" or (trait.measure in ("bump", "dip") and trait.more))


def as_seen(trait: Trait, stretch: Stretch) -> Trait:
    """An open trait in the words of the picture."""
    if trait.first is None or trait.last is None:
        return _found(trait, stretch)
    if trait.measure == "slope":
        return _inclined(trait, *stretch.changes(trait.first, trait.last), VISIBLE * stretch.span)
    return _beside(trait, stretch.sides() or stretch.sides(OUTSIDE))


def _found(trait: Trait, run: Stretch) -> Trait:
    """Of members that run along several typical curves: the longest stretch of the run that is clearly off."""
    pieces = [list(piece) for side, piece in itertools.groupby(range(len(run.at)), run.side().__getitem__) if side]
    longest = max(pieces, key=len, default=[])
    if len(longest) < FOUND:
        return trait
    first, last = run.at[longest[0]], run.at[longest[-1]]
    return replace(trait, measure="side", more=run.side()[longest[0]] > 0, first=int(first), last=int(last))


def _adds(trait: Trait, row: ClusterRow, card: Group, stretch: Stretch, plateau: tuple[float, float]) -> bool:
    """Whether it says something beside the statements of features."""
    stated, nowhere = {one.feature for one in card.unusual}, trait.of_stretch and trait.first is None
    known = STATED.get(trait.measure) in stated and not trait.of_stretch
    moves = not stated.isdisjoint(JUMPS) and _is_inside(trait, plateau)
    known |= moves and (trait.measure == "slope" or (_is_open(trait) and _follows(trait, stretch)))
    known |= nowhere and _is_open(trait)  # that it differs somehow, somewhere
    placed = trait.measure in PLACED and not nowhere
    return (placed or row.within == SHAPES) and not known and _is_seen(trait, stretch)


def _follows(trait: Trait, stretch: Stretch) -> bool:
    """Whether the series is but on the side of normal that it moves to."""
    now, usual = stretch.changes(trait.first or 0, trait.last or 0)
    return stretch.sides() == [1 if now > usual else -1]


def _is_inside(trait: Trait, plateau: tuple[float, float]) -> bool:
    """Whether most of its stretch is within the plateau."""
    if trait.first is None or trait.last is None:
        return False
    return min(trait.last, plateau[1]) - max(trait.first, plateau[0]) >= WITHIN * (trait.last - trait.first)


def _is_seen(trait: Trait, stretch: Stretch) -> bool:
    """Whether the typical series clearly leaves the normal band there; true where that is not known."""
    return trait.first is None or not len(stretch.at) or bool(stretch.sides())


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
