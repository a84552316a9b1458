"""What is unusual about a group: features far from normal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Floats, Keys
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.features.catalogue import Feature
from tsclust.stages.reports.data import Unusual

WHOLE = "whole_curve"  # stated in the place of all levels, where they are changed by one factor
ALIKE = 0.15  # of that factor: so far may a level be from it
LEVELS = ("peak_height", "side_mean", "p50", "p25", "p75")
# What grows with the curve, and says nothing of its own where it does so by the same factor.
SCALED = (*LEVELS, "p05", "p95", "area", "return_level", "side_std", "side_roughness", "side_rise", "side_fall")
PLATEAU = 8  # samples: of a shorter one nothing is stated
NEAR_ZERO = 0.05  # of the peak, or of a ratio: what is normally so little is no measure of anything
STANDS_OUT = 3.0  # robust deviations: a feature farther from normal is worth a sentence
SENTENCES = 4
# Features that say much the same, the plainest first: one of them is said.
TOPICS: tuple[tuple[str, ...], ...] = (
    ("run_length",),
    ("peak_height",),
    ("peak_position",),
    ("peak_width", "decay_time"),
    ("side_mean", "p50", "p25", "p75", "side_to_peak", "area"),
    ("side_slope",),
    ("side_step",),
    ("step_or_line",),
    ("side_rise", "rise_to_peak", "p95", "side_skewness", "side_kurtosis"),
    ("side_fall", "p05"),
    ("side_roughness", "roughness_to_peak"),
    ("side_oscillation",),
    ("side_std", "spread_to_peak"),
    ("return_time", "return_level"),
    ("rest_level",),
)


_STRAYS = ("side_rise", "rise_to_peak", "p95", "side_fall", "p05", "side_skewness", "side_kurtosis")
_SPREAD = ("side_std", "spread_to_peak")
_JITTER = ("side_roughness", "roughness_to_peak")
_MOVES = (*_JITTER, "side_oscillation")
_OF_RUN = ("p05", "p25", "p50", "p75", "p95", "area")
_TO_PEAK = ("side_to_peak", "spread_to_peak", "rise_to_peak", "roughness_to_peak")
# What one fact brings about: a plateau that rises has a low end and a high end, whatever moves is spread, and what is
# measured against the peak changes with the peak.
IMPLIED: Mapping[str, frozenset[str]] = {
    "peak_height": frozenset({*_TO_PEAK, "p95", "area"}),
    "side_mean": frozenset({*_OF_RUN, "side_to_peak", "return_level"}),
    "run_length": frozenset(_OF_RUN),
    "return_time": frozenset({"run_length", *_OF_RUN}),
    "side_slope": frozenset({"side_step", "step_or_line", *_STRAYS, *_SPREAD, *_OF_RUN}),
    "side_step": frozenset({"side_slope", "step_or_line", *_STRAYS, *_SPREAD, *_OF_RUN}),
    **dict.fromkeys(_STRAYS, frozenset({*_SPREAD, *_JITTER, *_OF_RUN, "side_skewness", "side_kurtosis"})),
    **dict.fromkeys(_MOVES, frozenset({*_SPREAD, *_STRAYS, *_MOVES, *_OF_RUN, "side_step", "step_or_line"})),
}
VISIBLE = 0.01  # of the peak: nobody sees a smaller difference in a curve


@dataclass(frozen=True)
class NormalReference:
    """What is normal of each feature, by the scaler of the sweep that made the groups; features (d,), its columns."""

    features: tuple[Feature, ...]
    scaler: Scaler

    @property
    def regimes(self) -> int:
        """How many ways of being normal there are that no column names; 0 where there is but one, or a baseline."""
        return 0 if self.scaler.regimes is None else len(self.scaler.regimes.places)

    def center_of(self, x: Floats, keys: Keys) -> Floats:
        """(n, d) what is normal for series with features x (n, d) and these baseline keys, in feature units."""
        centers: Floats = self.scaler.centers[self.scaler.compared_with(x, keys)]
        return centers

    def spread_of(self, x: Floats, keys: Keys) -> Floats:
        """(n, d) how far from it is usual, in feature units, never 0."""
        spreads: Floats = self.scaler.spreads[self.scaler.compared_with(x, keys)]
        return spreads

    def deviations(self, x: Floats, keys: Keys) -> Floats:
        """(n, d) how many spreads each series lies from what is normal for it: what the sweep sees."""
        return self.scaler.deviations(x, keys)

    def log_deviations(self, x: Floats, keys: Keys) -> Floats:
        """(n, d) the deviations, far ones by their logarithm: one wild feature must not decide alone."""
        z = self.deviations(x, keys)
        out: Floats = np.sign(z) * np.log1p(np.abs(z))
        return out


def stands_out(x: Floats, keys: Keys, reference: NormalReference) -> tuple[Unusual, ...]:
    """What stands out most of members with features x (n, d), farthest from normal first: a feature of each topic, or
    the whole curve in the place of all that is changed by one factor; nothing of a plateau that is hardly one."""
    expected, spread = reference.center_of(x, keys), np.median(reference.spread_of(x, keys), axis=0)
    away = np.median(reference.deviations(x, keys), axis=0)
    short = _plateau(x, reference.features) < PLATEAU
    able = [i for i, f in enumerate(reference.features) if not (short and f.phase == "side movement")]
    peak = _peak(expected, reference.features)
    every = {
        reference.features[i].name: _one(
            reference.features[i], x[:, i], expected[:, i], float(away[i]), float(spread[i]), peak
        )
        for i in able
    }
    whole = _whole(every)
    left = {name: one for name, one in every.items() if whole is None or not _scaled(one, whole)}
    far = {name: abs(one.away) for name, one in left.items()}
    named = [left[_plainest(topic, far)] for topic in _topics([*left])]
    levels = {f.name for f in reference.features if f.unit == "value"}
    unseen = {one.feature for one in named if one.feature in levels and abs(one.value - one.usual) < VISIBLE * peak}
    found = [one for one in (*([whole] if whole else []), *named) if abs(one.away) >= STANDS_OUT]
    found = [one for one in found if one.feature not in unseen]
    return tuple(_facts(sorted(found, key=lambda one: -abs(one.away)))[:SENTENCES])


def _facts(found: Sequence[Unusual]) -> list[Unusual]:
    """Without what another, that is at least half as far from normal, brings about: causes first, of two that bring
    about each other the farther one."""
    left: list[Unusual] = []
    for one in sorted(found, key=lambda one: (_rank(one.feature), -abs(one.away))):
        if not any(_brings(other, one) for other in left):
            left.append(one)
    return [one for one in found if one in left]


def _rank(feature: str) -> int:
    """Causes before what they bring about."""
    ranks = (_SPREAD, (*_OF_RUN, *_TO_PEAK, "return_level"), (*_STRAYS, *_MOVES), ("run_length",))
    return next((len(ranks) - at for at, names in enumerate(ranks) if feature in names), 0)


def _brings(cause: Unusual, one: Unusual) -> bool:
    """What is measured of the whole run, or against the peak, is never stated beside its cause."""
    certain = one.feature in (*_OF_RUN, *_TO_PEAK)
    return one.feature in IMPLIED.get(cause.feature, ()) and (certain or abs(cause.away) >= abs(one.away) / 2)


def _plateau(x: Floats, features: Sequence[Feature]) -> float:
    """About how many samples the plateau has: what peak, fall and return leave of the run; endless where the run's
    length is no feature."""
    names = [f.name for f in features]
    parts = [names.index(n) for n in ("peak_position", "decay_time", "return_time") if n in names]
    if "run_length" not in names:
        return float("inf")
    return float(np.median(x[:, names.index("run_length")] - x[:, parts].sum(axis=1)))


def _peak(expected: Floats, features: Sequence[Feature]) -> float:
    """The normal height of the peak; 0 where that is no feature."""
    at = [i for i, f in enumerate(features) if f.name == "peak_height"]
    return float(np.median(expected[:, at])) if at else 0.0


def _whole(every: Mapping[str, Unusual]) -> Unusual | None:
    """One statement where the peak and all levels stand out by about one factor."""
    levels = [every[name] for name in LEVELS if name in every]
    times = [one.times for one in levels if one.times is not None and abs(one.away) >= STANDS_OUT]
    if "peak_height" not in every or len(levels) < 2 or len(times) < len(levels):
        return None
    middle = float(np.median(times))
    same = all(abs(one / middle - 1) <= ALIKE for one in times) and abs(middle - 1) > ALIKE
    peak = every["peak_height"]
    away = float(np.sign(peak.away) * max(abs(one.away) for one in levels))
    return Unusual(WHOLE, peak.value, peak.usual, middle, away) if same else None


def _scaled(one: Unusual, whole: Unusual) -> bool:
    """Whether a feature says no more than that the whole curve is changed."""
    if one.feature not in SCALED or whole.times is None:
        return False
    return one.feature in LEVELS or (one.times is not None and abs(one.times / whole.times - 1) <= 2 * ALIKE)


def _topics(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The topics over the features there are: one that no topic has is a topic of its own."""
    known = {name for topic in TOPICS for name in topic}
    topics = [tuple(name for name in topic if name in names) for topic in TOPICS]
    return (*(topic for topic in topics if topic), *((name,) for name in names if name not in known))


def _plainest(topic: tuple[str, ...], far: Mapping[str, float]) -> str:
    """The first of the topic that is at least half as far from normal as the farthest, and stands out if any does."""
    farthest = max(far[name] for name in topic)
    enough = max(farthest / 2, min(farthest, STANDS_OUT))
    return next(name for name in topic if far[name] >= enough)


def _one(feature: Feature, x: Floats, expected: Floats, away: float, spread: float, peak: float) -> Unusual:
    """A feature of members: x (n,) their values, expected (n,) what is normal for each; peak: its normal height."""
    name, middle = feature.name, float(np.median(expected))
    ratio = name.endswith("_to_peak")
    level = feature.unit in ("value", "value x samples") or ratio
    least = max(2 * spread, NEAR_ZERO * (1.0 if ratio else peak if feature.unit == "value" else 0.0))
    times = float(np.median(x / expected)) if level and middle > least and (expected > 0).all() else 0.0
    return Unusual(name, float(np.median(x)), middle, times if times > 0 else None, away, feature.unit)
