"""features, filter: series/ -> features/"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from tsclust import config, screen
from tsclust.config import Rule, Settings
from tsclust.engine import Listener, Progress, map_parts, silent
from tsclust.features.catalogue import NAMES
from tsclust.features.kernels import describe, peak_votes
from tsclust.pipeline import screening
from tsclust.pipeline.result import Result, of_stage, up_to_date
from tsclust.pipeline.screening import CLEAR, WORKERS, Tally
from tsclust.series import SeriesBlock
from tsclust.workspace import Meter, StageWriter, Workspace, command, write_manifest


def features(root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent) -> Result:
    """Describe every series by the features of the catalogue and set aside what the rules say cannot be real."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    meter = Meter()
    then = command("filter", root)
    with workspace.locked():
        series, before = workspace.manifest("series"), workspace.find_manifest("features")
        inputs, digest = {"series": series.output_hash}, config.digest(settings.features)
        if before and (before.inputs, before.settings) == (inputs, digest):
            return up_to_date("features", workspace.stage("features"), before, then)
        _compile(workspace, listen)
        sign, agreement = _direction(workspace, settings.features.peak, series.rows, listen)
        rules = screen.in_force(settings.rule, agreement >= CLEAR)
        with workspace.writing("features") as writer:
            tally = _describe(workspace, writer, sign, rules, series.rows, listen)
            facts = {"peak": "max" if sign > 0 else "min", "agreement": round(agreement, 4), **tally.facts(rules)}
            manifest = write_manifest(
                writer, meter, stage="features", settings=digest, inputs=inputs, seed=0, rows=tally.rows,
                parts=series.parts, facts=facts,
            )  # fmt: skip
    notes, table = _direction_notes(settings, agreement), screening.rule_table(manifest)
    return of_stage("features", workspace.stage("features"), manifest, then, notes=notes, table=table)


def filter(
    root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent, *, dry_run: bool = False
) -> Result:
    """Apply the rules again, without computing features; with `dry_run` only say what would change."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    meter = Meter()
    then = command("cluster", root)
    with workspace.locked():
        before = workspace.manifest("features")
        rules = screen.in_force(settings.rule, before.facts["agreement"] >= CLEAR)
        if before.facts["rules"] == [r.model_dump() for r in rules]:
            done = up_to_date("filter", workspace.stage("features"), before, then)
            return replace(done, table=screening.rule_table(before))
        if dry_run:
            facts = {**before.facts, **_rescreen(workspace, None, rules, before.rows, listen).facts(rules)}
            note = f"dry run, nothing written: {before.facts['kept']:,} series are kept now, {facts['kept']:,} would be"
            table = screening.rule_table(before.model_copy(update={"facts": facts}))
            return Result("filter", None, *meter.read(), notes=(note,), table=table, then=command("filter", root))
        with workspace.writing("features") as writer:
            tally = _rescreen(workspace, writer, rules, before.rows, listen)
            manifest = write_manifest(
                writer, meter, stage="features", settings=before.settings, inputs=before.inputs, seed=0,
                rows=tally.rows, parts=before.parts, facts={**before.facts, **tally.facts(rules)},
            )  # fmt: skip
    return of_stage("filter", workspace.stage("features"), manifest, then, table=screening.rule_table(manifest))


def _compile(workspace: Workspace, listen: Listener) -> None:
    """Let numba compile the kernels for this type of values: seconds the first time, then they come from its cache."""
    listen(Progress("features: compiling kernels (the first time only)", 0, 0, ""))
    describe(_block(workspace.parts("series")[0], rows=0), 1)


def _direction(workspace: Workspace, peak: str, rows: int, listen: Listener) -> tuple[int, float]:
    """(1 or -1, share of the series that agree): which way the peak points, by a vote of all series where `auto`."""
    if peak != "auto":
        return (1 if peak == "max" else -1), 1.0
    up = down = seen = 0
    for votes in map_parts(lambda path: peak_votes(_block(path)), workspace.parts("series"), WORKERS):
        up, down, seen = up + votes[0], down + votes[1], seen + votes[2]
        listen(Progress("features: which way the peak points", seen, rows))
    return (1 if up >= down else -1), max(up, down) / max(up + down, 1)


def _direction_notes(settings: Settings, agreement: float) -> tuple[str, ...]:
    if agreement >= CLEAR or settings.rule is not None:
        return ()
    return (
        f"only {agreement:.0%} of the series agree on the direction of the peak: the rule wrong_sign is not applied; "
        "set [features] peak to max or min if you know it",
    )


def _block(path: Path, rows: int | None = None) -> SeriesBlock:
    table = pq.read_table(path, columns=["series_id", "values"])
    return SeriesBlock.from_arrow(table.slice(0, rows))


def _describe(
    workspace: Workspace, writer: StageWriter, sign: int, rules: tuple[Rule, ...], rows: int, listen: Listener
) -> Tally:
    columns = screening.carried_columns(workspace, rules)

    def one_part(path: Path) -> Tally:
        block = _block(path)
        frame = pl.DataFrame(describe(block, sign), schema=list(NAMES)).with_columns(pl.all().fill_nan(None))
        table, tally = screening.apply(rules, frame, block.ids, screening.read_carried(path, columns))
        writer.write_table(path.name, table)
        return tally

    return screening.total(map_parts(one_part, workspace.parts("series"), WORKERS), "features", rows, listen)


def _rescreen(
    workspace: Workspace, writer: StageWriter | None, rules: tuple[Rule, ...], rows: int, listen: Listener
) -> Tally:
    columns = screening.carried_columns(workspace, rules)

    def one_part(path: Path) -> Tally:
        table = pq.read_table(path)
        carried = screening.read_carried(workspace.stage("series") / path.name, columns)
        table, tally = screening.apply(rules, pl.DataFrame(table.select(list(NAMES))), table["series_id"], carried)
        if writer is not None:
            writer.write_table(path.name, table)
        return tally

    return screening.total(map_parts(one_part, workspace.parts("features"), WORKERS), "filter", rows, listen)
