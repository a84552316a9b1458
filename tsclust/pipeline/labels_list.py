"""labels list: which answers files were imported, and what came of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tsclust.engine.base import Listener, silent
from tsclust.series import ID
from tsclust.stages.labels import files, tables
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.files import SHORT
from tsclust.stages.labels.tables import LabelTables
from tsclust.wording.english import counted
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result

HEAD = ("id", "file", "labeller", "report", "saved at", "answers", "series", "state")


def labels_list(root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent) -> Result:
    """A row for each file, in the order of their import: how many answers it has and how many series they are about.

    Of a labeller's files about one report the one saved last counts; the others are replaced. Raises
    StageMissingError before the first import.
    """
    workspace, meter = Workspace.open(root), Meter()
    workspace.manifest(LABELS)
    found, labels = files.read(workspace), files.labels(workspace)
    rows = [_facts(found, one) for one in found.files.iter_rows(named=True)]
    kinds = dict(tables.count_kinds(labels.unique([ID, "kind"])).iter_rows())
    named = ", ".join(f"{kind} {count:,}" for kind, count in kinds.items())
    notes = (f"{counted(len(rows), 'answers file')}; {labels[ID].n_unique():,} series labelled: {named or 'none'}",)
    table = (HEAD, *(_row(row) for row in rows)) if rows else ()
    then = f"{command('labels remove', root)} ID" if rows else LABELS.command(root)
    facts = {"files": rows, "kinds": kinds, "labellers": tables.labellers(labels)}
    return Result("labels list", None, *meter.read(), notes=notes, table=table, then=then, facts=facts)


def _facts(found: LabelTables, file: Mapping[str, Any]) -> dict[str, Any]:
    answers = found.answers.filter(pl.col("sha256") == file["sha256"])
    series = found.members.join(answers, on="answer", how="semi")[ID].n_unique()
    about = {name: file[name] for name in ("file", "labeller", "report", "in_force")}
    saved_at = file["saved_at"].isoformat(timespec="seconds")
    return {"id": file["sha256"][:SHORT], **about, "saved_at": saved_at, "answers": len(answers), "series": series}


def _row(facts: Mapping[str, Any]) -> tuple[str, ...]:
    named = [str(facts[name])[:60] for name in ("id", "file", "labeller", "report", "saved_at")]
    state = "" if facts["in_force"] else "replaced by a later file"
    return (*named, f"{facts['answers']:,}", f"{facts['series']:,}", state)
