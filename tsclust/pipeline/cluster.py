"""cluster: features/ -> clusters/; one of its groups, or what has no name yet -> clusters/within-GROUP/"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from tsclust import config
from tsclust.config import Labels, Settings
from tsclust.config.flags import as_typed
from tsclust.engine.base import Listener, silent
from tsclust.errors import DamagedError, SettingsError, StageMissingError
from tsclust.pipeline import features, score
from tsclust.pipeline.ending import end
from tsclust.pipeline.engine import engine_of
from tsclust.pipeline.settings import keep, load
from tsclust.series import ID
from tsclust.stages.clusters import archive, drilldown, messages, renumbering, step, with_shapes
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
from tsclust.stages.model import bundle
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores import unlabelled as unlabelled_series
from tsclust.stages.scores.facts import SCORES, state_of_unlabelled
from tsclust.stages.series import incoming
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
    save: bool = False,
) -> Result:
    """Run K-means++ over the whole sweep of k and find the groups hidden in it: in all series that are kept, `within`
    one of the groups, or among those `unlabelled`, which have neither a label nor a predicted kind.

    trial: only look at what would be found; clusters/ stays as it is. save: write the settings of flags to
    tsclust.toml.
    """
    workspace = Workspace.open(root)
    if unlabelled and within is not None:
        raise SettingsError("--unlabelled and --within are two different sweeps", "Use only one of them")
    if trial and save:
        raise SettingsError("--try writes nothing, --save would", "Use only one of them")
    taken = _take_in(workspace, listen) if unlabelled and not trial else ()
    settings = load(workspace, flags, within=UNLABELLED_GROUP if unlabelled else within)
    done = _cluster(workspace, settings, listen, within, unlabelled, trial)
    done = replace(done, notes=(*taken, *done.notes))
    if trial and not done.skipped:
        return replace(done, then=_as_typed(root, flags, within, unlabelled))
    return end(done, workspace, settings, "clusters", save=save)


def _take_in(workspace: Workspace, listen: Listener) -> tuple[str, ...]:
    """What a stream could not name becomes part of series/, is described, scored and swept. Lines about that."""
    with workspace.locked():
        new, unfit = incoming.take_in(workspace)
    if new:
        features.features(workspace.root, None, listen)
        if workspace.find_manifest(MODEL):
            score.score(workspace.root, None, listen)
        if workspace.find_manifest(CLUSTERS):  # a sweep of what has no name stands beside one of all
            with workspace.locked():
                _all(workspace, load(workspace, None), listen, trial=False)
    lines = [f"{new:,} series of {incoming.FOLDER}/ are now part of series/"] if new else []
    if unfit:
        lines.append(
            f"{unfit:,} series of {incoming.FOLDER}/ left out: their id is blank, or of another type than in series/"
        )
    return tuple(lines)


def _cluster(
    workspace: Workspace, settings: Settings, listen: Listener, within: int | None, unlabelled: bool, trial: bool
) -> Result:
    with workspace.locked(settings.history.keep), engine_of(workspace, settings):
        freshness.refuse_stale(workspace)
        if not unlabelled and within is None:
            return _all(workspace, settings, listen, trial)
        files = FeatureFiles.of(workspace)
        if within is not None:
            inside = drilldown.members(workspace, files, within)
        else:
            inside = _unlabelled(workspace, files, settings.labels)
        made_with = settings.differences("cluster").get("cluster", {})
        return drilldown.drill(workspace, files, settings.cluster, made_with, inside, listen, trial)


def _as_typed(root: Path, flags: Mapping[str, object] | None, within: int | None, unlabelled: bool) -> str:
    """The command with these flags, to have what was only tried."""
    given = {name: value for name, value in config.section(flags, "cluster").items() if value is not None}
    words = [as_typed("cluster", name, value) for name, value in given.items()]
    which = ["--unlabelled"] if unlabelled else [] if within is None else [f"--within {within}"]
    return " ".join([command("cluster", root), *words, *which])


def _unlabelled(workspace: Workspace, files: FeatureFiles, asked: Labels) -> Inside:
    """The series without a name. Raises StageMissingError before labels were imported."""
    smallest = label_files.labels(workspace).group_by(ID).agg(pl.col("size").min())
    labelled = label_files.in_use(workspace, asked.resolve).select(ID, "kind").join(smallest, on=ID)
    labels, scores = workspace.manifest(LABELS), workspace.find_manifest(SCORES)
    as_now = scores and scores.inputs.get("features") == files.manifest.output_hash
    scored = workspace.parts(SCORES) if as_now else []
    yardstick = None
    with contextlib.suppress(StageMissingError, DamagedError):  # a model of another scikit-learn is no yardstick
        yardstick = bundle.read(workspace.stage(MODEL)).yardstick if scored else None
    rest = unlabelled_series.find(files, labelled, scored, yardstick)
    state = state_of_unlabelled(asked, labels, scores)
    return Inside(UNLABELLED_GROUP, rest, "without a name", state)


def _all(workspace: Workspace, settings: Settings, listen: Listener, trial: bool) -> Result:
    meter = Meter()
    features, before = workspace.manifest(FEATURES), workspace.reusable(CLUSTERS)
    inputs, digest = {"features": features.output_hash}, config.digest(settings.cluster)
    if before and (before.inputs, before.settings) == (inputs, digest):
        if not trial:
            keep(workspace, CLUSTERS, settings)
        done = up_to_date("cluster", workspace.stage(CLUSTERS), before, "")
        return replace(done, notes=(*done.notes, *freshness.stale_notes(workspace, settings)))
    files = FeatureFiles.of(workspace)
    scope, names = Scope.of(files), files.clustered
    ks = step.feasible_ks(settings.cluster.ks, scope.rows)
    with workspace.trying(CLUSTERS) if trial else workspace.writing(CLUSTERS) as writer:
        scaler = fit_scaler(files, settings.cluster)
        task = SweepTask(scope, ks, settings.cluster, scaler, names)
        swept = step.run(task, writer.folder, "", listen)
        step.write(writer, "", swept)
        found, of_shapes = with_shapes.sweep(task, swept, files.sign, writer, listen)
        highest = archive.highest_number(workspace)
        old, seen, spread = workspace.stage(CLUSTERS), archive.seen_sweeps(workspace), scaler.spreads[0]
        numbered = renumbering.renumber(
            old, writer.folder, found, highest, spread, names, seen=seen, seen_last=archive.is_seen(workspace)
        )
        groups = numbered.groups.with_columns(share=pl.col("size") / scope.rows)
        step.write_groups(writer, "", swept, groups)
        facts = step.facts_of(task, swept, numbered).model_copy(
            update={"described": features.facts.described, "shapes": of_shapes}
        )
        manifest = write_manifest(
            writer, meter, CLUSTERS, settings=digest, inputs=inputs, seed=settings.cluster.seed,
            rows=scope.rows, parts=features.parts,
            facts=facts, made_with=settings.differences("cluster"),
        )  # fmt: skip
    said = (*messages.of_sweep(manifest, before), *freshness.stale_notes(workspace, settings))
    if trial:
        return messages.of_trial(manifest, numbered, said)
    return of_stage("cluster", workspace.stage(CLUSTERS), manifest, "", notes=said)
