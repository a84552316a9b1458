"""A workspace -> what the features page says:

A sample first, which decides bins and measure; then counts of all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from tsclust.arrays import Floats, Int64s
from tsclust.config import Cluster, Rule
from tsclust.engine.base import map_parts
from tsclust.hashing import hash_ids, limit, order_of
from tsclust.stages.clusters.scaling import BAND
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.catalogue import START, Feature
from tsclust.stages.features.facts import FeaturesFacts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.reports.charts import axis
from tsclust.stages.reports.charts.axis import Axis, within
from tsclust.stages.reports.data import Unusual
from tsclust.stages.reports.features import limits
from tsclust.stages.reports.features.data import (
    SAME,
    STRONG,
    Correlations,
    Distribution,
    FeaturesData,
    Pairs,
    RuleSeen,
    Sides,
    Strange,
)
from tsclust.stages.reports.features.limits import Limit, Parsed
from tsclust.stages.reports.features.sample import (
    PAIRED_OUTLIERS,
    PAIRED_PER_RULE,
    SAMPLED,
    CountedRows,
    OutlierForest,
    RowsRequest,
    SampledRows,
    count_bins,
    farthest,
    first_of_each_rule,
    fit_forest,
    most_unusual,
)
from tsclust.stages.reports.groups.cards import curves_drawn, stage_of
from tsclust.stages.reports.groups.counts import NONE
from tsclust.stages.reports.groups.own_normal import OwnNormals, band_of
from tsclust.stages.reports.groups.sample import (
    EXAMPLES_PER_RULE,
    MEMBERS_DRAWN,
    SEED,
    Sample,
    join_samples,
    texts,
    whole,
)
from tsclust.stages.reports.groups.unusual import NormalReference, stands_out
from tsclust.stages.series import parts as series_parts
from tsclust.workspace.folder import Workspace

OUTLIERS_SHOWN = 24  # most unusual series shown
PAIRED_FEATURES = 5  # features in the pair plot
PAIRED_KEPT = 400  # kept rows in the pair plot


def collect(workspace: Workspace, title: str, constants: Mapping[str, float], sweep: Cluster) -> FeaturesData:
    """The page of a workspace that has series and features. Raises StageMissingError for one that lacks.

    constants  what rules may call by name, like typical_run_length
    sweep      how series are to be compared; columns of the baseline that are not there don't count
    """
    files = FeatureFiles.of(workspace)
    facts, asked = files.facts, _asked(files, sweep.baseline_columns)
    parsed = _parsed(facts, asked, constants)
    drawn = draw_rows(files, asked)
    forest = fit_forest(drawn, asked, sweep)
    axes = _axes(drawn, asked, parsed, facts.typical)
    seen = count_rows(files, asked, axes, forest)
    correlations = _correlations(drawn, asked)
    far, scores = _farthest(seen.drawn, asked, forest)
    normals = OwnNormals.by_key(seen.drawn)
    return FeaturesData(
        title=title,
        origin=files.series.manifest.facts.origin,
        series=files.manifest.rows,
        kept=facts.kept,
        peak=facts.peak,
        baseline=asked.baseline,
        normal=band_of(seen.drawn, np.flatnonzero(seen.drawn.normal)[:MEMBERS_DRAWN]),
        distributions=_distributions(asked, facts.typical, axes, seen, parsed),
        pairs=_pairs(seen.drawn, _telling(drawn, asked, forest, correlations), far, asked),
        correlations=correlations,
        rules=tuple(_rule(rule, facts, parsed[rule.name], normals) for rule in facts.rules),
        strange=_strange(normals, far[:OUTLIERS_SHOWN], scores, asked, forest),
        stages=tuple(stage_of(manifest) for manifest in (files.series.manifest, files.manifest)),
    )


def _asked(files: FeatureFiles, baseline: Sequence[str]) -> RowsRequest:
    known = tuple(name for name in baseline if name in files.series.schema.names)
    return RowsRequest(files.facts.catalogue, known, limit(SAMPLED, files.manifest.rows))


def _parsed(facts: FeaturesFacts, asked: RowsRequest, constants: Mapping[str, float]) -> dict[str, Parsed]:
    names = [f.name for f in asked.features]
    return {rule.name: limits.parse(rule.name, rule.when, names, constants) for rule in facts.rules}


def _limits(name: str, parsed: Mapping[str, Parsed]) -> tuple[Limit, ...]:
    return tuple(limit for rule in parsed.values() for limit in rule.limits if limit.feature == name)


def _axes(
    drawn: SampledRows, asked: RowsRequest, parsed: Mapping[str, Parsed], typical: Mapping[str, tuple[float, float]]
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
    asked: RowsRequest,
    typical: Mapping[str, tuple[float, float]],
    axes: Sequence[Axis],
    seen: CountedRows,
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


def _correlations(drawn: SampledRows, asked: RowsRequest) -> Correlations:
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


def _telling(
    drawn: SampledRows, asked: RowsRequest, forest: OutlierForest | None, correlations: Correlations
) -> list[str]:
    """The features of the pair plot: greedily, those with most beyond the normal band, none much like one before."""
    if forest is None:
        return []
    kept = drawn.of(drawn.rejected == "")
    away = np.abs(forest.reference.deviations(kept.x[:, asked.clustered], kept.keys))
    beyond = np.log1p(np.maximum(away - BAND, 0.0)).mean(axis=0)
    chosen: list[int] = []
    for i in np.argsort(-beyond, kind="stable").tolist():
        alike = (correlations.rho[max(i, j)][min(i, j)] for j in chosen)
        if beyond[i] > 0 and len(chosen) < PAIRED_FEATURES and all(abs(r or 0.0) <= SAME for r in alike):
            chosen.append(i)
    return [correlations.features[i] for i in chosen]


def _farthest(drawn: Sample, asked: RowsRequest, forest: OutlierForest | None) -> tuple[Int64s, Floats]:
    """(rows, scores): the most unusual of the kept rows, and how unusual each of the drawn rows is."""
    scores = np.full(len(drawn.hashes), np.inf)
    kept = np.flatnonzero(drawn.rejected == "")
    if forest:
        scores[kept] = forest.scores(drawn.x[kept][:, asked.clustered], drawn.keys[kept])
    return farthest(scores, drawn.hashes, min(PAIRED_OUTLIERS, len(kept))), scores


def _pairs(drawn: Sample, names: Sequence[str], far: Int64s, asked: RowsRequest) -> Pairs:
    columns = [[f.name for f in asked.features].index(name) for name in names]
    normal = np.setdiff1d(np.flatnonzero(drawn.normal), far)[:PAIRED_KEPT]
    rules = np.unique(drawn.rejected[drawn.rejected != ""])
    rejected = [np.flatnonzero(drawn.rejected == rule)[:PAIRED_PER_RULE] for rule in rules]
    kinds = (normal, np.concatenate([np.empty(0, np.intp), *rejected]), far)
    return Pairs(tuple(names), *(tuple(tuple(_known(row)) for row in drawn.x[rows][:, columns]) for rows in kinds))


def _rule(rule: Rule, facts: FeaturesFacts, parsed: Parsed, normals: OwnNormals) -> RuleSeen:
    name = rule.name
    examples = curves_drawn(normals, np.flatnonzero(normals.drawn.rejected == name)[:EXAMPLES_PER_RULE])
    in_all, alone, first = (count.get(name, 0) for count in (facts.in_all, facts.alone, facts.rejected))
    return RuleSeen(name, rule.when, rule.reason, in_all, alone, first, parsed, examples)


def _strange(
    normals: OwnNormals, rows: Int64s, scores: Floats, asked: RowsRequest, forest: OutlierForest | None
) -> tuple[Strange, ...]:
    if forest is None:
        return ()
    return tuple(
        Strange(curve, _words(normals.drawn, row, forest.reference, asked), round(float(-scores[row]), 6))
        for row, curve in zip(rows.tolist(), curves_drawn(normals, rows), strict=True)
    )


def _words(drawn: Sample, row: int, reference: NormalReference, asked: RowsRequest) -> tuple[Unusual, ...]:
    return stands_out(drawn.x[row : row + 1, asked.clustered], drawn.keys[row : row + 1], reference)


def draw_rows(files: FeatureFiles, asked: RowsRequest) -> SampledRows:
    """The sample, in the order of the hashes."""
    parts = list(map_parts(partial(_sampled_part, files.series.folder, asked), files.paths))
    order = order_of([p.hashes for p in parts])
    names = SampledRows.__dataclass_fields__
    return SampledRows(*(np.concatenate([getattr(p, name) for p in parts])[order] for name in names))


def count_rows(
    files: FeatureFiles, asked: RowsRequest, axes: Sequence[Axis], forest: OutlierForest | None
) -> CountedRows:
    """Go through all rows once."""
    counts: list[Int64s] = []
    drawn = []
    for part in map_parts(partial(_count_part, files.series.folder, asked, axes, forest), files.paths):
        counts = [a + b for a, b in zip(counts, part.counts, strict=True)] if counts else part.counts
        drawn.append(part.drawn)
    return CountedRows(counts, join_samples(drawn))


def _sampled_part(folder: Path, asked: RowsRequest, path: Path) -> SampledRows:
    rows = _read_part(folder, asked, path)
    return rows.of(rows.hashes <= asked.limit)


def _read_part(folder: Path, asked: RowsRequest, path: Path) -> SampledRows:
    """All rows of a part of features/; folder: where that of series/ is."""
    found = feature_parts.read(path, [f.name for f in asked.features])
    keys = series_parts.read_keys(folder / path.name, asked.baseline, np.ones(len(found), bool))
    return SampledRows(hash_ids(found.ids, SEED), within(found.x), keys, texts(pl.Series(found.rejected_by)))


def _count_part(
    folder: Path, asked: RowsRequest, axes: Sequence[Axis], forest: OutlierForest | None, path: Path
) -> CountedRows:
    """What `count_rows` needs of one part."""
    series = series_parts.read_table(folder / path.name)
    rows = _read_part(folder, asked, path)
    kept = rows.rejected == ""
    counts = [count_bins(axis.bins(rows.x[:, j]), kept, len(axis.edges) + 2) for j, axis in enumerate(axes)]
    usual = kept & (rows.hashes <= asked.limit)
    shown = np.flatnonzero(usual | first_of_each_rule(rows) | most_unusual(rows, kept, asked, forest))
    few = rows.of(shown)
    start = whole(few.x[:, [f.name for f in asked.features].index(START)])
    inside = np.zeros((len(shown), 0), bool)
    return CountedRows(
        counts,
        Sample(series.take(shown), few.hashes, start, few.x, few.keys, inside, usual[shown], few.rejected, NONE),
    )
