"""undo: the last step back, or the step that was undone last again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsclust import config
from tsclust.engine.base import Listener, silent
from tsclust.errors import StageMissingError
from tsclust.stages.model import archive
from tsclust.stages.model.facts import MODEL
from tsclust.wording import changes
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.history import History, Run
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result


def undo(
    root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent, *, redo: bool = False
) -> Result:
    """Put the stage back that the last step replaced; each further `undo` goes one step further back.

    redo: make the step again that was undone last; after another step this is no longer possible. Reports stay: what
    was mailed is not taken back. Raises StageMissingError where what there was is no longer kept.
    """
    workspace, meter = Workspace.open(root), Meter()
    settings = config.load(workspace.config, flags)
    with workspace.locked(settings.history.keep):
        kept = workspace.history
        run = (kept.undone[0] if kept.undone else None) if redo else kept.last
        if run is None:
            what = "no step was undone" if redo else "no step is known"
            return Result(
                "undo", None, *meter.read(), True, (f"{what}: nothing changed",), then=command("history", root)
            )
        _refuse_lost(workspace, kept, run, redo)
        if run.stage == MODEL.name:
            archive.keep(workspace)
        (kept.redo if redo else kept.undo)(run)
    return _result(workspace, run, meter, redo)


def _refuse_lost(workspace: Workspace, kept: History, run: Run, redo: bool) -> None:
    """Raises StageMissingError where the stage to put back is not there."""
    back, expected = (kept.after(run), run.after) if redo else (kept.before(run), run.before)
    if expected is None or back.exists():
        return
    what = f"run {run.number} ({run.command}) cannot be {'made again' if redo else 'undone'}"
    raise StageMissingError(
        f"{what}: the {run.stage}/ of {'then' if redo else 'before'} is not kept",
        f"[history] keep in {workspace.config} says how many are; run: {command('history', workspace.root)}",
    )


def _result(workspace: Workspace, run: Run, meter: Meter, redo: bool) -> Result:
    was, now = (run.was, run.now) if redo else (run.now, run.was)
    there = run.before is not None or redo
    what = changes.of_values(run.stage, was, now) if there else f"{run.stage}/ is removed: it was not there before"
    again = f"{command('undo', workspace.root)}{'' if redo else ' --redo'}"
    notes = (f"run {run.number} ({run.command}) {'made again' if redo else 'undone'}: {what}", f"and back: {again}")
    facts = {"run": run.number, "undone": run.command, "stage": run.stage, "redo": redo}
    place = workspace.root / run.stage if there else None
    return Result("undo", place, *meter.read(), notes=notes, then=command("status", workspace.root), facts=facts)
