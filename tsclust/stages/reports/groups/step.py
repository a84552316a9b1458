"""A workspace -> what the report of its groups says, in one pass over the parts, memory bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pyarrow as pa

from tsclust.arrays import Keys
from tsclust.config import Cluster, Report
from tsclust.engine.base import WORKERS, map_parts
from tsclust.engine.threads import pool_of_threads
from tsclust.hashing import hash_ids, limit
from tsclust.memory import give_back
from tsclust.series import keys
from tsclust.stages.clusters import membership
from tsclust.stages.clusters.facts import CLUSTERS, ClustersFacts
from tsclust.stages.clusters.membership import inside_of
from tsclust.stages.clusters.parts import (
    ClusterRow,
    group_rows,
    of_sweep,
    read_centers,
    read_group_rows,
    read_groups,
    read_map,
    read_sweep,
    read_traits,
)
from tsclust.stages.clusters.proposal import FEW
from tsclust.stages.clusters.scope import fit_scaler
from tsclust.stages.clusters.selection import THE_SWEEP, ReportScope, SelectedGroups, choose
from tsclust.stages.features import catalogue
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.catalogue import START, Feature
from tsclust.stages.features.facts import FeaturesFacts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.labels import files as label_files
from tsclust.stages.labels import group_state
from tsclust.stages.labels.group_state import GroupState, LabelIndex
from tsclust.stages.reports.charts.figures import SweepTables, overview
from tsclust.stages.reports.data import Group, ReportData
from tsclust.stages.reports.groups.cards import gets_card, groups_of, periods_of, rejected_of, stage_of
from tsclust.stages.reports.groups.counts import count
from tsclust.stages.reports.groups.families import Likes, arranged
from tsclust.stages.reports.groups.leaning import Payoff
from tsclust.stages.reports.groups.normal_ways import ways
from tsclust.stages.reports.groups.own_normal import OwnNormals, band_of
from tsclust.stages.reports.groups.sample import (
    MEMBERS_DRAWN,
    NORMAL_DRAWN,
    SEED,
    Sample,
    SampleRequest,
    first_of_each_rule,
    join_samples,
    normal_mass,
    texts,
    whole,
)
from tsclust.stages.reports.groups.unusual import NormalReference
from tsclust.stages.reports.made_from import Model
from tsclust.stages.reports.measured import Measured
from tsclust.stages.series import parts as series_parts
from tsclust.workspace.folder import Workspace


def collect(workspace: Workspace, settings: Report, wanted: ReportScope = THE_SWEEP) -> ReportData:
    """The report of a workspace that has series, features and clusters.

    Raises StageMissingError for one that lacks them, SettingsError where there is not what is `wanted`.
    """
    files, clusters, folder = FeatureFiles.of(workspace), workspace.manifest(CLUSTERS), workspace.stage(CLUSTERS)
    labelled = label_files.read_index(workspace)
    chosen, under = _chosen(workspace, wanted, labelled)
    series, described = files.series.manifest, files.manifest
    features = tuple(f for f in described.facts.catalogue if f.clustered)
    asked = _asked(chosen, described.facts, clusters.facts, features, labelled)
    # The scaler first: it takes more memory meanwhile than the sample that is kept.
    reference = NormalReference(features, fit_scaler(files, _compared_by(clusters.facts)))
    give_back()  # what a pass leaves behind would stand under what comes next
    drawn = draw_sample(files, folder, asked)
    give_back()
    was, normals = _known(chosen, drawn, labelled), OwnNormals.of(drawn, reference)
    shown = [j for j, called in enumerate(was) if gets_card(wanted, called)]
    normal = band_of(drawn, np.flatnonzero(drawn.normal)[:MEMBERS_DRAWN])
    return ReportData(
        title=settings.title,
        origin=series.facts.origin,
        series=series.rows,
        kept=clusters.rows,
        periods=tuple(periods_of(drawn.counts.spans)),
        peak=described.facts.peak,
        found=_found(folder),
        baseline=asked.baseline,
        regimes=reference.regimes,
        normal=normal,
        groups=groups_of(
            chosen,
            drawn,
            reference,
            was,
            shown,
            _curves(chosen, settings.members),
            normal,
            under,
            read_traits(folder),
            _by_threads,
        ),
        named=len(was) - len(shown),
        kinds=labelled.named if labelled else (),
        rejected=rejected_of(described.facts, drawn),
        sweep=_sweep(folder),
        elbow=clusters.facts.advice.elbow,
        best_silhouette=clusters.facts.advice.silhouette,
        features=features,
        settings=_settings(described.facts, clusters.facts),
        stages=tuple(stage_of(manifest) for manifest in (series, described, clusters)),
        model=clusters.output_hash,
        measured=Measured.of(settings, series.facts.layout, drawn.table),
        ways=ways(normals, reference, asked.baseline) if wanted == THE_SWEEP else (),
    )


def _by_threads(one: Callable[[int], Group], cards: Sequence[int]) -> Iterator[Group]:
    """Always here, whichever engine has the parts: what is drawn is in memory here."""
    return pool_of_threads(one, cards, WORKERS, lambda: None)


def _chosen(
    workspace: Workspace, wanted: ReportScope, labelled: LabelIndex | None
) -> tuple[SelectedGroups, dict[int, tuple[int, float]]]:
    """What gets a card; of the whole sweep also which groups are but rows under one, as in `arranged`."""
    chosen = choose(workspace, wanted)
    if wanted.k is not None or wanted.group is not None:
        return chosen, {}
    groups = read_group_rows(workspace.stage(CLUSTERS))
    payoff = Payoff.of(groups, labelled.asked, labelled.paid) if labelled else Payoff()
    cards, under = arranged(partial(_likes, workspace), payoff.leaned(chosen.cards), payoff.leaned(groups))
    return replace(chosen, cards=tuple(cards)), under


def _likes(workspace: Workspace, rows: Sequence[ClusterRow]) -> Likes:
    """Of all series of the main sweep, in one pass over its assignments."""
    one_part = partial(_likes_in_part, workspace.stage(CLUSTERS), rows)
    return Likes.joined(list(map_parts(one_part, workspace.parts(CLUSTERS))))


def _likes_in_part(clusters: Path, rows: Sequence[ClusterRow], path: Path) -> Likes:
    _, inside = membership.read_of_all(clusters, path.name, [row.ref for row in rows])
    return Likes.of(inside, np.ones(len(inside), np.int64))


def _curves(chosen: SelectedGroups, members: int) -> int:
    """How many to show of a group: all where they are too few to divide."""
    return max(members, FEW) if any(card.k == 1 for card in chosen.cards) else members


def _asked(
    chosen: SelectedGroups,
    described: FeaturesFacts,
    swept: ClustersFacts,
    features: tuple[Feature, ...],
    labelled: LabelIndex | None,
) -> SampleRequest:
    """The cards, then what is normal; only of the latter the normal mass is made."""
    normal = np.arange(len(chosen.members)) >= len(chosen.cards)
    baseline, names = swept.baseline, catalogue.clustered(features)
    return SampleRequest(chosen.members, normal, described.kept, baseline, names, labelled)


def _compared_by(facts: ClustersFacts) -> Cluster:
    """The settings of the sweep that made the groups, which need not be those of now.

    Where it found no regimes they are not looked for again: HDBSCAN alone takes a second to import.
    """
    asked = facts.asked or Cluster(baseline=facts.baseline)
    return asked.model_copy(update={"regimes": facts.regimes > 0})


def _found(clusters: Path) -> int:
    return len(of_sweep(read_groups(clusters)))


def _known(chosen: SelectedGroups, drawn: Sample, labelled: LabelIndex | None) -> list[GroupState | None]:
    """Of each card: what its members were called before."""
    if labelled is None:
        return [None] * len(chosen.cards)
    counts = drawn.counts.called.T
    return [group_state.state_of(labelled, counts[j], row) for j, row in enumerate(chosen.cards)]


def _settings(described: FeaturesFacts, swept: ClustersFacts) -> tuple[tuple[str, Any], ...]:
    """What the stages were asked, as they noted it down: the source's own settings may hold secrets, and stay out."""
    asked = {"features.peak": described.peak}
    in_json = swept.asked.model_dump(mode="json", exclude_unset=True) if swept.asked else {}
    asked |= {f"cluster.{name}": value for name, value in in_json.items()}
    return tuple(asked.items())


