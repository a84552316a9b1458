"""Where the members of a group are found in clusters/."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.workspace.folder import Workspace

LEFT = 0  # in the place of a group's number: what has no name yet, which `cluster --unlabelled` sweeps


def folder_within(group: int) -> str:
    """The folder in clusters/ of the drill-down into a group."""
    return f"within-{group:03d}"


def assignments_in(clusters: Path, within: int | None) -> Path:
    """The folder of the assignments in a clusters/: of the main sweep, or of the drill-down into a group."""
    return (clusters if within is None else clusters / folder_within(within)) / "assignments"


@dataclass(frozen=True)
class Members:
    """Where a group's members stand: rows whose `column` is `cluster`, in the main sweep or `within` a group."""

    within: int | None
    k: int
    cluster: int
    size: int

    @property
    def column(self) -> str:
        return f"k{self.k:02d}"


def assignments(workspace: Workspace, within: int | None = None) -> Path:
    """The folder of the assignments of the main sweep, or of the drill-down into a group."""
    return assignments_in(workspace.stage(CLUSTERS), within)
