"""One machine, or all together: are its series what they were in training? Features at every edge of their bins, how
unlike normal its series are in all, and how many are refused or impossible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tsclust.arrays import Bools, Floats, Int64s
from tsclust.stages.model.profile import LEVELS, QUANTILES, FeatureProfile
from tsclust.stages.scores import drift
from tsclust.stages.scores.drift import CHANCES, ENOUGH, FEW, Changed, Shift
from tsclust.stages.scores.exact_tests import Shares, by_chance, by_the_fleet, in_the_fleet
from tsclust.stages.scores.onset import Sign, What

# Sides of the edges that are asked about, (2, edges): above it, below it. In the middle both, farther out what is
# farther out still; and whether fewer lie outside of the middle.
ASKED = np.array(
    [np.isin(QUANTILES, [0.05, 0.5, 0.95, 0.99, 0.998, 1.0]), np.isin(QUANTILES, [0.95, 0.5, 0.05, 0.01, 0.002, 0.0])]
)
FAR = ASKED & np.array([QUANTILES >= 0.998, QUANTILES <= 0.002])
FAR_UNLIKE = LEVELS >= 0.997
OF_FEATURES, OF_UNLIKENESS, OF_RATES = 0.8, 0.1, 0.1  # of CHANCES
OWN = 3e-4  # a probability that a machine's own series have to fall below before those of others count,
RARE = 0.02  # where so few of its own showed it in training that they alone do not say how many do,
STRANGE, SHARE = 1e-3, 0.1  # and no tenth of its features may be less likely in training than this, by those of others
SHOWN = 5  # features of a machine that are named


@dataclass(frozen=True)
class Finding:
    """A test that may be an alarm: its probability by chance in units of what would be one, and what it looks at."""

    ratio: float
    sign: Sign
    shift: Shift | None = None

    @property
    def alarms(self) -> bool:
        return bool(self.ratio < 1)


@dataclass(frozen=True)
class Yardsticks:
    """What all machines are judged by: the names of d features, and how often that is asked (machines and periods).

    refused, rejected  shares of all series in training: no machine is an alarm below them
    chances  of a false alarm, over all that is asked
    """

    names: tuple[str, ...]
    asked: int
    refused: float
    rejected: float
    chances: float = CHANCES

    def level(self, share: float, tests: int) -> float:
        """The probability below which one of so many tests of a machine is an alarm, if they get this share of all
        `chances` (Bonferroni, weighted)."""
        return share * self.chances / max(self.asked * tests, 1)


@dataclass(frozen=True)
class Machine:
    """One machine, or all together, which have no name. now, then: profiles of the same machines, one or several;
    fleet: makes that of all other machines in training; few_days: whether `now` is of so few days that only what is far
    out counts, as such days may be alike among themselves."""

    name: str | None
    now: FeatureProfile
    then: FeatureProfile
    fleet: Callable[[], FeatureProfile] | None
    few_days: bool = False

    @property
    def asked(self) -> Bools:
        """(2, edges) above and below which edges its series are counted."""
        return FAR if self.few_days else ASKED

    @property
    def is_known(self) -> bool:
        """Whether its features can be compared."""
        return int(self.then.rows.sum()) >= ENOUGH and int(self.now.rows.sum()) >= FEW

    @cached_property
    def others(self) -> FeatureProfile | None:
        """Those that it can be held against: all others in training, where it was one of their kind."""
        if self.fleet is None or not len((fleet := self.fleet()).machines):
            return None
        then, rows = self.then.counts[0], int(self.then.rows[0])
        sides = ((_above(then), _above(fleet.counts)), (_below(then), _below(fleet.counts)))
        strange = np.stack([in_the_fleet(hits, rows, others, fleet.rows) < STRANGE for hits, others in sides])
        differs = np.asarray((strange & self.asked[:, None, :]).any(axis=(0, 2)))
        return None if differs.sum() > SHARE * len(differs) else fleet

    @property
    def before(self) -> Floats:
        """(d, BINS) counts of training, of machines as frequent as they are now."""
        weight = self.now.rows / np.maximum(self.then.rows, 1)
        counts: Floats = (self.then.counts * weight[:, None, None]).sum(axis=0)
        return counts

    def shares(self, hits: Int64s, rows: Int64s, hits_then: Int64s, rows_then: Int64s) -> Shares:
        """Of hits (m, ...) among rows (m,)."""
        shape = (len(rows), *[1] * (hits.ndim - 1))
        n, n_then = (np.broadcast_to(one.reshape(shape), hits.shape) for one in (rows, rows_then))
        return Shares(hits, n, hits_then, n_then)


def judge(by: Yardsticks, machine: Machine) -> tuple[Changed, Sign] | None:
    """The machine if it has changed, and what shows that best."""
    rates, known = {one.sign.what: one for one in _rates(by, machine)}, machine.is_known
    shifts = sorted(_shifts(by, machine), key=lambda one: one.ratio) if known else []
    unlike = _unlike(by, machine) if known else None
    found = [*rates.values(), *shifts[:1], *([unlike] if unlike else [])]
    if not any(one.alarms for one in found):
        return None
    of_unlike = OWN / by.level(OF_FEATURES, _features(machine)) if unlike and unlike.alarms else 1.0
    shown = [one.shift for one in shifts if one.ratio < of_unlike and one.shift][:SHOWN]
    changed = replace(
        _described(machine), shifts=tuple(shown), refused_more=rates["refused"].alarms,
        rejected_more=rates["rejected"].alarms, unlike_more=bool(unlike and unlike.alarms),
    )  # fmt: skip
    best = min(found, key=lambda one: one.ratio).sign
    if unlike and unlike.alarms:
        changed = replace(changed, unlike=round(unlike.sign.now, 6), unlike_then=round(unlike.sign.then, 6))
    return changed, best


def _described(machine: Machine) -> Changed:
    now = machine.now
    rows, out, refused = (int(one.sum()) for one in (now.rows, now.rejected, now.refused))
    shares = round(refused / max(rows, 1), 6), round(out / max(rows + out, 1), 6)
    return Changed(machine.name, rows + out, shares[0], False, shares[1], False, ())


def _rates(by: Yardsticks, machine: Machine) -> Iterator[Finding]:
    """Refused and impossible series: by the binomial distribution of the share in training, of all or its own if that
    is more, and, where training knows the machine, by its own series."""
    now, then, level = machine.now, machine.then, by.level(OF_RATES, 2)
    all_now, all_then = now.rows + now.rejected, then.rows + then.rejected
    refused = machine.shares(now.refused, now.rows, then.refused, then.rows)
    rejected = machine.shares(now.rejected, all_now, then.rejected, all_then)
    families: tuple[tuple[What, Shares, float], ...]
    families = (("refused", refused, by.refused), ("rejected", rejected, by.rejected))
    for what, of, of_all in families:
        known, most = bool(of.rows_then.any()), max(of_all, float(of.then) if of.rows_then.any() else 0.0)
        alarm = drift.too_many(int(of.hits.sum()), int(of.rows.sum()), most, level)
        chance = float(by_chance(of)) if alarm and known else float(not alarm) * level
        yield Finding(chance / level, Sign(machine.name, what, then=most, now=float(of.now)))


def _features(machine: Machine) -> int:
    """Tests of its features."""
    return int(machine.asked.sum()) * int(machine.now.counts.shape[1])


def _shifts(by: Yardsticks, machine: Machine) -> Iterator[Finding]:
    """Of each feature the edge and the side where the change is least likely by chance."""
    now, then, edges = machine.now, machine.then, machine.then.bins.edges
    above = machine.shares(_above(now.counts), now.rows, _above(then.counts), then.rows)
    sides = (above, above.fewer)
    fleets = (lambda fleet: _above(fleet.counts), lambda fleet: _below(fleet.counts))
    chances = np.stack([_chances(machine, *one) for one in zip(sides, fleets, strict=True)])  # (2, d, edges)
    chances = np.where(machine.asked[:, None, :], chances, 1.0)
    if not (chances < OWN).any():
        return
    shares = [(one.then, one.now) for one in sides]
    counts, before, level = now.counts.sum(axis=0), machine.before, by.level(OF_FEATURES, _features(machine))
    indices, moved = drift.index(counts, before), median(edges, counts) - median(edges, before)
    for j, name in enumerate(by.names):
        side, edge = np.unravel_index(int(chances[:, j].argmin()), chances[:, j].shape)
        at, (share_then, share) = float(edges[j, edge]), (float(one[j, edge]) for one in shares[side])
        sign = Sign(machine.name, "feature", j, at, bool(side == 0), share_then, share)
        shift = Shift(
            name, round(float(indices[j]), 4), at, bool(side == 0), round(share_then, 6), round(share, 6),
            round(float(moved[j]), 3),
        )  # fmt: skip
        yield Finding(float(chances[side, j, edge]) / level, sign, shift)


def _unlike(by: Yardsticks, machine: Machine) -> Finding:
    """How many series are unlike normal, at the level where that is least likely: by the machine's own series, or by
    them and those of the other machines."""
    now, then = machine.now, machine.then
    of, level = machine.shares(now.unlike, now.rows, then.unlike, then.rows), by.level(OF_UNLIKENESS, len(LEVELS))
    chances = _chances(machine, of, lambda fleet: fleet.unlike)
    chances = np.where(FAR_UNLIKE | (not machine.few_days), chances, 1.0)
    at = int(chances.argmin())
    sign = Sign(machine.name, "unlike", 0, float(then.bins.levels[at]), True, float(of.then[at]), float(of.now[at]))
    return Finding(float(chances[at]) / level, sign)


def _chances(machine: Machine, of: Shares, hits: Callable[[FeatureProfile], Int64s]) -> Floats:
    """(...) the probability of these shares by chance: by the machine's own series or, where they alone make it small,
    by them and those of machines of its kind. hits: (m, ...) of a fleet."""
    own = by_chance(of)
    short = (own < OWN) & (of.then <= RARE)
    if not short.any() or (fleet := machine.others) is None:
        return own
    both = by_the_fleet(of, hits(fleet), fleet.rows)
    return np.where(short, np.minimum(own, both), own)


def _below(counts: Int64s) -> Int64s:
    """(..., d, edges) series at or below each edge, of counts (..., d, BINS)."""
    below: Int64s = counts.cumsum(axis=-1)[..., :-1]
    return below


def _above(counts: Int64s) -> Int64s:
    """(..., d, edges) series above each edge, of counts (..., d, BINS)."""
    above: Int64s = counts[..., ::-1].cumsum(axis=-1)[..., ::-1][..., 1:]
    return above


def median(edges: Floats, counts: Floats | Int64s) -> Floats:
    """(d,) the median of each feature, of counts (d, BINS): on a line within its bin; the outermost edges at most."""
    ends = np.column_stack([edges[:, :1], edges, edges[:, -1:]])
    total = counts.cumsum(axis=1)
    half, rows = total[:, -1] / 2, np.arange(len(counts))
    at = np.minimum((total < half[:, None]).sum(axis=1), edges.shape[1])
    inside = np.maximum(counts[rows, at], 1e-9)
    part = np.clip((half - total[rows, at] + counts[rows, at]) / inside, 0, 1)
    found: Floats = ends[rows, at] + (ends[rows, at + 1] - ends[rows, at]) * part
    return found
