"""Features that stand out -> what is stated of a group: each fact once, of what a reader of its curve can see.

A plateau moves in one way: it vibrates, jumps once, drifts, or else strays for a while. The features of the other ways
change with it, and say something that the curve does not show; so only that way is stated, by how much in the unit of
what is recorded. Features that say the same are one statement, and what one fact brings about is none of its own.

Of a curve without a peak nobody says that its peak is late: there it is the highest value, and when 90 % of it are
reached.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsclust.stages.reports.data import Unusual
from tsclust.stages.reports.groups.plateau import (
    JUMPS,
    PLATEAU,
    RISES,
    STEP_UP,
    SWING,
    WAYS,
    Plateau,
    has_peak,
)
from tsclust.wording.language import TO_PEAK

WHOLE = "whole_curve"  # stated in the place of all levels, where they are changed by one factor
HIGHEST, HIGHEST_AT = "highest", "highest_at"  # in the place of a peak, where there is none
BELOW_REST = "below_rest"  # in the place of a level of the return, where that is normally a stroke the other way
ALIKE = 0.15  # of that factor: so far may a level be from it
LEVELS = ("peak_height", "side_mean", "p50", "p25", "p75")
RETURN = 5  # samples: of a shorter one no level is stated, as it is one of where samples happen to fall
FAR = 0.25  # of the run, at least, by which the highest value of a curve without a peak is somewhere else
STANDS_OUT = 3.0  # robust deviations: a feature farther from normal is worth a sentence
SENTENCES = 3
VISIBLE = 0.03  # of what a drawing shows: nobody sees a smaller difference in a curve; twice that, of what is brief
EDGE = 0.05  # of the peak: so much more must a quantile of the run differ, which takes in its steep ends
LIKELY_FROM = 1 / 6  # of the deviations of a fact that another brings about, at least, that other has
TAIL = 0.4  # of the level: by more a plateau does not fall where the return begins slowly
EXPLAINED = 1.25  # of a jump or drift, half of which, of what is brief: by less the mean level goes along with it
SAME = 0.25  # of the difference of the highest value: so far may that of the plateau be from it to say the same

_RUN = ("p05", "p25", "p50", "p75", "p95", "area")
_TOPS = {"peak_height": HIGHEST, "peak_position": HIGHEST_AT}
_OF_PEAK = ("peak_height", "peak_position", "peak_width", "decay_time")
_LEVEL = ("side_mean", "p25", "p50", "p75")  # of the plateau, which is most of a run
_STRAYS = ("side_rise", "side_fall", "side_skewness", "side_kurtosis", "side_std")
# The features by which a plateau's way stands out.
SIGNS: Mapping[str, tuple[str, ...]] = {
    SWING: ("side_roughness", "side_oscillation", "side_std", "side_rise", "side_fall"),
    **dict.fromkeys(JUMPS, ("side_step", "side_slope", "side_std", "side_rise", "side_fall")),
}
# Features that say much the same, the plainest first: one of them is stated.
TOPICS: tuple[tuple[str, ...], ...] = (
    ("run_length",),
    ("peak_height",),
    ("peak_position",),
    ("decay_time", "peak_width"),
    ("side_mean", "p50", "p25", "p75", "side_to_peak", "area"),
    (SWING, "side_roughness", "roughness_to_peak"),
    JUMPS,
    ("side_rise", "rise_to_peak", "p95", "side_skewness", "side_kurtosis"),
    ("side_fall", "p05"),
    ("side_std", "spread_to_peak"),
    ("return_time", "return_level"),
    ("rest_level",),
)
# What a fact brings about, whatever its size, and what it does where it is not much nearer to normal.
CERTAIN: Mapping[str, frozenset[str]] = {
    WHOLE: frozenset({*LEVELS, *_RUN, *TO_PEAK, "return_level", "side_std"}),
    **dict.fromkeys(("peak_height", HIGHEST), frozenset({*TO_PEAK, "p95", "area"})),
    "side_mean": frozenset({*_RUN, "side_to_peak", "return_level"}),
    **dict.fromkeys(("p50", "decay_time", "peak_width"), frozenset(_RUN)),
    **dict.fromkeys(TO_PEAK, frozenset({*TO_PEAK, *_RUN})),
    "run_length": frozenset(_RUN),
    "return_time": frozenset({*_RUN, "return_level"}),
    **dict.fromkeys((SWING, "side_roughness"), frozenset({*_RUN, *_STRAYS, *TO_PEAK, HIGHEST_AT})),
    **dict.fromkeys(JUMPS, frozenset({*_RUN, *_STRAYS, *TO_PEAK})),
    **dict.fromkeys(_STRAYS, frozenset({*_RUN, *TO_PEAK, "side_std"})),
}
LIKELY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("decay_time", "peak_width"), frozenset({*WAYS, *_STRAYS, "side_mean"})),
    "return_time": frozenset({"run_length", *WAYS, *_STRAYS}),
    **dict.fromkeys(("side_rise", "side_fall"), frozenset({"side_rise", "side_fall", *_STRAYS[2:]})),
}
# Of two facts the one that may bring about the other comes first.
ORDER = (
    WHOLE,
    "decay_time",
    "peak_width",
    "return_time",
    "peak_height",
    HIGHEST,
    *WAYS,
    *_STRAYS,
    "side_mean",
    "run_length",
    "p50",
    *TO_PEAK,
)


@dataclass(frozen=True)
class Facts:
    """every: each feature of a group, by name; now, usual: how its plateau moves, and how it normally does."""

    every: Mapping[str, Unusual]
    now: Plateau
    usual: Plateau

    @classmethod
    def of(cls, every: Mapping[str, Unusual]) -> Facts:
        found = [
            Plateau.of(lambda name, which=which: getattr(every[name], which) if name in every else math.nan)  # type: ignore[misc]
            for which in ("value", "usual")
        ]
        return cls(every, *found)

    def stated(self) -> tuple[Unusual, ...]:
        """At most SENTENCES facts, the farthest from normal first."""
        able = [*self._features(), *self._tops(), *self._moves(), *self._whole()]
        found = _of_topics([one for one in able if abs(one.away) >= STANDS_OUT and self._is_seen(one)])
        left: list[Unusual] = []
        for one in sorted(found, key=lambda one: (_rank(one.feature), -abs(one.away))):
            if not any(self._brings(cause, one) for cause in left):
                left.append(one)
        shown = [self._called(one) for one in left if self._is_said(one, left)]  # of what is not, others may come
        return tuple(sorted(shown, key=lambda one: -abs(one.away))[:SENTENCES])

    def _features(self) -> list[Unusual]:
        """Those that may be stated as they are."""
        silent = {"step_or_line", "side_step", "side_slope", "side_oscillation"}
        if "side_roughness" not in self._ways:
            silent |= {"side_roughness", "roughness_to_peak"}
        if self._is_short:
            silent |= {name for name in self.every if name.startswith(("side_", "step_")) or name in TO_PEAK}
        if not self._value("return_time") >= RETURN:
            silent |= {"return_level"}
        return [one for name, one in self.every.items() if name not in silent]

    def _is_said(self, one: Unusual, others: Sequence[Unusual]) -> bool:
        """Not what there is no peak for, nor once more how much higher all of a plateau is."""
        if self._have_peaks:
            return True
        return one.feature not in _OF_PEAK and not any(_is_same(top, one) for top in others)

    def _called(self, one: Unusual) -> Unusual:
        """Under the name of what the curve shows there."""
        below = one.feature == "return_level" and one.usual < -EDGE * self._usual("peak_height")
        return replace(one, feature=BELOW_REST) if below else one

    @property
    def _have_peaks(self) -> bool:
        """Whether there is a peak, and normally is."""
        both = ((self._value, self.now), (self._usual, self.usual))
        return all(has_peak(at, plateau, self._usual("peak_position")) for at, plateau in both)

    def _tops(self) -> list[Unusual]:
        """What is stated of the highest value where it is no peak, or normally is none: how high it is, and when 90 %
        of it are reached."""
        there = [replace(self.every[name], feature=called) for name, called in _TOPS.items() if name in self.every]
        least = {HIGHEST_AT: FAR * self._usual("run_length")}
        seen = [one for one in there if abs(one.value - one.usual) >= least.get(one.feature, 0.0)]
        return [] if self._have_peaks else seen

    @property
    def _is_short(self) -> bool:
        """Whether there is hardly a plateau, or normally hardly one that it could be compared with."""
        return self.now.samples < PLATEAU or self.usual.samples < PLATEAU

    @property
    def _ways(self) -> list[str]:
        """How it moves; and how it normally does, where it does so less."""
        if self._is_short:
            return []
        now, usual = self._by(self.usual.way)
        return [*dict.fromkeys([self.now.way, *([self.usual.way] if now < usual else [])])]

    def _by(self, way: str) -> tuple[float, float]:
        """How much the plateau moves so now, and normally, in the unit of what is recorded."""
        if way == "side_roughness":
            return self._value(way), self._usual(way)
        return self.now.by(way), self.usual.by(way)

    def _moves(self) -> list[Unusual]:
        return [self._move(way) for way in self._ways if way in SIGNS]

    def _move(self, way: str) -> Unusual:
        away = max((abs(self.every[name].away) for name in SIGNS[way] if name in self.every), default=0.0)
        value, usual = self._by(way)
        return Unusual(way, value, usual, None, away if value > usual else -away)

    def _whole(self) -> list[Unusual]:
        """One statement where the peak and all levels stand out by about one factor."""
        levels = [self.every[name] for name in LEVELS if name in self.every]
        times = [one.times for one in levels if one.times is not None and abs(one.away) >= STANDS_OUT]
        if "peak_height" not in self.every or len(levels) < 2 or len(times) < len(levels):
            return []
        middle, peak = float(np.median(times)), self.every["peak_height"]
        if any(abs(one / middle - 1) > ALIKE for one in times) or abs(middle - 1) <= ALIKE:
            return []
        away = float(np.sign(peak.away) * max(abs(one.away) for one in levels))
        return [Unusual(WHOLE, peak.value, peak.usual, middle, away)]

    def _is_seen(self, one: Unusual) -> bool:
        """Whether the curve shows it."""
        more, name, peak = abs(one.value - one.usual), one.feature, self._usual("peak_height")
        if name in ("side_skewness", "side_kurtosis"):  # which has no size: by the values that stray
            strays = self.every.get("side_rise" if name == "side_skewness" and one.away > 0 else "side_fall")
            return (name == "side_skewness" or one.away > 0) and (strays is None or self._is_seen(strays))
        if name in _RUN[:-1]:
            return not more < EDGE * peak
        if name in TO_PEAK:
            return more >= VISIBLE
        drawn = max(min(peak, 2 * abs(self._usual("side_mean"))), peak / 4)  # a tall peak is drawn at a smaller scale
        return one.unit != "value" or not more < VISIBLE * drawn * (2 if name in ("side_rise", "side_fall") else 1)

    def _brings(self, cause: Unusual, one: Unusual) -> bool:
        """Whether one fact is but what another brings about; without a peak its width is no cause of a level."""
        if cause.feature in _OF_PEAK and one.feature in _LEVEL and not self._have_peaks:
            return False
        certain = one.feature in ("p05", "p95", "area") or one.feature in CERTAIN.get(cause.feature, ())
        likely = abs(cause.away) >= LIKELY_FROM * abs(one.away) and one.feature in LIKELY.get(cause.feature, ())
        if cause.feature == "return_time" and one.feature == "side_fall":  # a return begins at 70 % of the level
            likely = likely and one.value <= TAIL * self._value("side_mean")
        return certain or likely or _scaled(cause, one) or _explains(cause, one)

    def _value(self, name: str) -> float:
        return self.every[name].value if name in self.every else math.nan

    def _usual(self, name: str) -> float:
        return self.every[name].usual if name in self.every else math.nan


def _rank(feature: str) -> int:
    """What may bring about others first."""
    return ORDER.index(feature) if feature in ORDER else len(ORDER)


def _of_topics(found: Sequence[Unusual]) -> list[Unusual]:
    """Of each topic the plainest that is at least half as far from normal as the farthest; what no topic has, too."""
    there = {one.feature: one for one in found}
    known = {name for topic in TOPICS for name in topic}
    chosen = [one for one in found if one.feature not in known]
    for topic in TOPICS:
        own = [there[name] for name in topic if name in there and name not in TO_PEAK]
        own = own or [there[name] for name in topic if name in there]  # against the peak where nothing else says it
        farthest = max((abs(one.away) for one in own), default=0.0)
        chosen += [one for one in own if abs(one.away) >= farthest / 2][:1]
    return chosen


def _scaled(cause: Unusual, one: Unusual) -> bool:
    """Whether it says no more than that the whole curve is changed by its factor."""
    if cause.feature != WHOLE or not cause.times or not one.usual or not one.unit.startswith("value"):
        return False
    return abs(one.value / one.usual / cause.times - 1) <= 2 * ALIKE


def _is_same(top: Unusual, one: Unusual) -> bool:
    """Whether the plateau is as much higher as the highest value."""
    if top.feature != HIGHEST or one.feature not in _LEVEL:
        return False
    return abs(_along(top, one) - 1) <= SAME


def _along(cause: Unusual, one: Unusual) -> float:
    """How far it is from normal, as a share of how far another is; NaN where that is as it is normally."""
    return (one.value - one.usual) / (cause.value - cause.usual or math.nan)


def _explains(cause: Unusual, one: Unusual) -> bool:
    """Whether the level of a plateau goes along with how it moves, or that of a recording's end with the plateau's,
    where recordings normally end on it."""
    if one.feature == "rest_level" and cause.feature == "side_mean":
        return one.usual / (cause.usual or math.nan) >= 0.5 and 0 <= _along(cause, one) <= EXPLAINED
    ups, strays = (STEP_UP, RISES, "side_rise"), ("side_rise", "side_fall")
    share = EXPLAINED if cause.feature in JUMPS else EXPLAINED / 2 if cause.feature in strays else 0.0
    more = one.value - one.usual
    up = (cause.feature in ups) == (cause.value > cause.usual)
    return one.feature == "side_mean" and (more > 0) == up and abs(more) <= share * abs(cause.value - cause.usual)
