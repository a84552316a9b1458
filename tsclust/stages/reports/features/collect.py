"""What the features page says, as plain values: the page only draws it. Two passes over the parts, memory bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tsclust.arrays import Floats, Int64s
from tsclust.config import Cluster, Rule
from tsclust.hashing import limit
from tsclust.stages.clusters.scaling import BAND
from tsclust.stages.features.catalogue import Feature
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.reports.charts import axis
from tsclust.stages.reports.charts.axis import Axis
from tsclust.stages.reports.features import limits
from tsclust.stages.reports.features import sample as features_sample
from tsclust.stages.reports.features.limits import Limit, Parsed
from tsclust.stages.reports.features.sample import Asked, OutlierForest, Rows, Seen
from tsclust.stages.reports.groups import sample
from tsclust.stages.reports.groups.collect import band_of, curves_drawn, stage_of
from tsclust.stages.reports.groups.data import Band, Curve, Stage
from tsclust.stages.reports.groups.sample import Drawn
from tsclust.stages.reports.groups.unusual import NormalReference, Unusual, stands_out
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest

EXAMPLES = 6  # curves of each rule
UNUSUAL = 24  # most unusual series shown
PAIRS = 5  # features in the pair plot
PAIRED = 400  # kept rows in the pair plot
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
    """Rows of the pair plot, a value for each of its features (None is missing)."""

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


def collect(workspace: Workspace, title: str, constants: Mapping[str, float], sweep: Cluster) -> FeaturesData:
    """The page of a workspace that has series and features. Raises StageMissingError for one that lacks.

    constants  what rules may call by name, like typical_run_length
    sweep      how series are to be compared; columns of the baseline that are not there don't count
    """
    series, described = workspace.manifest(SERIES), workspace.manifest(FEATURES)
    facts = described.facts
    asked = _asked(workspace, described, sweep.baseline)
    parsed = _parsed(facts, asked, constants)
    drawn = features_sample.draw(workspace, asked)
    forest = features_sample.fit_forest(drawn, asked, sweep)
    axes = _axes(drawn, asked, parsed, facts.typical)
    seen = features_sample.see(workspace, asked, axes, forest)
    correlations = _correlations(drawn, asked)
    far, scores = _farthest(seen.drawn, asked, forest)
    return FeaturesData(
        title=title,
        origin=series.facts.origin,
        series=described.rows,
        kept=facts.kept,
        peak=facts.peak,
        baseline=asked.baseline,
        normal=band_of(seen.drawn, np.flatnonzero(seen.drawn.normal)[: sample.PER_GROUP]),
        distributions=_distributions(asked, facts.typical, axes, seen, parsed),
        pairs=_pairs(seen.drawn, _telling(drawn, asked, forest, correlations), far, asked),
        correlations=correlations,
        rules=tuple(_rule(rule, facts, parsed[rule.name], seen.drawn) for rule in facts.rules),
        strange=_strange(seen.drawn, far[:UNUSUAL], scores, asked, forest),
        stages=tuple(stage_of(manifest) for manifest in (series, described)),
    )


def _asked(workspace: Workspace, described: Manifest[FeaturesFacts], baseline: Sequence[str]) -> Asked:
    there = series_parts.schema(workspace).names
    known = tuple(name for name in baseline if name in there)
    return Asked(described.facts.catalogue, known, limit(features_sample.SAMPLE, described.rows))


def _parsed(facts: FeaturesFacts, asked: Asked, constants: Mapping[str, float]) -> dict[str, Parsed]:
    names = [f.name for f in asked.features]
    return {rule.name: limits.parse(rule.name, rule.when, names, constants) for rule in facts.rules}


def _limits(name: str, parsed: Mapping[str, Parsed]) -> tuple[Limit, ...]:
    return tuple(limit for rule in parsed.values() for limit in rule.limits if limit.feature == name)


def _axes(
    drawn: Rows, asked: Asked, parsed: Mapping[str, Parsed], typical: Mapping[str, tuple[float, float]]
) -> list[Axis]:
    """An axis for each feature, from the sample."""
    kept, axes = drawn.rejected == "", []
    for j, feature in enumerate(asked.features):
        x, known = drawn.x[:, j], np.isfinite(drawn.x[:, j])
        drawn_at = [limit.value for limit in _limits(feature.name, parsed)]
        median, spread = typical[feature.name]
        axes.append(axis.fit(x[known], x[known & kept], drawn_at, (median, spread)))
    return axes


def _distributions(
    asked: Asked,
    typical: Mapping[str, tuple[float, float]],
    axes: Sequence[Axis],
    seen: Seen,
    parsed: Mapping[str, Parsed],
) -> tuple[Distribution, ...]:
    return tuple(
        _distribution(feature, tuple(typical[feature.name]), one, counts, _limits(feature.name, parsed))
        for feature, one, counts in zip(asked.features, axes, seen.counts, strict=True)
    )


def _distribution(
    feature: Feature, typical: Sequence[float], one: Axis, counts: Int64s, found: tuple[Limit, ...]
) -> Distribution:
    below, *bins, above, missing = (Sides(kept, rejected) for kept, rejected in counts.T.tolist())
    return Distribution(feature, typical[0], typical[1], one, tuple(bins), below, above, missing, found)


def _correlations(drawn: Rows, asked: Asked) -> Correlations:
    names = tuple(f.name for f in asked.features if f.clustered)
    x = drawn.x[drawn.rejected == ""][:, asked.clustered]
    rho = _spearman(x)
    lower = tuple(tuple(_known(rho[i, :i])) for i in range(len(names)))
    pairs = [(names[j], names[i], r) for i, row in enumerate(lower) for j, r in enumerate(row) if r is not None]
    strong = sorted((p for p in pairs if abs(p[2]) >= STRONG), key=lambda p: -abs(p[2]))
    return Correlations(len(x), names, lower, tuple(strong))


def _spearman(x: Floats) -> Floats:
    """(d, d) correlations of the ranks; NaN where a feature never varies."""
    if len(x) < 2:
        return np.full((x.shape[1], x.shape[1]), np.nan)
    ranks = pl.DataFrame(x).select(pl.all().rank()).to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        rho: Floats = np.atleast_2d(np.corrcoef(ranks, rowvar=False))
    return rho


def _known(values: Floats) -> list[float | None]:
    """Rounded, None for NaN."""
    return [None if np.isnan(v) else round(float(v), 4) for v in values]


def _telling(drawn: Rows, asked: Asked, forest: OutlierForest | None, correlations: Correlations) -> list[str]:
    """The features of the pair plot: greedily, those with most beyond the normal band, none much like one before."""
    if forest is None:
        return []
    kept = drawn.of(drawn.rejected == "")
    away = np.abs(forest.reference.deviations(kept.x[:, asked.clustered], kept.keys))
    beyond = np.log1p(np.maximum(away - BAND, 0.0)).mean(axis=0)
    chosen: list[int] = []
    for i in np.argsort(-beyond, kind="stable").tolist():
        alike = (correlations.rho[max(i, j)][min(i, j)] for j in chosen)
        if beyond[i] > 0 and len(chosen) < PAIRS and all(abs(r or 0.0) <= SAME for r in alike):
            chosen.append(i)
    return [correlations.features[i] for i in chosen]


def _farthest(drawn: Drawn, asked: Asked, forest: OutlierForest | None) -> tuple[npt.NDArray[np.intp], Floats]:
    """(rows, scores): the most unusual of the kept rows, and how unusual each of the drawn rows is."""
    scores = np.full(len(drawn.hashes), np.inf)
    kept = np.flatnonzero(drawn.rejected == "")
    if forest:
        scores[kept] = forest.scores(drawn.x[kept][:, asked.clustered], drawn.keys[kept])
    return features_sample.farthest(scores, drawn.hashes, min(features_sample.FAR, len(kept))), scores


def _pairs(drawn: Drawn, names: Sequence[str], far: npt.NDArray[np.intp], asked: Asked) -> Pairs:
    columns = [[f.name for f in asked.features].index(name) for name in names]
    normal = np.setdiff1d(np.flatnonzero(drawn.normal), far)[:PAIRED]
    rules = np.unique(drawn.rejected[drawn.rejected != ""])
    rejected = [np.flatnonzero(drawn.rejected == rule)[: features_sample.PAIRED] for rule in rules]
    kinds = (normal, np.concatenate([np.empty(0, np.intp), *rejected]), far)
    return Pairs(tuple(names), *(tuple(tuple(_known(row)) for row in drawn.x[rows][:, columns]) for rows in kinds))


def _rule(rule: Rule, facts: FeaturesFacts, parsed: Parsed, drawn: Drawn) -> RuleSeen:
    name = rule.name
    examples = curves_drawn(drawn, np.flatnonzero(drawn.rejected == name)[:EXAMPLES])
    in_all, alone, first = (count.get(name, 0) for count in (facts.in_all, facts.alone, facts.rejected))
    return RuleSeen(name, rule.when, rule.reason, in_all, alone, first, parsed, examples)


def _strange(
    drawn: Drawn, rows: npt.NDArray[np.intp], scores: Floats, asked: Asked, forest: OutlierForest | None
) -> tuple[Strange, ...]:
    if forest is None:
        return ()
    return tuple(
        Strange(curve, _words(drawn, row, forest.reference, asked), round(float(-scores[row]), 6))
        for row, curve in zip(rows.tolist(), curves_drawn(drawn, rows), strict=True)
    )


def _words(drawn: Drawn, row: int, reference: NormalReference, asked: Asked) -> tuple[Unusual, ...]:
    return stands_out(drawn.x[row : row + 1, asked.clustered], drawn.keys[row : row + 1], reference)
