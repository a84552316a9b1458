"""What the features page says, as plain values: `collect` makes them, the page only draws them."""

from __future__ import annotations

from dataclasses import dataclass

from tsclust.stages.features.catalogue import Feature
from tsclust.stages.reports.charts.axis import Axis
from tsclust.stages.reports.data import Band, Curve, Unusual
from tsclust.stages.reports.features.limits import Limit, Parsed
from tsclust.stages.reports.made_from import Stage

SAME = 0.7  # features that correlate more than that say much the same: the pair plot has one of them
STRONG = 0.9  # a correlation worth a line of its own


@dataclass(frozen=True)
class Sides:
    """How many kept and rejected rows."""

    kept: int
    rejected: int


@dataclass(frozen=True)
class Distribution:
    """Where the values of a feature lie, over all rows.

    median, spread  what typical_<feature> and spread_<feature> stand for in rules
    bins            one for each bin of the axis; below and above are beyond its ends
    """

    feature: Feature
    median: float
    spread: float
    axis: Axis
    bins: tuple[Sides, ...]
    below: Sides
    above: Sides
    missing: Sides
    limits: tuple[Limit, ...]


@dataclass(frozen=True)
class Pairs:
    """SampledRows of the pair plot, a value for each of its features (None is missing)."""

    features: tuple[str, ...]
    kept: tuple[tuple[float | None, ...], ...]
    rejected: tuple[tuple[float | None, ...], ...]
    unusual: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Correlations:
    """Spearman's rho among the clustered features of `rows`: rho[i][j] for j < i; None where one never varies."""

    rows: int
    features: tuple[str, ...]
    rho: tuple[tuple[float | None, ...], ...]
    strong: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True)
class RuleSeen:
    """A rule: rows it rejects whatever others say, that no other does, that it is the first to; the last as curves."""

    name: str
    when: str
    reason: str
    in_all: int
    alone: int
    first: int
    parsed: Parsed
    examples: tuple[Curve, ...]


@dataclass(frozen=True)
class Strange:
    """A kept series with an unusual combination of features: what stands out, and how unusual it is (at most 1)."""

    curve: Curve
    unusual: tuple[Unusual, ...]
    score: float


@dataclass(frozen=True)
class FeaturesData:
    """Everything the features page says. `peak`: max or min, which way it points; `baseline`: carried columns."""

    title: str
    origin: str
    series: int
    kept: int
    peak: str
    baseline: tuple[str, ...]
    normal: Band
    distributions: tuple[Distribution, ...]
    pairs: Pairs
    correlations: Correlations
    rules: tuple[RuleSeen, ...]
    strange: tuple[Strange, ...]
    stages: tuple[Stage, ...]

    @property
    def axes(self) -> dict[str, Axis]:
        return {d.feature.name: d.axis for d in self.distributions}
