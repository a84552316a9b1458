"""status: what labels there are, and what is left without one. Counted once, by the command that has changed it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pydantic import ValidationError

from tsclust import config
from tsclust.config import Settings
from tsclust.errors import DiskFullError, TsclustError
from tsclust.pipeline.stage_state import State, manifests, state
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.status import WORDS, LabelsStatus
from tsclust.workspace.atomic import write_file
from tsclust.workspace.folder import Workspace

FILE = ".tsclust.labels.json"  # what was counted last, beside the hash of what it was counted in


def labels_status(workspace: Workspace, settings: Settings) -> LabelsStatus | None:
    """What was counted, or is now; None before the first import."""
    found = manifests(workspace)
    if found[LABELS.name] is None:
        return None
    fresh = state(CLUSTERS.name, found, settings, workspace.root) is State.FRESH
    stages = [one.output_hash if (one := found[name]) else "" for name in (LABELS.name, FEATURES.name, CLUSTERS.name)]
    made_of = config.digest(repr((stages, fresh, settings.labels.resolve)))
    path = workspace.root / FILE
    if (counted := _read(path, made_of)) is None:
        counted = _count(workspace, settings, fresh)
        with contextlib.suppress(OSError, DiskFullError):  # of somebody else, or of a full disk: it is counted again
            write_file(path, f"{made_of}\n{counted.model_dump_json()}\n")
    return counted


def count_ahead(workspace: Workspace, settings: Settings) -> None:
    """Count now, so that `status` need not. What keeps it from that, `status` reports."""
    with contextlib.suppress(TsclustError):
        labels_status(workspace, settings)


def _read(path: Path, made_of: str) -> LabelsStatus | None:
    try:
        first, _, rest = path.read_text(encoding="utf-8").partition("\n")
        return LabelsStatus.model_validate_json(rest) if first == made_of else None
    except (OSError, UnicodeDecodeError, ValidationError):
        return None


def _count(workspace: Workspace, settings: Settings, fresh: bool) -> LabelsStatus:
    # Here, because these take libraries, and a second, which what was counted before does without.
    from tsclust.series import ID
    from tsclust.stages.labels import files, resolution, tables
    from tsclust.stages.labels.step import group_states
    from tsclust.stages.scores import unlabelled

    labels = files.labels(workspace)
    used = resolution.resolved(labels, files.decider(settings.labels.resolve, labels))
    described, index = workspace.find_manifest(FEATURES), files.read_index(workspace) if fresh else None
    groups = group_states(workspace, index) if index else None
    return LabelsStatus(
        series=labels[ID].n_unique(), in_use=len(used), labellers=tuple(tables.labellers(labels)),
        kinds=dict(tables.count_kinds(used).iter_rows()),
        contradictory=int(resolution.conflicts(labels)["series"].sum()),
        unlabelled=unlabelled.count(workspace.parts(FEATURES), labels[ID]) if described else None,
        groups=None if groups is None else {
            name: tuple(n for n, one in groups.items() if one.state == name) for name in WORDS
        },
    )  # fmt: skip
