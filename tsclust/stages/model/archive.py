"""models/ID/: every model that was trained, the one in model/ too, as a folder of links: a score's `model` finds it."""

from __future__ import annotations

from pathlib import Path

from tsclust.errors import DamagedError
from tsclust.stages.model.facts import ID_LENGTH, MODEL
from tsclust.workspace.atomic import link_tree
from tsclust.workspace.folder import Workspace
from tsclust.workspace.pruning import MODELS


def keep(workspace: Workspace) -> None:
    """Give the model in model/ a second name, where there is one that can be read."""
    try:
        manifest = workspace.find_manifest(MODEL)
    except DamagedError:
        return
    if manifest is not None:
        folder = place(workspace, manifest.facts.id or manifest.output_hash[:ID_LENGTH])
        if not folder.exists():
            link_tree(workspace.stage(MODEL), folder)


def place(workspace: Workspace, model: str) -> Path:
    """Where a model is kept."""
    return workspace.root / MODELS / model
