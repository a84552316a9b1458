"""prune: free the room that earlier states take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tsclust import config
from tsclust.engine.base import Listener, silent
from tsclust.wording.english import counted
from tsclust.workspace import pruning
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.history import History
from tsclust.workspace.manifest import Meter
from tsclust.workspace.pruning import Asked, Surplus
from tsclust.workspace.result import Result


def prune(
    root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent, *, dry_run: bool = False
) -> Result:
    """Remove earlier states of stages, pages and models beyond [history] keep; 0 removes all of them.

    The list of runs stays, and so do the sweeps that reports were made from: numbers of groups and late answers rest
    on them. dry_run: only say what would be removed.
    """
    workspace, meter = Workspace.open(root), Meter()
    keep = config.load(workspace.config, flags).history.keep
    if dry_run:
        surplus, size = _surplus(root, keep)
    else:
        with workspace.locked():
            surplus, size = _surplus(root, keep)
            pruning.prune(root, keep)
    counts = {"states": len(surplus.stages), "pages": len(surplus.pages), "models": len(surplus.models)}
    what = ", ".join(counted(n, f"earlier {name[:-1]}") for name, n in counts.items() if n) or "nothing"
    note = f"{what} {'would be removed' if dry_run else 'removed'}, {size / 2**20:.1f} MB; {keep} of each kept"
    asked = Asked.of(root)
    facts = {"bytes": size, "keep": keep, **counts, "asked": asdict(asked)}
    notes = (note, asked.note()) if asked.sweeps else (note,)
    return Result("prune", None, *meter.read(), notes=notes, then=command("history", root), facts=facts)


def _surplus(root: Path, keep: int) -> tuple[Surplus, int]:
    found = Surplus.of(History(root), keep)
    return found, pruning.own_bytes(found.paths)
