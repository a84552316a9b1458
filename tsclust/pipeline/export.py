"""export: model/ -> one file that another machine can score by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsclust.engine.base import Listener, silent
from tsclust.errors import SettingsError
from tsclust.pipeline.settings import load
from tsclust.stages.model import bundle_file
from tsclust.stages.model.facts import MODEL
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result


def export(
    root: Path, bundle: Path | None = None, flags: Mapping[str, object] | None = None, listen: Listener = silent
) -> Result:
    """Write the model of the workspace as one zip: what `Scorer` and `tsclust serve` need, and none of the series.

    Raises SettingsError where no file is named, StageMissingError where there is no model, DamagedError.
    """
    workspace, meter = Workspace.open(root), Meter()
    load(workspace, flags)
    if bundle is None or bundle.suffix.lower() != ".zip":
        named = "no file is named" if bundle is None else f"{bundle} does not end in .zip"
        raise SettingsError(f"export: {named}: expected one", "For example: tsclust export --bundle model.zip")
    workspace.manifest(MODEL)
    with workspace.locked():
        model = bundle_file.write(workspace.stage(MODEL), bundle)
    own = " and Python code, which whoever loads it has to allow" if model.feature_text else ""
    note = f"the model {model.facts.id} of {len(model.kinds)} kinds{own}: series and labels stay here"
    facts = {"model": model.facts.id, "bytes": bundle.stat().st_size, "features": bool(model.feature_text)}
    return Result("export", bundle, *meter.read(), notes=(note,), then=command("status", root), facts=facts)
