"""status: what labels there are, and what is left without one."""

from __future__ import annotations

from tsclust.config import Settings
from tsclust.series import ID
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import files
from tsclust.stages.labels.status import LabelsStatus
from tsclust.stages.labels.step import group_states
from tsclust.stages.scores import unlabelled
from tsclust.workspace.folder import Workspace


def labels_status(workspace: Workspace, settings: Settings, fresh: bool) -> LabelsStatus:
    """fresh: clusters/ is there and up to date."""
    labels = files.labels(workspace)
    resolve = files.decider(settings.labels.resolve, labels)
    described = workspace.find_manifest(FEATURES)
    left = unlabelled.count(workspace.parts(FEATURES), labels[ID]) if described else None
    index = files.read_index(workspace) if fresh else None
    groups = group_states(workspace, index) if index else None
    return LabelsStatus(labels, resolve, left, groups)
