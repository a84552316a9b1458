"""The page of the features: its numbers against slow and obvious ones."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import IsolationForest

import tsclust
from tests.support.features_workspace import SERIES_MADE, data_of, describe_table
from tsclust.errors import SettingsError, StageMissingError
from tsclust.hashing import hash_ids
from tsclust.stages.clusters import scaling
from tsclust.stages.features.catalogue import CATALOGUE, least_spreads
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.reports.charts.axis import Axis
from tsclust.stages.reports.features.data import FeaturesData, Sides
from tsclust.stages.reports.features.drawing import draw_histogram
from tsclust.stages.reports.features.limits import Limit
from tsclust.stages.reports.features.page import render
from tsclust.stages.reports.features.sample import SAMPLED
from tsclust.stages.reports.html.page import STATIC
from tsclust.stages.series.facts import SERIES
from tsclust.wording.language import Language
from tsclust.workspace.folder import Workspace


@pytest.fixture(scope="module")
def rows(features_workspace: Workspace) -> pl.DataFrame:
    """All rows of features/ with their carried columns and hash."""
    frames = [pl.read_parquet(path) for path in features_workspace.parts(FEATURES)]
    series = [pl.read_parquet(path, columns=["series_id", "machine_id"]) for path in features_workspace.parts(SERIES)]
    frame = pl.concat(frames).join(pl.concat(series), on="series_id", maintain_order="left")
    return frame.with_columns(hash=hash_ids(frame["series_id"].to_arrow(), 1)).sort("hash")


def slow_bin(value: float | None, edges: tuple[float, ...]) -> int | str:
    if value is None:
        return "missing"
    if value < edges[0]:
        return "below"
    if value >= edges[-1]:
        return "above"
    return next(i for i, (low, high) in enumerate(itertools.pairwise(edges)) if low <= value < high)


@pytest.mark.slow
@pytest.mark.parametrize("feature", ["n_values", "n_missing", "peak_height", "side_to_peak", "rest_level", "p95"])
def test_every_row_is_counted_in_its_bin(features_data: FeaturesData, rows: pl.DataFrame, feature: str) -> None:
    shown = next(d for d in features_data.distributions if d.feature.name == feature)
    counts: Counter[tuple[int | str, bool]] = Counter()
    for value, rejected in rows.select(feature, "rejected_by").iter_rows():
        counts[slow_bin(value, shown.axis.edges), rejected is None] += 1
    sides = [Sides(counts[i, True], counts[i, False]) for i in range(len(shown.axis.edges) - 1)]
    assert shown.bins == tuple(sides)
    assert (shown.below, shown.above, shown.missing) == tuple(
        Sides(counts[where, True], counts[where, False]) for where in ("below", "above", "missing")
    )
    assert sum(counts.values()) == SERIES_MADE


def test_each_feature_has_what_rules_call_it_and_the_limits_of_rules(
    features_workspace: Workspace, features_data: FeaturesData
) -> None:
    typical = features_workspace.manifest(FEATURES).facts.typical
    assert [(d.feature.name, (d.median, d.spread)) for d in features_data.distributions] == [*typical.items()]
    limits = {d.feature.name: d.limits for d in features_data.distributions if d.limits}
    middle, spread = typical["peak_height"]
    high = float(f"{middle + 3 * spread:.12g}")
    assert limits == {
        "run_length": (Limit("never", "run_length", ">", 10_000.0, False),),
        "peak_height": (
            Limit("high", "peak_height", ">", high, False),
            Limit("never", "peak_height", "<", 0.0, True),
        ),
        "side_mean": (Limit("never", "side_mean", "<", 0.0, True),),
    }
    assert {r.name: r.parsed.undrawn for r in features_data.rules if r.parsed.undrawn} == {
        "gaps": (("n_missing", "n_values"),)
    }


def test_rules_have_their_counts_and_the_first_rows_by_hash(
    features_workspace: Workspace, features_data: FeaturesData, rows: pl.DataFrame
) -> None:
    facts = features_workspace.manifest(FEATURES).facts
    assert [r.name for r in features_data.rules] == ["gaps", "high", "never", "not_described"]
    for rule in features_data.rules:
        assert (rule.in_all, rule.alone, rule.first) == tuple(
            getattr(facts, key)[rule.name] for key in ("in_all", "alone", "rejected")
        )
        ids = rows.filter(pl.col("rejected_by") == rule.name)["series_id"].head(6).cast(pl.String).to_list()
        assert [c.series_id for c in rule.examples] == ids
    assert features_data.rules[0].examples[0].carried[0][0] == "machine_id"
    assert features_data.rules[2].examples == ()
    assert (features_data.series, features_data.kept) == (
        SERIES_MADE,
        SERIES_MADE - sum(r.first for r in features_data.rules),
    )


def slow_scores(rows: pl.DataFrame) -> list[tuple[float, str]]:
    """(score, id) of all kept rows, the most unusual first; all of them are in the sample of so small a workspace."""
    assert len(rows) <= SAMPLED
    kept = rows.filter(pl.col("rejected_by").is_null())
    clustered = tuple(f for f in CATALOGUE if f.clustered)
    x = kept.select(f.name for f in clustered).to_numpy()
    keys = kept["machine_id"].to_numpy().astype(str)
    z = scaling.fit(x, keys, "exceedance", least_spreads(clustered, x)).deviations(x, keys)
    z = (np.sign(z) * np.log1p(np.abs(z))).astype(np.float32)
    forest = IsolationForest(n_estimators=100, random_state=1).fit(z)
    return sorted(zip(forest.score_samples(z).tolist(), kept["series_id"].cast(pl.String), strict=True))


def test_the_most_unusual_rows_are_those_of_all_rows(features_data: FeaturesData, rows: pl.DataFrame) -> None:
    slow = slow_scores(rows)[:24]
    scores = [s.score for s in features_data.strange]
    assert scores == sorted(scores, reverse=True)
    found = {(round(-s.score, 6), s.curve.series_id) for s in features_data.strange}
    assert found == {(round(score, 6), name) for score, name in slow}
    assert all(s.unusual for s in features_data.strange[:5])


def test_correlations_are_those_of_the_ranks(features_data: FeaturesData, rows: pl.DataFrame) -> None:
    kept = rows.filter(pl.col("rejected_by").is_null())
    names = features_data.correlations.features
    assert names == tuple(f.name for f in CATALOGUE if f.clustered)
    assert features_data.correlations.rows == len(kept)
    for a, b in (("side_mean", "p50"), ("run_length", "peak_height"), ("side_std", "side_fall")):
        i, j = sorted((names.index(a), names.index(b)), reverse=True)
        slow = kept.select(pl.corr(a, b, method="spearman")).item()
        assert features_data.correlations.rho[i][j] == pytest.approx(slow, abs=1e-4)
    strong = {frozenset(pair[:2]) for pair in features_data.correlations.strong}
    assert frozenset(("side_mean", "p50")) in strong


def test_the_pair_plot_has_rows_of_every_kind(features_data: FeaturesData) -> None:
    names, clustered = features_data.pairs.features, features_data.correlations.features
    assert 2 <= len(names) <= 5
    for a, b in itertools.combinations(sorted(clustered.index(n) for n in names), 2):
        assert abs(features_data.correlations.rho[b][a] or 0.0) <= 0.7
    assert (len(features_data.pairs.kept), len(features_data.pairs.unusual)) == (400, 150)
    assert len(features_data.pairs.rejected) == sum(min(40, r.first) for r in features_data.rules)


@pytest.mark.slow
def test_the_page_is_the_same_for_any_number_of_parts(features_data: FeaturesData, tmp_path: Path) -> None:
    other = data_of(describe_table(tmp_path / "ws"))
    assert replace(other, stages=features_data.stages, origin=features_data.origin) == features_data
    assert render(features_data, "ru") == render(features_data, "ru")


def test_a_limit_far_out_is_named_at_the_edge(features_data: FeaturesData) -> None:
    runs = next(d for d in features_data.distributions if d.feature.name == "run_length")
    (line,) = draw_histogram(runs, Language.load("en")).lines
    assert (line.text, line.place, line.beyond) == ("never > 10,000", 100.0, "→")


def test_counts_are_logarithmic_where_few_rows_would_not_be_seen(features_data: FeaturesData) -> None:
    one, english = features_data.distributions[0], Language.load("en")
    few = replace(one, axis=Axis("linear", 0, 1, (0.0, 1.0, 2.0)), limits=())
    linear = draw_histogram(replace(few, bins=(Sides(50, 10), Sides(1, 0))), english)
    log = draw_histogram(replace(few, bins=(Sides(51, 10), Sides(1, 0))), english)
    assert (linear.log_counts, log.log_counts) == (False, True)
    assert linear.kept == "M0 300H0V0H500V294H1000V300z"
    assert [text for _, text in log.down] == ["1", "10"]


@pytest.mark.slow
def test_the_command_writes_the_page_without_groups(features_workspace: Workspace, tmp_path: Path) -> None:
    result = tsclust.report(features_workspace.root, {"report": {"lang": "ru"}}, kind="features")
    assert result.wrote
    assert result.wrote == features_workspace.reports / "features.html"
    assert result.wrote.stat().st_size < 1_000_000
    assert "Признаки и правила" in result.wrote.read_text(encoding="utf-8")
    assert (
        tsclust.report(features_workspace.root, kind="features", name="other").wrote
        == features_workspace.reports / "other.html"
    )
    with pytest.raises(StageMissingError, match="tsclust cluster"):
        tsclust.report(features_workspace.root)
    with pytest.raises(SettingsError, match="expected groups or features"):
        tsclust.report(features_workspace.root, kind="graph")
    (tmp_path / "tsclust.toml").touch()
    with pytest.raises(StageMissingError, match="tsclust"):
        tsclust.report(tmp_path, kind="features")


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_text_of_the_page_is_used_and_filled(features_pages: dict[str, Path], lang: str) -> None:
    html = features_pages[lang].read_text(encoding="utf-8")
    body = html[html.index("<body>") : html.index("<script")]
    assert "{" not in re.sub(r"\{(n|of|)\}", "", body)  # these are filled in by the page
    files = (STATIC / "features.html", *STATIC.parent.glob("features/*.py"))
    words = set(re.findall(r"\w+", "".join(path.read_text(encoding="utf-8") for path in files)))
    assert set(Language.load(lang).texts["features_page"]) <= words


def test_the_catalogue_is_said_in_both_languages() -> None:
    english, russian = (Language.load(lang).texts for lang in ("en", "ru"))
    assert set(russian["meanings"]) == {f.meaning for f in CATALOGUE}
    assert set(english["meanings"]) < set(russian["meanings"])  # in the words of the report, where these are others
    for texts in (english, russian):
        assert {f.unit for f in CATALOGUE} <= set(texts["units"])
        assert {f.phase for f in CATALOGUE} | {"extra"} <= set(texts["phases"])
    assert Language.load("ru").meaning("One of my own.") == "One of my own."
