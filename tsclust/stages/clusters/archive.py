"""Earlier sweeps that the numbers of new groups rest on."""

from __future__ import annotations

from pathlib import Path

from tsclust.stages.clusters import parts
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.workspace.folder import Workspace


def seen_sweeps(workspace: Workspace, under: str = "") -> list[Path]:
    """Folders of the sweeps that reports were made from, or of what was swept `under` a group in them: experts have
    seen the numbers of these groups. The one that clusters/ still holds is not among them."""
    last = workspace.reusable(CLUSTERS)
    now = last.output_hash if last else ""
    folders = (one / under for one in sorted(workspace.asked.glob("[0-9a-f]*")) if one.name != now)
    return [one for one in folders if (one / parts.GROUPS_FILE).exists()]


def is_seen(workspace: Workspace) -> bool:
    """Whether a report was made from the sweep that clusters/ holds."""
    last = workspace.reusable(CLUSTERS)
    return last is not None and (workspace.asked / last.output_hash).exists()


def highest_number(workspace: Workspace) -> int:
    """The highest number that a group was ever given, also by a sweep that was undone since."""
    last = workspace.reusable(CLUSTERS)
    runs = (run.now for run in workspace.history.runs if run.stage == CLUSTERS.name)
    return max([last.facts.highest if last else 0, *(int(now.get("highest", 0)) for now in runs if now)])
