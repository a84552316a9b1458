"""status: where things stand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsclust import config
from tsclust.config import Settings
from tsclust.series import ID
from tsclust.stages.clusters.facts import CLUSTERS, sweep_hash
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.spec import FeatureSpec
from tsclust.stages.labels import files
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.status import LabelsStatus
from tsclust.stages.labels.step import group_states
from tsclust.stages.model.facts import MODEL, settings_digest
from tsclust.stages.scores import unlabelled
from tsclust.stages.scores.facts import SCORES
from tsclust.stages.series import freshness
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter, Stage
from tsclust.workspace.past import past_of
from tsclust.workspace.result import Result

ALWAYS: tuple[Stage[Any], ...] = (SERIES, FEATURES, CLUSTERS)
LATER: tuple[Stage[Any], ...] = (LABELS, MODEL, SCORES)  # stages that not everybody needs

MADE_BY = {stage.name: stage.made_by for stage in (*ALWAYS, *LATER)}


def status(root: Path, flags: Mapping[str, object] | None = None) -> Result:
    """Which stages are there, what they hold and cost, and which are out of date."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, freshness.with_remembered(workspace, flags))
    meter = Meter()
    found: dict[str, Manifest[Any] | None] = {stage.name: workspace.find_manifest(stage) for stage in ALWAYS}
    found |= {stage.name: one for stage in LATER if (one := workspace.find_manifest(stage))}
    states = {name: _state(name, found, settings, root) for name in found if name != "labels"}
    past = past_of(workspace)
    reports = past.reports_now(workspace)
    stale = next((name for name, state in states.items() if state != "up to date"), None)
    then = _next(stale, settings, root)
    head = ("stage", "state", "series", "parts", "seconds", "peak MB", "made at")
    table = (head, *(_row(name, state, found[name]) for name, state in states.items()))
    about = {name: _about(manifest) if manifest else {} for name, manifest in found.items()}
    labelled = _labels(workspace, settings, states["clusters"] == "up to date") if found.get("labels") else None
    stages = {name: {"state": state, **about[name]} for name, state in states.items()}
    facts = {"stages": stages, "reports": reports, "labels": labelled.facts() if labelled else {}}
    facts["history"] = past.facts()
    notes = [f"reports: {', '.join(reports)}" if reports else "no report yet"]
    notes += labelled.notes() if labelled else ()
    notes += past.notes()
    if workspace.unfinished(SERIES).exists():
        again = command("extract", root) if settings.source.has_place else "the same command"
        notes.append(f"an extract was interrupted: {again} resumes it")
    return Result("status", None, *meter.read(), notes=tuple(notes), table=table, then=then, facts=facts)


def _next(stale: str | None, settings: Settings, root: Path) -> str:
    """What to type: for series that nobody says where they are, where to say it."""
    then = command(MADE_BY[stale], root) if stale else command("report", root)
    nowhere = stale == "series" and not settings.source.has_place
    return f"{then} --from FILES  (or set [source] in tsclust.toml)" if nowhere else then


def _labels(workspace: Workspace, settings: Settings, fresh: bool) -> LabelsStatus:
    """fresh: clusters/ is there and up to date."""
    labels = files.labels(workspace)
    resolve = files.decider(settings.labels.resolve, labels)
    described = workspace.find_manifest(FEATURES)
    left = unlabelled.count(workspace.parts(FEATURES), labels[ID]) if described else None
    index = files.read_index(workspace) if fresh else None
    groups = group_states(workspace, index) if index else None
    return LabelsStatus(labels, resolve, left, groups)


def _about(manifest: Manifest[Any]) -> dict[str, Any]:
    """A manifest for scripts: without the files, and the facts that nobody reads here."""
    return manifest.model_dump(exclude={"outputs", "facts"}) | {"facts": manifest.facts.shown(manifest.facts.LONG)}


def _state(name: str, found: Mapping[str, Manifest[Any] | None], settings: Settings, root: Path) -> str:
    manifest = found[name]
    if manifest is None:
        return "not there yet"
    if name != "scores" and manifest.settings != _digest(name, settings, root):
        return "out of date: other settings"
    for source, digest in manifest.inputs.items():
        upstream = found.get(source)
        if source in found and (upstream is None or digest not in (upstream.output_hash, sweep_hash(upstream))):
            return f"out of date: {source} changed"
    return "up to date"


def _digest(name: str, settings: Settings, root: Path) -> str:
    if name == "series":
        return freshness.digest(settings.source, root)
    if name == "model":
        return settings_digest(settings)
    return FeatureSpec.read(root, settings).digest if name == "features" else config.digest(settings.cluster)


def _row(name: str, state: str, manifest: Manifest[Any] | None) -> tuple[str, ...]:
    if manifest is None:
        return (name, state, "", "", "", "", "")
    cost = (f"{manifest.seconds:.1f}", f"{manifest.peak_mb:.0f}")
    return (name, state, f"{manifest.rows:,}", f"{manifest.parts}", *cost, manifest.made_at)
