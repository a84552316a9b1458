"""history: what each command changed, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsclust.engine.base import Listener, silent
from tsclust.wording import changes
from tsclust.wording.english import counted
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.history import History, Run
from tsclust.workspace.manifest import Meter
from tsclust.workspace.pages import numbered
from tsclust.workspace.result import Result

SHOWN = 20  # runs, where no other number is asked for


def history(
    root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent, *, limit: int = SHOWN
) -> Result:
    """The last `limit` runs (0: all): series, groups, labels, the model's quality and drift, and how they changed.

    A run of a command that changed nothing is not among them.
    """
    meter, kept = Meter(), Workspace.open(root).history
    shown = kept.runs[-limit:] if limit else kept.runs
    in_force = {run.number for run in kept.in_force}
    rows = [(run, _state(run, in_force), _what(root, run)) for run in reversed(shown)]
    table = (
        ("run", "at", "command", "state", "what changed"),
        *((str(run.number), run.at, run.command, state, what) for run, state, what in rows),
    )
    notes = [f"{counted(len(kept.runs), 'run')}, {len(shown)} shown, newest first" if shown else "no run yet"]
    notes += [f"to undo run {kept.last.number}: {command('undo', root)}"] if kept.last else []
    facts = {"runs": [_facts(kept, run, state) for run, state, _ in rows]}
    then = f"{command('diff', root)} {kept.runs[0].number}" if kept.runs else command("status", root)
    return Result("history", None, *meter.read(), notes=tuple(notes), table=table, then=then, facts=facts)


def _state(run: Run, in_force: set[int]) -> str:
    return "" if not run.stage or run.number in in_force else "undone"


def _what(root: Path, run: Run) -> str:
    """Of its stage, then which pages it wrote, under the names that they have now."""
    stage = [changes.of_stage(run.stage, run.was, run.now)] if run.stage else []
    pages = [numbered(root / "reports" / name, run.number) for name in run.pages]
    names = [f"reports/{kept.name if kept.exists() else name}" for name, kept in zip(run.pages, pages, strict=True)]
    return "; ".join(filter(None, (*stage, *names)))


def _facts(kept: History, run: Run, state: str) -> dict[str, Any]:
    can = bool(run.stage) and (run.before is None or kept.before(run).exists())
    about = run.model_dump(exclude={"stages", "before", "after"})
    return about | {"undone": state == "undone", "can_be_undone": can and not state}
