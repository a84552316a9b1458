"""features, filter: series/ -> features/"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from tsclust import config, screen
from tsclust.atomic import StageWriter
from tsclust.config import Rule, Settings
from tsclust.engine import Listener, Progress, map_parts, silent
from tsclust.features.catalogue import NAMES
from tsclust.features.kernels import describe, peak_votes
from tsclust.pipeline import screening
from tsclust.pipeline.result import Result, of_stage, up_to_date
from tsclust.pipeline.screening import CLEAR, WORKERS, Part, Tally
from tsclust.series import SeriesBlock
from tsclust.workspace import Meter, Workspace, command, write_manifest


def features(root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent) -> Result:
    """Describe every series by the features of the catalogue and set aside what the rules say cannot be real.

    Parts whose series are the same as the last time are taken over as they are.
    """
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
        known = screening.unchanged(before, series) if before and before.settings == digest else {}
        votes = _votes(workspace, settings.features.peak, known, series.rows, listen)
        sign, agreement = _direction(settings.features.peak, votes)
        rules = screen.in_force(settings.rule, agreement >= CLEAR)
        facts = {"peak": "max" if sign > 0 else "min", "agreement": round(agreement, 4)}
        if before and (before.facts["peak"], before.facts["rules"]) != (facts["peak"], screening.plain(rules)):
            known = {}
        with workspace.writing("features") as writer:
            for name in known:
                writer.adopt(workspace.stage("features") / name, before.outputs[name] if before else "")
            tallies = {name: part.tally for name, part in known.items()}
            tallies |= _describe(workspace, writer, sign, rules, known, series.rows, listen)
            parts = {name: Part(series.outputs[name], votes[name], tallies[name]).plain() for name in sorted(tallies)}
            tally = screening.total(tallies.values())
            manifest = write_manifest(
                writer, meter, stage="features", settings=digest, inputs=inputs, seed=0, rows=tally.rows,
                parts=series.parts, facts={**facts, **tally.facts(rules), "by_part": parts},
            )  # fmt: skip
    notes, table = _notes(settings, agreement, len(known), series.parts), screening.rule_table(manifest)
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
        if before.facts["rules"] == screening.plain(rules):
            done = up_to_date("filter", workspace.stage("features"), before, then)
            return replace(done, table=screening.rule_table(before))
        if dry_run:
            tally = screening.total(_rescreen(workspace, None, rules, before.rows, listen).values())
            facts = {**before.facts, **tally.facts(rules)}
            note = f"dry run, nothing written: {before.facts['kept']:,} series are kept now, {facts['kept']:,} would be"
            table = screening.rule_table(before.model_copy(update={"facts": facts}))
            return Result("filter", None, *meter.read(), notes=(note,), table=table, then=command("filter", root))
        with workspace.writing("features") as writer:
            tallies = _rescreen(workspace, writer, rules, before.rows, listen)
            tally = screening.total(tallies.values())
            parts = {n: replace(p, tally=tallies[n]).plain() for n, p in screening.parts_of(before).items()}
            manifest = write_manifest(
                writer, meter, stage="features", settings=before.settings, inputs=before.inputs, seed=0,
                rows=tally.rows, parts=before.parts, facts={**before.facts, **tally.facts(rules), "by_part": parts},
            )  # fmt: skip
    return of_stage("filter", workspace.stage("features"), manifest, then, table=screening.rule_table(manifest))


def _compile(workspace: Workspace, listen: Listener) -> None:
    """Let numba compile the kernels for this type of values: seconds the first time, then they come from its cache."""
    listen(Progress("features: compiling kernels (the first time only)", 0, 0, ""))
    describe(_block(workspace.parts("series")[0], rows=0), 1)


def _votes(
    workspace: Workspace, peak: str, known: Mapping[str, Part], rows: int, listen: Listener
) -> dict[str, tuple[int, int]]:
    """Part -> (up, down): how many series say that the peak points which way; asked only where it is not `known`."""
    paths = workspace.parts("series")
    votes = {path.name: (0, 0) for path in paths}
    if peak != "auto":
        return votes
    asked, seen = [path for path in paths if path.name not in known], 0
    for path, (up, down, series) in zip(asked, map_parts(lambda p: peak_votes(_block(p)), asked, WORKERS), strict=True):
        votes[path.name], seen = (up, down), seen + series
        listen(Progress("features: which way the peak points", seen, rows))
    return votes | {name: part.votes for name, part in known.items()}


def _direction(peak: str, votes: Mapping[str, tuple[int, int]]) -> tuple[int, float]:
    """(1 or -1, share of the series that agree): which way the peak points, by a vote of all series where `auto`."""
    if peak != "auto":
        return (1 if peak == "max" else -1), 1.0
    up, down = (sum(one) for one in zip(*votes.values(), strict=True))
    return (1 if up >= down else -1), max(up, down) / max(up + down, 1)


def _notes(settings: Settings, agreement: float, known: int, parts: int) -> tuple[str, ...]:
    notes = [f"{known} of {parts} parts were there already"] if known else []
    if agreement < CLEAR and settings.rule is None:
        notes.append(
            f"only {agreement:.0%} of the series agree on the direction of the peak: the rule wrong_sign is not"
            " applied; set [features] peak to max or min if you know it"
        )
    return tuple(notes)


def _block(path: Path, rows: int | None = None) -> SeriesBlock:
    table = pq.read_table(path, columns=["series_id", "values"])
    return SeriesBlock.from_arrow(table.slice(0, rows))


def _describe(
    workspace: Workspace, writer: StageWriter, sign: int, rules: tuple[Rule, ...],
    known: Mapping[str, Part], rows: int, listen: Listener,
) -> dict[str, Tally]:  # fmt: skip
    """Compute the parts that are not `known`."""
    columns = screening.carried_columns(workspace, rules)

    def one_part(path: Path) -> Tally:
        block = _block(path)
        frame = pl.DataFrame(describe(block, sign), schema=list(NAMES)).with_columns(pl.all().fill_nan(None))
        table, tally = screening.apply(rules, frame, block.ids, screening.read_carried(path, columns))
        writer.write_table(path.name, table)
        return tally

    paths = [path for path in workspace.parts("series") if path.name not in known]
    done = sum(part.tally.rows for part in known.values())
    return screening.heard(one_part, paths, "features", done, rows, listen)


def _rescreen(
    workspace: Workspace, writer: StageWriter | None, rules: tuple[Rule, ...], rows: int, listen: Listener
) -> dict[str, Tally]:
    columns = screening.carried_columns(workspace, rules)

    def one_part(path: Path) -> Tally:
        table = pq.read_table(path)
        carried = screening.read_carried(workspace.stage("series") / path.name, columns)
        table, tally = screening.apply(rules, pl.DataFrame(table.select(list(NAMES))), table["series_id"], carried)
        if writer is not None:
            writer.write_table(path.name, table)
        return tally

    return screening.heard(one_part, workspace.parts("features"), "filter", 0, rows, listen)
