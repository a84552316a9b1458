"""The main sweep's second half: the same series swept over their shapes, and the groups of both in one list. What has
no name yet is swept once, over both."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial

import polars as pl

from tsclust.engine.base import Listener, Progress
from tsclust.stages.clusters import parts, step, views
from tsclust.stages.clusters.facts import ShapesFacts
from tsclust.stages.clusters.parts import SHAPES, UNLABELLED_GROUP, folder_within
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.clusters.scope import Scope
from tsclust.stages.clusters.shapes import joint, traits, view
from tsclust.stages.clusters.shapes.joint import JointScaler, JointScope
from tsclust.stages.clusters.shapes.view import NoShapesError, ShapeView
from tsclust.stages.clusters.step import SweepTask, Swept
from tsclust.workspace.parquet import StageWriter

MEASURED = "measured"


def sweep(
    task: SweepTask, main: Swept, sign: int, writer: StageWriter, listen: Listener
) -> tuple[pl.DataFrame, ShapesFacts]:
    """(the groups of both sweeps, most worth looking at first, facts of the one over shapes): its files are written
    beside those of the `main` one. The main groups alone where there are no shapes to be swept, or nobody wants them.

    sign: 1 where the peak is a maximum, -1 a minimum
    """
    settings = task.settings
    if not settings.shapes:
        return main.groups, ShapesFacts()
    if len(task.ks) < 2:
        return main.groups, ShapesFacts(none="there is but one k")
    try:
        seen = view.of(
            task.scope, settings.baseline_columns, sign, settings.seed, writer.folder / MEASURED, partial(_say, listen)
        )
        found = _swept(task, main, seen, writer, listen)
    except NoShapesError as why:
        found = main.groups, ShapesFacts(none=str(why))
    forget(writer)
    return found


def beside_features(
    task: SweepTask, whole: Scope, sign: int, writer: StageWriter, listen: Listener
) -> tuple[SweepTask, ShapeView | None, str]:
    """(the same sweep of some of the `whole` of the series, with their shapes beside their features, these, ""). The
    sweep as it is, and why, where there are no shapes; no reason where nobody wants them. Before it the files of the
    measures are in the way: see `forget`."""
    settings, folder = task.settings, writer.folder / MEASURED
    if not settings.shapes or not isinstance(task.scaler, Scaler):
        return task, None, ""
    try:
        seen = view.of(whole, settings.baseline_columns, sign, settings.seed, folder, partial(_say, listen))
    except NoShapesError as why:
        return task, None, str(why)
    scope = JointScope(**vars(task.scope), features=task.names, whole=seen.scope)
    names = joint.names(task.names, seen)
    return replace(task, scope=scope, scaler=JointScaler.of(task.scaler, seen.scaler), names=names), seen, ""


def state(task: SweepTask, swept: Swept, seen: ShapeView, writer: StageWriter) -> None:
    """In what the shapes of the groups of a sweep `beside_features` differ."""
    rows = parts.group_rows(swept.groups.with_columns(within=pl.lit(UNLABELLED_GROUP, pl.Int64)))
    shared = view.shared(seen, writer.folder, [row.ref for row in rows], task.settings.baseline_columns)
    found = traits.of(rows, shared, seen.names, seen.curves)
    writer.write_table(f"{folder_within(UNLABELLED_GROUP)}/{parts.TRAITS_FILE}", parts.traits_table(found))


def forget(writer: StageWriter) -> None:
    """What was measured is of no use after the sweep."""
    shutil.rmtree(writer.folder / MEASURED, ignore_errors=True)


def _swept(
    task: SweepTask, main: Swept, seen: ShapeView, writer: StageWriter, listen: Listener
) -> tuple[pl.DataFrame, ShapesFacts]:
    under = f"{folder_within(SHAPES)}/"
    again = replace(task, scope=seen.scope, scaler=seen.scaler, names=seen.names)
    swept = step.run(again, writer.folder, under, listen)
    step.write(writer, under, swept)
    of_shapes = parts.group_rows(swept.groups.with_columns(within=pl.lit(SHAPES, pl.Int64)))
    of_features = [row for row in parts.group_rows(main.groups) if not row.normal][: views.CANDIDATES]
    rows = [*of_shapes, *of_features]
    shared = view.shared(seen, writer.folder, [row.ref for row in rows], task.settings.baseline_columns)
    for folder, at in ((under, slice(0, len(swept.groups))), ("", slice(len(swept.groups), None))):
        of_sweep = traits.of(rows[at], shared.of(at), seen.names, seen.curves)
        writer.write_table(f"{folder}{parts.TRAITS_FILE}", parts.traits_table(of_sweep))
    found = views.together(
        writer.folder, (main.groups, main.away), (swept.groups, swept.away), task.settings.groups, task.scope.rows
    )
    stretches = tuple(seen.curves.stretches.tolist())
    return found, ShapesFacts(**swept.facts.model_dump(), curves=len(seen.curves), stretches=stretches)


def _say(listen: Listener, what: str, done: int, total: int, unit: str) -> None:
    listen(Progress(f"cluster: {what}", done, total, unit))
