"""extract --compare: all of the source against series/, by id and content."""

from __future__ import annotations

import shutil

from tsclust.config import Settings
from tsclust.engine.base import Listener
from tsclust.stages.series import comparison
from tsclust.stages.series import step as series_step
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result


def compare(workspace: Workspace, settings: Settings, listen: Listener) -> Result:
    """Count what is new, gone or changed in the source; nothing of the workspace changes."""
    meter, root = Meter(), workspace.root
    here, beside = workspace.parts(SERIES), Workspace(root / ".comparing")
    shutil.rmtree(beside.root, ignore_errors=True)
    beside.root.mkdir()
    try:
        manifest = series_step.read_into(beside, settings, root, listen)
        found = comparison.compare(here, beside.parts(SERIES))
    finally:
        shutil.rmtree(beside.root, ignore_errors=True)
    counts = {"new": len(found.new), "gone": len(found.gone), "changed": len(found.changed)}
    notes = [f"from {manifest.facts.origin}: {manifest.rows:,} series", *_notes(found)]
    then = command("extract", root) if any(counts.values()) else command("status", root)
    ids = {f"{name}_ids": list(getattr(found, name)[: comparison.NAMED]) for name in counts}
    facts = {"source_rows": manifest.rows, **counts, **ids}
    return Result("extract", None, *meter.read(), notes=tuple(notes), then=then, facts=facts)


def _notes(found: comparison.Comparison) -> list[str]:
    pairs = (("not here yet", found.new), ("no longer there", found.gone), ("changed", found.changed))
    lines = [f"{len(ids):,} {what}: {_few(ids)}" for what, ids in pairs if ids]
    return lines or ["all series are as they were read"]


def _few(ids: comparison.Ids) -> str:
    return ", ".join(map(str, ids[: comparison.NAMED])) + (" ..." if len(ids) > comparison.NAMED else "")