def _sweep(clusters: Path) -> tuple[Model, ...]:
    names = list(Model.__dataclass_fields__)
    sweep = read_sweep(clusters).select(names).sort("k")
    return tuple(Model(**row) for row in sweep.iter_rows(named=True))


def draw_sample(files: FeatureFiles, clusters: Path, asked: SampleRequest) -> Sample:
    """Go through all parts once."""
    one_part = partial(_draw_part, files.series.folder, clusters, asked)
    return join_samples(list(map_parts(one_part, files.paths)))


def _draw_part(series_folder: Path, clusters: Path, asked: SampleRequest, path: Path) -> Sample:
    """What `draw_sample` needs of one part."""
    features = feature_parts.read(path, [START, *asked.features])
    series = series_parts.read_table(series_folder / path.name)
    kept, hashes = features.kept, hash_ids(features.ids, SEED)
    inside = inside_of(clusters, path.name, asked.groups, features.ids, kept)
    normal = normal_mass(asked, inside, kept)
    members = inside & (hashes[:, None] <= asked.limits)
    usual = normal & (hashes <= limit(NORMAL_DRAWN, asked.kept))
    drawn = members.any(axis=1) | usual
    drawn[first_of_each_rule(features.rejected_by, hashes)] = True
    rows = np.flatnonzero(drawn)
    taken, rejected = series.take(rows), pl.Series(features.rejected_by.take(rows))
    return Sample(
        taken, hashes[rows], whole(features.x[rows, 0]), features.x[rows, 1:], keys_of(taken, asked.baseline),
        members[rows], usual[rows], texts(rejected), count(series, kept, inside, asked.labelled),
    )  # fmt: skip


def keys_of(series: pa.Table, baseline: Sequence[str]) -> Keys:
    """(n,) the baseline key of each row of a part of series/, "" without a baseline."""
    return keys(pl.DataFrame(series.select(list(baseline)))) if baseline else np.full(len(series), "")


def overview_figures(workspace: Workspace, lang: str) -> dict[str, go.Figure]:
    """The pictures of the overview, by name. Raises StageMissingError for a workspace without clusters."""
    advice, folder = workspace.manifest(CLUSTERS).facts.advice, workspace.stage(CLUSTERS)
    groups = group_rows(of_sweep(read_groups(folder)))
    return overview(SweepTables(advice, read_sweep(folder), read_centers(folder), groups, read_map(folder)), lang)
