"""Whether each stage is there and fits what it was made from, and the settings that count now."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from tsclust import config
from tsclust.config import Settings
from tsclust.stages.clusters.facts import CLUSTERS, sweep_hash
from tsclust.stages.features import catalogue
from tsclust.stages.features.default_rules import CLEAR, in_force
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.features.freshness import describes_others
from tsclust.stages.features.spec import FeatureSpec
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.model.facts import MODEL, is_made_by
from tsclust.stages.scores.facts import SCORES
from tsclust.stages.series import freshness
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Stage

ALWAYS: tuple[Stage[Any], ...] = (SERIES, FEATURES, CLUSTERS)
LATER: tuple[Stage[Any], ...] = (LABELS, MODEL, SCORES)  # stages that not everybody needs

Manifests = Mapping[str, Manifest[Any] | None]


class State(Enum):
    """Of a stage. GROWN: what it was made from has further series, and is otherwise as it was."""

    MISSING = "not there yet"
    OTHER = "out of date"
    GROWN = "made before new series came"
    FRESH = "up to date"


def manifests(workspace: Workspace) -> dict[str, Manifest[Any] | None]:
    """stage -> its manifest, None where it was not made. Raises DamagedError."""
    return {stage.name: workspace.find_manifest(stage) for stage in (*ALWAYS, *LATER)}


def state(name: str, found: Manifests, settings: Settings, root: Path) -> State:
    """How a stage stands; labels/ is never out of date."""
    return judged(name, found, settings, root)[0]


def judged(name: str, found: Manifests, settings: Settings, root: Path) -> tuple[State, str]:
    """How a stage stands, and in words."""
    manifest = found[name]
    if manifest is None:
        return State.MISSING, State.MISSING.value
    if not _is_made_by(name, manifest, settings, root):
        return State.OTHER, "out of date: other settings"
    changed = _changed(manifest, found)
    if changed and _only_grew(name, changed, found):
        return State.GROWN, f"out of date: {changed[0]} changed"
    return (State.OTHER, f"out of date: {changed[0]} changed") if changed else (State.FRESH, State.FRESH.value)


def of_others(found: Manifests) -> dict[str, str]:
    """Stage -> the one before it, of those that were made from another state of it than is there now: who reads them
    is refused. Further series, or other settings, do not count."""
    series, features, clusters = (found.get(stage.name) for stage in ALWAYS)
    others = {}
    if features and series and describes_others(features, series):
        others[FEATURES.name] = SERIES.name
    if clusters and features and _changed(clusters, found) and not _only_grew(CLUSTERS.name, [], found):
        others[CLUSTERS.name] = FEATURES.name
    return others


def _changed(manifest: Manifest[Any], found: Manifests) -> list[str]:
    """The stages that are not what this one was made from any more."""
    pairs = ((source, digest, found.get(source)) for source, digest in manifest.inputs.items() if source in found)
    return [source for source, digest, now in pairs if not now or digest not in (now.output_hash, sweep_hash(now))]


def _only_grew(name: str, changed: list[str], found: Manifests) -> bool:
    """Whether a sweep or a model goes on to be of use: only further series came, described in the same way."""
    if name == "clusters":
        features, clusters = found["features"], found["clusters"]
        return bool(features and clusters and features.facts.described == clusters.facts.described)
    return name == "model" and "labels" not in changed and _as_described(found)


def _as_described(found: Manifests) -> bool:
    features, model = found["features"], found["model"]
    if features is None or model is None:
        return False
    contract, facts = model.facts.feature_contract, features.facts
    then = (contract.catalogue, contract.peak, contract.rules, contract.settings_digest)
    return (facts.catalogue, facts.peak, facts.rules, features.settings) == then


def _is_made_by(name: str, manifest: Manifest[Any], settings: Settings, root: Path) -> bool:
    if name == MODEL.name:
        return is_made_by(manifest, settings)
    return name in (LABELS.name, SCORES.name) or manifest.settings == _digest(name, settings, root)


def _digest(name: str, settings: Settings, root: Path) -> str:
    if name == "series":
        return freshness.digest(settings.source, root)
    return FeatureSpec.read(root, settings).digest if name == "features" else config.digest(settings.cluster)


def has_other_rules(found: Manifests, settings: Settings) -> bool:
    """Whether features/ was screened by other rules than are set now."""
    manifest = found["features"]
    if manifest is None:
        return False
    facts: FeaturesFacts = manifest.facts
    return in_force(settings.rule, facts.agreement >= CLEAR, catalogue.needed(facts.catalogue)) != facts.rules
