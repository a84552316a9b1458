"""Features that stand out -> what is stated of a group: each fact once, of what a reader of its curve can see.

A plateau moves in one way: it vibrates, jumps once, drifts, or else strays for a while. The features of the other ways
change with it, and say something that the curve does not show; so only that way is stated, by how much in the unit of
what is recorded. Features that say the same are one statement, and what one fact brings about is none of its own.

Of a curve without a peak nobody says that its peak is late: there it is the highest value, and where that is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsclust.stages.reports.data import Unusual
from tsclust.wording.language import TO_PEAK

WHOLE = "whole_curve"  # stated in the place of all levels, where they are changed by one factor
HIGHEST, HIGHEST_AT = "highest", "highest_at"  # in the place of a peak, where there is none
SWING, STEP_UP, STEP_DOWN, RISES, FALLS = "plateau_swing", "step_up", "step_down", "level_rises", "level_falls"
ALIKE = 0.15  # of that factor: so far may a level be from it
LEVELS = ("peak_height", "side_mean", "p50", "p25", "p75")
PLATEAU = 8  # samples: of a shorter one nothing is stated
RETURN = 5  # samples: of a shorter one no level is stated, as it is one of where samples happen to fall
PEAK, REACH = 1.2, 2.3  # times its mean and so many spreads of the plateau, at least, is a peak
NARROW = 1 / 3  # of the run: so wide and so late may it be where there is hardly a plateau
FAR = 0.25  # of the run, at least, by which the highest value of a curve without a peak is somewhere else
STANDS_OUT = 3.0  # robust deviations: a feature farther from normal is worth a sentence
SENTENCES = 3
VISIBLE = 0.03  # of what a drawing shows: nobody sees a smaller difference in a curve; twice that, of what is brief
EDGE = 0.05  # of the peak: so much more must a quantile of the run differ, which takes in its steep ends
TURNS = 4.0  # times its range that a plateau goes up and down before it vibrates: two swings
REGULAR = 0.5  # autocorrelation of a vibration that swings rather than jitters
MOST = 0.6  # of its range that a plateau must jump, or drift, to be said to
LIKELY_FROM = 1 / 6  # of the deviations of a fact that another brings about, at least, that other has
TAIL = 0.4  # of the level: by more a plateau does not fall where the return begins slowly
STEPWISE = 0.5  # step_or_line of a plateau that jumps rather than bends
EXPLAINED = 1.25  # of a jump or drift, half of which, of what is brief: by less the mean level goes along with it

_RUN = ("p05", "p25", "p50", "p75", "p95", "area")
_TOPS = {"peak_height": HIGHEST, "peak_position": HIGHEST_AT}
_OF_PEAK = ("peak_height", "peak_position", "peak_width", "decay_time")
_STRAYS = ("side_rise", "side_fall", "side_skewness", "side_kurtosis", "side_std")
_JUMPS = (STEP_UP, STEP_DOWN, RISES, FALLS)
_WAYS = (SWING, "side_roughness", *_JUMPS)
# The features by which a plateau's way stands out.
SIGNS: Mapping[str, tuple[str, ...]] = {
    SWING: ("side_roughness", "side_oscillation", "side_std", "side_rise", "side_fall"),
    **dict.fromkeys(_JUMPS, ("side_step", "side_slope", "side_std", "side_rise", "side_fall")),
}
# Features that say much the same, the plainest first: one of them is stated.
TOPICS: tuple[tuple[str, ...], ...] = (
    ("run_length",),
    ("peak_height",),
    ("peak_position",),
    ("decay_time", "peak_width"),
    ("side_mean", "p50", "p25", "p75", "side_to_peak", "area"),
    (SWING, "side_roughness", "roughness_to_peak"),
    _JUMPS,
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
    **dict.fromkeys(_WAYS, frozenset({*_RUN, *_STRAYS, *TO_PEAK})),
    **dict.fromkeys(_STRAYS, frozenset({*_RUN, *TO_PEAK, "side_std"})),
}
LIKELY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("decay_time", "peak_width"), frozenset({*_WAYS, *_STRAYS, "side_mean"})),
    "return_time": frozenset({"run_length", *_WAYS, *_STRAYS}),
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
    *_WAYS,
    *_STRAYS,
    "side_mean",
    "run_length",
    "p50",
    *TO_PEAK,
)


@dataclass(frozen=True)
class Plateau:
    """How a plateau moves: its samples, its range, how often it goes through that, and the signs of each way."""

    samples: float
    range: float
    turns: float
    regular: float
    swing: float
    step: float
    drift: float
    stepwise: bool

    @classmethod
    def of(cls, at: Callable[[str], float]) -> Plateau:
        """at: the value of a feature, NaN for one that there is not."""
        others = np.nan_to_num([at(name) for name in ("peak_position", "decay_time", "return_time")])
        samples, wide = at("run_length") - float(others.sum()), at("side_rise") + at("side_fall")
        turns = at("side_roughness") * samples / wide if wide > 0 else 0.0
        swing = min(wide, 2 * math.sqrt(2) * at("side_std")) if at("side_std") >= 0 else wide  # of a sine
        drift = float(np.clip(at("side_slope") * samples, -wide, wide))
        stepwise = not at("step_or_line") < STEPWISE
        return cls(samples, wide, turns, at("side_oscillation"), swing, at("side_step"), drift, stepwise)

    @property
    def way(self) -> str:
        """The one fact that says how it moves; "" for none of them."""
        if self.turns >= TURNS:
            return SWING if self.regular >= REGULAR else "side_roughness"
        jumps, drifts = (abs(one) >= MOST * self.range > 0 for one in (self.step, self.drift))
        if jumps and self.stepwise:
            return STEP_UP if self.step > 0 else STEP_DOWN
        return (RISES if self.drift > 0 else FALLS) if drifts else ""

    def by(self, way: str) -> float:
        """How much it moves in a way of which there is a size, at least 0."""
        size = {SWING: self.swing, STEP_UP: self.step, STEP_DOWN: -self.step, RISES: self.drift, FALLS: -self.drift}
        return max(size.get(way, 0.0), 0.0)


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
        shown = [one for one in left if self._have_peaks or one.feature not in _OF_PEAK]  # others may come of it
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

    @property
    def _have_peaks(self) -> bool:
        """Whether there is a peak, and normally is."""
        return _has_peak(self._value, self.now) and _has_peak(self._usual, self.usual)

    def _tops(self) -> list[Unusual]:
        """What is stated of the highest value where it is no peak, or normally is none."""
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
        """Whether one fact is but what another brings about."""
        certain = one.feature in ("p05", "p95", "area") or one.feature in CERTAIN.get(cause.feature, ())
        likely = abs(cause.away) >= LIKELY_FROM * abs(one.away) and one.feature in LIKELY.get(cause.feature, ())
        if cause.feature == "return_time" and one.feature == "side_fall":  # a return begins at 70 % of the level
            likely = likely and one.value <= TAIL * self._value("side_mean")
        return certain or likely or _scaled(cause, one) or _explains(cause, one)

    def _value(self, name: str) -> float:
        return self.every[name].value if name in self.every else math.nan

    def _usual(self, name: str) -> float:
        return self.every[name].usual if name in self.every else math.nan


def _has_peak(at: Callable[[str], float], plateau: Plateau) -> bool:
    """Whether the highest value stands out of the plateau; where there is hardly one, by its being narrow and early."""
    if plateau.samples < PLATEAU:
        return not any(at(name) > NARROW * at("run_length") for name in ("peak_width", "peak_position"))
    return not at("peak_height") < PEAK * (at("side_mean") + REACH * at("side_std"))


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


def _explains(cause: Unusual, one: Unusual) -> bool:
    """Whether the level of a plateau goes along with how it moves, or that of a recording's end with the plateau's."""
    if one.feature == "rest_level" and cause.feature == "side_mean":
        return 0 <= (one.value - one.usual) / (cause.value - cause.usual or math.nan) <= EXPLAINED
    ups, strays = (STEP_UP, RISES, "side_rise"), ("side_rise", "side_fall")
    share = EXPLAINED if cause.feature in _JUMPS else EXPLAINED / 2 if cause.feature in strays else 0.0
    more = one.value - one.usual
    up = (cause.feature in ups) == (cause.value > cause.usual)
    return one.feature == "side_mean" and (more > 0) == up and abs(more) <= share * abs(cause.value - cause.usual)
