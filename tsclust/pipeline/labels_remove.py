"""labels remove: answers files that should not have been imported, and the labels that came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from tsclust.engine.base import Listener, silent
from tsclust.errors import SettingsError
from tsclust.pipeline.settings import load
from tsclust.pipeline.status_labels import count_ahead
from tsclust.series import ID
from tsclust.stages.labels import files as label_files
from tsclust.stages.labels import resolution
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.files import SHORT
from tsclust.stages.labels.step import without_files
from tsclust.stages.labels.tables import LabelTables
from tsclust.wording.english import counted
from tsclust.wording.names import fold
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result


def labels_remove(
    root: Path,
    files: Sequence[str] = (),
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    labeller: str = "",
) -> Result:
    """Remove these answers files, by the names or ids that `labels list` gives, or all of a labeller.

    An earlier file of the same labeller about the same report counts again. Raises SettingsError where nothing is
    named, for what there is not and for a name that several files have, StageMissingError before the first import.
    """
    workspace, meter = Workspace.open(root), Meter()
    settings = load(workspace, flags)
    if bool(files) == bool(labeller):
        raise SettingsError("labels remove: expected files, or --labeller", f"Run: {command('labels list', root)}")
    with workspace.locked(settings.history.keep):
        workspace.manifest(LABELS)
        before, had = label_files.read(workspace), label_files.labels(workspace)
        gone = _of_labeller(before, labeller, root) if labeller else {_one(before, name, root) for name in files}
        after = without_files(workspace, before, gone)
        found = resolution.labels(after.answers, after.members)
        label_files.write(workspace, meter, after, found, [], "labels remove")
    count_ahead(workspace, settings)
    names = sorted(before.files.filter(pl.col("sha256").is_in(list(gone)))["file"])
    was, now = had[ID].n_unique(), found[ID].n_unique()
    notes = (
        f"removed {counted(len(names), 'answers file')}: {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}",
        f"series labelled {was:,} -> {now:,}; and back: {command('undo', root)}",
    )
    facts = {"removed": names, "series": now, "labels": len(found)}
    place = workspace.stage(LABELS)
    return Result("labels remove", place, *meter.read(), notes=notes, then=command("labels list", root), facts=facts)


def _of_labeller(before: LabelTables, labeller: str, root: Path) -> set[str]:
    """sha256 of all files of a labeller, however the name is written."""
    found = {one["sha256"] for one in before.files.iter_rows(named=True) if fold(one["labeller"]) == fold(labeller)}
    if not found:
        there = ", ".join(before.files["labeller"].unique().sort().head(5)) or "none"
        raise SettingsError(f"--labeller {labeller!r}: expected one who has labelled ({there})", _list(root))
    return found


def _one(before: LabelTables, name: str, root: Path) -> str:
    """sha256 of the file of this name, or whose id begins so."""
    ids = before.files.filter(pl.col("sha256").str.starts_with(name) if len(name) >= SHORT else pl.lit(False))
    found = pl.concat([ids, before.files.filter(pl.col("file") == Path(name).name)]).unique("sha256")
    if len(found) != 1:
        what = (
            f"{len(found)} files have this name: expected the id of one" if len(found) else "expected a name or an id"
        )
        raise SettingsError(f"{name[:100]!r}: {what}", _list(root))
    return str(found["sha256"][0])


def _list(root: Path) -> str:
    return f"Run: {command('labels list', root)}"
