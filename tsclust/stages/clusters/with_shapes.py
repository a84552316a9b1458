"""The main sweep's second half: the same series swept over their shapes, and the groups of both in one list."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial

import polars as pl

from tsclust.engine.base import Listener, Progress
from tsclust.stages.clusters import parts, step, views
from tsclust.stages.clusters.facts import ShapesFacts
from tsclust.stages.clusters.parts import SHAPES, folder_within
from tsclust.stages.clusters.shapes import traits, view
from tsclust.stages.clusters.step import SweepTask, Swept
from tsclust.workspace.parquet import StageWriter

MEASURED = "measured"


def sweep(
    task: SweepTask, main: Swept, sign: int, writer: StageWriter, listen: Listener
) -> tuple[pl.DataFrame, ShapesFacts | None]:
    """(the groups of both sweeps, most worth looking at first, facts of the one over shapes): its files are written
    beside those of the `main` one. The main groups alone where there are no shapes to be swept, or nobody wants them.

    sign: 1 where the peak is a maximum, -1 a minimum
    """
    settings = task.settings
    if not settings.shapes or len(task.ks) < 2:
        return main.groups, None
    folder, under = writer.folder / MEASURED, f"{folder_within(SHAPES)}/"
    seen = view.of(task.scope, settings.baseline_columns, sign, settings.seed, folder, partial(_say, listen))
    if seen is None:
        return main.groups, None
    swept = step.run(
        replace(task, scope=seen.scope, scaler=seen.scaler, names=seen.names), writer.folder, under, listen
    )
    shutil.rmtree(folder)
    step.write(writer, under, swept)
    writer.write_table(
        f"{under}{parts.TRAITS_FILE}",
        parts.traits_table(traits.of(swept.groups, swept.away, pl.DataFrame(swept.centers), seen.names, seen.curves)),
    )
    found = views.together(
        writer.folder, (main.groups, main.away), (swept.groups, swept.away), settings.groups, task.scope.rows
    )
    facts = ShapesFacts(
        **swept.facts.model_dump(), curves=len(seen.curves), stretches=tuple(seen.curves.stretches.tolist())
    )
    return found, facts


def _say(listen: Listener, what: str, done: int, total: int, unit: str) -> None:
    listen(Progress(f"cluster: {what}", done, total, unit))
