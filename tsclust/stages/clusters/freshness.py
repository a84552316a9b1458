"""Whether clusters/ fits features/."""

from __future__ import annotations

from tsclust.errors import StageMissingError
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.features.facts import FEATURES
from tsclust.wording.english import counted
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace


def refuse_other_features(workspace: Workspace) -> None:
    """Raises StageMissingError where clusters/ was made from features that have changed since."""
    now = workspace.manifest(FEATURES).output_hash
    if workspace.manifest(CLUSTERS).inputs.get("features", now) != now:
        raise other_features(workspace)


def other_features(workspace: Workspace) -> StageMissingError:
    """The error for a clusters/ that was made from features that have changed since."""
    what = f"{workspace.stage(CLUSTERS)} was made from features that have changed since"
    features, clusters = workspace.manifest(FEATURES), workspace.manifest(CLUSTERS)
    more = features.facts.kept - clusters.rows
    if more > 0 and features.facts.described == clusters.facts.described:  # a plant's day: `run` leaves groups alone
        further = counted(more, "further series", "further series")
        return StageMissingError(f"{what}: {further} came", f"Run: {command('run', workspace.root)} --sweep")
    return StageMissingError(what, f"Run: {command('cluster', workspace.root)}")
