"""What is normal of each feature, and how far a group is from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Floats, Keys
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.features.catalogue import Feature
from tsclust.stages.reports.data import Unusual
from tsclust.stages.reports.groups.facts import Facts

NEAR_ZERO = 0.05  # of the peak, or of a ratio: what is normally so little is no measure of anything
OFFSET = (
    0.1  # of the peak: where a sensor rests farther from 0, nobody sees how many times as high above rest a curve is
)


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


def stands_out(x: Floats, keys: Keys, reference: NormalReference, rest: float = 0.0) -> tuple[Unusual, ...]:
    """What is stated of members with features x (n, d), farthest from normal first. rest: the idle sensor's level."""
    of = _measures(x, keys, reference)
    value, usual, spread, away = (np.median(each, axis=0).tolist() for each in of)
    times = [_times(x[:, i], of[1][:, i]) for i in range(len(usual))]
    return _stated(reference.features, value, usual, spread, away, times, rest)


def each_stands_out(x: Floats, keys: Keys, reference: NormalReference) -> Iterator[tuple[Unusual, ...]]:
    """What is stated of each of the series with features x (n, d) alone."""
    of = _measures(x, keys, reference)
    ratio = np.divide(x, of[1], out=np.zeros_like(x), where=of[1] > 0)
    for value, usual, spread, away, times in zip(*(each.tolist() for each in (*of, ratio)), strict=True):
        yield _stated(
            reference.features, value, usual, spread, away, [one if one > 0 else None for one in times], 0.0
        )  # fmt: skip


def _measures(x: Floats, keys: Keys, reference: NormalReference) -> tuple[Floats, Floats, Floats, Floats]:
    """(n, d) each: the features, what is normal for them, their spread, how many spreads they are away."""
    return x, reference.center_of(x, keys), reference.spread_of(x, keys), reference.deviations(x, keys)


def _stated(
    features: Sequence[Feature], value: Sequence[float], usual: Sequence[float], spread: Sequence[float],
    away: Sequence[float], times: Sequence[float | None], rest: float,
) -> tuple[Unusual, ...]:  # fmt: skip
    size = {f.name: usual[i] for i, f in enumerate(features)}
    offset = abs(rest) > OFFSET * size.get("peak_height", np.inf)
    least = [np.inf if offset else _least(f, spread[i], size) for i, f in enumerate(features)]
    ratio = [times[i] if usual[i] > least[i] else None for i in range(len(least))]
    every = {f.name: Unusual(f.name, value[i], usual[i], ratio[i], away[i], f.unit) for i, f in enumerate(features)}
    return Facts.of(every).stated()


def _least(feature: Feature, spread: float, size: Mapping[str, float]) -> float:
    """What is normal is a measure of others only above this. size: the normal value of each feature."""
    peak = size.get("peak_height", 0.0)
    of = {"value": peak, "value x samples": peak * size.get("run_length", 0.0)}
    return max(2 * spread, NEAR_ZERO * (1.0 if feature.name.endswith("_to_peak") else of.get(feature.unit, np.inf)))


def _times(x: Floats, expected: Floats) -> float | None:
    """How many times as large the values x (n,) are as what is normal for each, (n,)."""
    times = float(np.median(x / expected)) if (expected > 0).all() else 0.0
    return times if times > 0 else None
