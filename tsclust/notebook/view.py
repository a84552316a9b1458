"""open: a workspace for notebooks, as Polars frames and Plotly figures."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pyarrow as pa

import tsclust
from tsclust.engine.base import map_parts
from tsclust.errors import SettingsError, StageMissingError
from tsclust.hashing import hash_ids
from tsclust.notebook import group_figures
from tsclust.notebook.labels_view import LabelsView
from tsclust.notebook.try_feature import try_feature
from tsclust.pipeline.settings import load
from tsclust.series import ID, VALUES
from tsclust.stages.clusters import membership, parts
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import ClusterRow, GroupRef
from tsclust.stages.clusters.scope import Scope
from tsclust.stages.clusters.selection import THE_SWEEP, ReportScope, choose, clusters_of
from tsclust.stages.features import custom, freshness
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.catalogue import START, Feature
from tsclust.stages.features.custom import Extra
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.reports.groups.sample import SEED
from tsclust.stages.reports.groups.step import collect, overview_figures
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace

COUNTS = ("rejected", "in_all", "alone")  # of what a rule rejects

Own = Callable[[Any], Any]  # a feature of one's own: the values of a series -> a number


def open(root: Path | str) -> WorkspaceView:
    """The workspace at `root`, for a notebook.

    Raises NotAWorkspaceError where there is none, SettingsError where its tsclust.toml cannot be used.
    """
    workspace = Workspace.open(Path(root))
    return WorkspaceView(workspace, load(workspace, None))


@dataclass(frozen=True)
class WorkspaceView(LabelsView):
    """A workspace in a notebook: its files as frames, its groups as figures. Read again at each access.

    What is about labels, the model and scores comes from LabelsView. A group is named by its number, a cluster of one
    model by `k` and `cluster`. Raises SettingsError for a group, k, cluster or feature that is not there, and
    StageMissingError, with the command to run, for what was not made yet.
    """

    @property
    def series(self) -> pl.LazyFrame:
        """All series: series_id, carried columns, values."""
        freshness.refuse_nothing(self.workspace)
        return series_parts.scan(self.workspace.parts(SERIES))

    @property
    def features(self) -> pl.LazyFrame:
        """Of all series: series_id, a column for each feature in its unit, rejected_by (null: kept)."""
        return feature_parts.scan(self.workspace.parts(FEATURES))

    @property
    def kept(self) -> pl.LazyFrame:
        """`features` of the series that the rules keep."""
        return feature_parts.scan_kept(self.workspace.parts(FEATURES))

    @property
    def rules(self) -> pl.DataFrame:
        """The rules in their order: how many series each rejects as the first, in all and alone; when and why."""
        facts = self.workspace.manifest(FEATURES).facts
        rules = pl.DataFrame([rule.model_dump() for rule in facts.rules], schema=["name", "when", "reason"])
        counts = [pl.col("name").replace_strict(getattr(facts, of), return_dtype=pl.Int64).alias(of) for of in COUNTS]
        return rules.select(pl.col("name").alias("rule"), *counts, "when", "reason")

    @property
    def groups(self) -> pl.DataFrame:
        """The groups of the main sweep and of the drill-downs in it, most worth looking at first."""
        return parts.read_groups(self._clusters)

    @property
    def sweep(self) -> pl.DataFrame:
        """A row per k: inertia, silhouette, davies_bouldin, ..."""
        return parts.read_sweep(self._clusters)

    @property
    def centers(self) -> pl.DataFrame:
        """A row per cluster of every k: size, silhouette, mean features in their units."""
        return parts.read_centers(self._clusters)

    @property
    def map(self) -> pl.DataFrame:
        """A sample of the series on the plane of features: series_id, x, y, group.

        group is null for a series in none of the malfunctions that the sweep over features proposes: groups of shapes
        are not on the map.
        """
        points = parts.read_map(self._clusters)
        if points is None:
            again = f"Run: {command('cluster', self.workspace.root)}"
            raise StageMissingError(f"{self._clusters} was made by a version that drew no map", again)
        return points

    @property
    def figures(self) -> dict[str, go.Figure]:
        """The pictures of the report's overview, by name."""
        return overview_figures(self.workspace, self.settings.report.lang)

    def clusters(self, k: int) -> pl.DataFrame:
        """The clusters of the model with `k`, most worth looking at first: the columns of `centers`."""
        self.workspace.manifest(CLUSTERS)
        return clusters_of(self.workspace, k)

    def members(self, group: int | None = None, *, k: int | None = None, cluster: int | None = None) -> pl.LazyFrame:
        """series_id of the members of a group, or of a cluster."""
        return membership.scan_members(self._clusters, self._members(_wanted(group, k, cluster)))

    def curves(
        self, group: int | None = None, *, k: int | None = None, cluster: int | None = None, count: int = 20
    ) -> pl.DataFrame:
        """`count` of the members, drawn by the hash of their id: series_id, carried columns, start, values.

        start is the sample at which the run starts. A carried column that is called so too is `start_carried`.
        """
        members = self._members(_wanted(group, k, cluster))
        self._refuse_stale()
        scope = Scope.of(FeatureFiles.of(self.workspace)).within(self._clusters, members)
        ids = pl.DataFrame({ID: _first(scope, count)})
        wanted = pl.col(ID).is_in(ids[ID].to_list())
        starts = self.features.filter(wanted).select(ID, pl.col(START).cast(pl.Int64)).collect()
        found = ids.join(starts, on=ID, maintain_order="left").join(
            self.series.filter(wanted).collect(), on=ID, suffix="_carried", maintain_order="left"
        )
        return found.select(ID, pl.exclude(ID, START, VALUES), START, VALUES)

    def draw(self, group: int | None = None, *, k: int | None = None, cluster: int | None = None) -> go.Figure:
        """Some of the members as curves over the normal band, the typical one on top."""
        wanted = _wanted(group, k, cluster)
        self._refuse_stale()
        found = collect(self.workspace, self.settings.report, wanted)
        return group_figures.curves_of(found.groups[0], found.normal, self.settings.report.lang)

    def drill(self, group: int, **settings: Any) -> pl.DataFrame:
        """Look for groups inside of one, and put them into the workspace, as `tsclust cluster --within` does.

        The groups found, as in `groups`. settings: of [cluster], like k="2..10" or seed=2. Raises what
        `tsclust.cluster` raises.
        """
        tsclust.cluster(self.workspace.root, {"cluster": settings}, within=group)
        return parts.of_sweep(self.groups, group)

    def try_feature(self, function: Own, group: int | None = None) -> pl.DataFrame:
        """What a feature of one's own is on a sample in which every group is found: series_id, group, value.

        function: of the finite values of a series, at least 8, in the direction of the peak (docs/features.md).
        group: the first of the groups proposed that has the series, or the one asked for; null: none.
        Raises SettingsError with the id of a series on which the function fails.
        """
        return try_feature(self.workspace, self._cards(group), self._feature(function))

    def spread(self, feature: str | Own, group: int | None = None) -> go.Figure:
        """A feature, named or one's own, over each of the groups proposed, or one, and the series in none of them."""
        cards, known = self._cards(group), self._feature(feature)
        order = [row.group for row in cards if row.group is not None]
        about = known if isinstance(known, Feature) else known.feature
        return group_figures.spread_of(
            try_feature(self.workspace, cards, known), order, about, self.settings.report.lang
        )

    @property
    def _clusters(self) -> Path:
        """The folder clusters/. Raises StageMissingError where it is not there."""
        self.workspace.manifest(CLUSTERS)
        return self.workspace.stage(CLUSTERS)

    def _members(self, wanted: ReportScope) -> GroupRef:
        self.workspace.manifest(CLUSTERS)
        return choose(self.workspace, wanted).members[0]

    def _cards(self, group: int | None) -> list[ClusterRow]:
        """The malfunctions proposed, or one group."""
        self._refuse_stale()
        if group is not None:
            return list(choose(self.workspace, ReportScope(group=group)).cards)
        return [row for row in choose(self.workspace, THE_SWEEP).cards if not row.normal]

    def _feature(self, feature: str | Own) -> Feature | Extra:
        if not isinstance(feature, str):
            return custom.of_function(feature)
        known = {one.name: one for one in self.workspace.manifest(FEATURES).facts.catalogue}
        if feature not in known:
            near = difflib.get_close_matches(feature, known, n=3) or list(known)[:3]
            raise SettingsError(
                f"there is no feature {feature!r}: expected one like {', '.join(near)}",
                "docs/features.md lists them all",
            )
        return known[feature]


def _wanted(group: int | None, k: int | None, cluster: int | None) -> ReportScope:
    """Raises SettingsError for what is neither a group nor a cluster."""
    if (group is None) == (k is None) or (k is None) != (cluster is None):
        raise SettingsError(
            f"group = {group}, k = {k}, cluster = {cluster}: expected a group's number, or k and cluster",
            "For example draw(1) or draw(k=12, cluster=3)",
        )
    return ReportScope(k=k, group=group, cluster=cluster)


def _first(scope: Scope, count: int) -> pl.Series:
    """The ids of the scope's series with the smallest hashes, in the order of these."""
    each = map_parts(partial(scope.read, columns=(), baseline=()), scope.paths)
    ids = pa.concat_arrays([part.ids for part in each])
    return pl.Series(ids.take(pa.array(np.argsort(hash_ids(ids, SEED), kind="stable")[:count])))
