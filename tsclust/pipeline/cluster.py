"""cluster: features/ -> clusters/; one of its groups, or what has no name yet -> clusters/within-GROUP/"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from tsclust import config
from tsclust.config import Labels, Settings
from tsclust.engine.base import Listener, silent
from tsclust.errors import SettingsError
from tsclust.series import ID
from tsclust.stages.clusters import archive, drilldown, messages, renumbering, step
from tsclust.stages.clusters.drilldown import Inside
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import UNLABELLED_GROUP
from tsclust.stages.clusters.scope import Scope, fit_scaler
from tsclust.stages.clusters.step import SweepTask
from tsclust.stages.features import freshness
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.labels import files as label_files
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.scores import unlabelled as unlabelled_series
from tsclust.stages.scores.facts import SCORES
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter, write_manifest
from tsclust.workspace.result import Result, of_stage, up_to_date


def cluster(
    root: Path,
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    within: int | None = None,
    unlabelled: bool = False,
    trial: bool = False,
) -> Result:
    """Run K-means++ over the whole sweep of k and find the groups hidden in it: in all series that are kept, `within`
    one of the groups, or among those `unlabelled`, which have neither a label nor a predicted kind.

    trial: only look at what would be found; clusters/ stays as it is.
    """
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    if unlabelled and within is not None:
        raise SettingsError("--unlabelled and --within are two different sweeps", "Use only one of them")
    with workspace.locked(settings.history.keep):
        workspace.manifest(FEATURES)
        if settings.cluster.baseline_columns:
            freshness.refuse_stale(workspace)
        if not unlabelled and within is None:
            done = _all(workspace, settings, listen, trial)
            return done if not trial or done.skipped else replace(done, then=_as_typed(root, flags))
        files = FeatureFiles.of(workspace)
        if within is not None:
            inside = drilldown.members(workspace, files, within)
        else:
            inside = _unlabelled(workspace, files, settings.labels)
        done = drilldown.drill(workspace, files, settings.cluster, inside, listen, trial)
    more = "--unlabelled" if unlabelled else f"--within {within}"
    return done if not trial or done.skipped else replace(done, then=f"{_as_typed(root, flags)} {more}")


def _as_typed(root: Path, flags: Mapping[str, object] | None) -> str:
    """The command with these flags, to have what was only tried."""
    given = {name: value for name, value in config.section(flags, "cluster").items() if value is not None}
    lists = {name: value if isinstance(value, list | tuple) else [value] for name, value in given.items()}
    words = [f"--{name} {shlex.quote(str(one))}" for name, values in lists.items() for one in values]
    return " ".join([command("cluster", root), *words])


def _unlabelled(workspace: Workspace, files: FeatureFiles, asked: Labels) -> Inside:
    """The series without a name. Raises StageMissingError before labels were imported."""
    labelled = label_files.in_use(workspace, asked.resolve)[ID]
    labels, scores = workspace.manifest(LABELS), workspace.find_manifest(SCORES)
    as_now = scores and scores.inputs.get("features") == files.manifest.output_hash
    rest = unlabelled_series.find(files, labelled, workspace.parts(SCORES) if as_now else [])
    state = config.digest(asked, *(one.output_hash for one in (labels, scores) if one))
    return Inside(UNLABELLED_GROUP, rest, "without a name", state)


def _all(workspace: Workspace, settings: Settings, listen: Listener, trial: bool) -> Result:
    meter, then = Meter(), command("report", workspace.root)
    features, before = workspace.manifest(FEATURES), workspace.reusable(CLUSTERS)
    inputs, digest = {"features": features.output_hash}, config.digest(settings.cluster)
    if before and (before.inputs, before.settings) == (inputs, digest):
        done = up_to_date("cluster", workspace.stage(CLUSTERS), before, then)
        return replace(done, notes=(*done.notes, *freshness.stale_notes(workspace, settings)))
    files = FeatureFiles.of(workspace)
    scope, names = Scope.of(files), files.clustered
    ks = step.feasible_ks(settings.cluster.ks, scope.rows)
    with workspace.trying(CLUSTERS) if trial else workspace.writing(CLUSTERS) as writer:
        scaler = fit_scaler(files, settings.cluster)
        task = SweepTask(scope, ks, settings.cluster, scaler, names)
        swept = step.run(task, writer.folder, "", listen)
        step.write(writer, "", swept)
        highest = archive.highest_number(workspace)
        old, seen, spread = workspace.stage(CLUSTERS), archive.seen_sweeps(workspace), scaler.spreads[0]
        numbered = renumbering.renumber(old, writer.folder, swept.groups, highest, spread, names, seen=seen)
        groups = numbered.groups.with_columns(share=pl.col("size") / scope.rows)
        step.write_groups(writer, "", swept, groups)
        manifest = write_manifest(
            writer, meter, CLUSTERS, settings=digest, inputs=inputs, seed=settings.cluster.seed,
            rows=scope.rows, parts=features.parts,
            facts=step.facts_of(task, swept, numbered),
        )  # fmt: skip
    said = (*messages.of_sweep(manifest, before), *freshness.stale_notes(workspace, settings))
    if trial:
        return messages.of_trial(manifest, numbered, said)
    return of_stage("cluster", workspace.stage(CLUSTERS), manifest, then, notes=said)
