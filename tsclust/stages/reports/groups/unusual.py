"""What is unusual about a group: features far from normal, and values of carried columns that occur too often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tsclust.arrays import Floats, Keys
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.features.catalogue import Feature
from tsclust.stages.reports.data import Often, Unusual, Where

STANDS_OUT = 3.0  # robust deviations: a feature farther from normal is worth a sentence
SENTENCES = 4
MOST_NAMED = 4  # values of a carried column that are named
# Features that say much the same, the plainest first: one of them is said.
TOPICS: tuple[tuple[str, ...], ...] = (
    ("run_length",),
    ("peak_height",),
    ("peak_position",),
    ("peak_width", "decay_time"),
    ("side_mean", "p50", "p25", "p75", "side_to_peak", "area"),
    ("side_rise", "rise_to_peak", "p95", "side_skewness", "side_kurtosis"),
    ("side_fall", "p05"),
    ("side_roughness", "roughness_to_peak"),
    ("side_std", "spread_to_peak"),
    ("side_step",),
    ("side_slope",),
    ("step_or_line",),
    ("side_oscillation",),
    ("return_time", "return_level"),
    ("rest_level",),
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


def stands_out(x: Floats, keys: Keys, reference: NormalReference) -> tuple[Unusual, ...]:
    """What stands out most of members with features x (n, d): a feature of each topic, farthest from normal first."""
    expected, spread = reference.center_of(x, keys), np.median(reference.spread_of(x, keys), axis=0)
    away = np.median(reference.deviations(x, keys), axis=0)
    names = [f.name for f in reference.features]
    far = {name: abs(float(away[i])) for i, name in enumerate(names)}
    said = sorted((_plainest(topic, far) for topic in _topics(names)), key=lambda name: -far[name])
    chosen = [names.index(name) for name in said[:SENTENCES] if far[name] >= STANDS_OUT]
    return tuple(_one(reference.features[i], x[:, i], expected[:, i], float(away[i]), float(spread[i])) for i in chosen)


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


def _one(feature: Feature, x: Floats, expected: Floats, away: float, spread: float) -> Unusual:
    """A feature of members: x (n,) their values, expected (n,) what is normal for each."""
    name, middle = feature.name, float(np.median(expected))
    level = feature.unit in ("value", "value x samples") or name.endswith("_to_peak")
    times = float(np.median(x / expected)) if level and middle > 2 * spread and (expected > 0).all() else 0.0
    return Unusual(name, float(np.median(x)), middle, times if times > 0 else None, away)


def where(column: str, month: bool, tally: pl.DataFrame, group: int, size: int) -> Where:
    """Values that occur too often to be chance (4 standard deviations of a binomial), or the few there are, most
    frequent first.

    tally: a row per value of the column: value, all, 0, 1, ... (how many members of each group have it)
    """
    own = tally.select("value", count=pl.col(str(group)), overall=pl.col("all") / pl.col("all").sum())
    expected = size * pl.col("overall")
    chance = (expected * (1 - pl.col("overall"))).sqrt()
    too_often = (pl.col("count") > expected + 4 * chance) & (pl.col("count") >= 1.3 * expected)
    distinct = int((own["count"] > 0).sum())
    named = (
        pl.col("count") > 0 if distinct <= MOST_NAMED < len(own) and not month else too_often & (pl.col("count") >= 3)
    )
    top = own.filter(named).sort("count", "value", descending=[True, False]).head(MOST_NAMED)
    often = tuple(Often(value, count, count / size, overall) for value, count, overall in top.iter_rows())
    return Where(column, month, distinct, len(own), often)
