"""demo: an embedded PostgreSQL, synthetic cycles, every stage, the report and the score."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tsclust.embedded_postgres import server
from tsclust.engine.base import Listener, silent
from tsclust.errors import SettingsError
from tsclust.pipeline import cluster, extract, features, filter, init, report
from tsclust.simulation import load
from tsclust.simulation.recall import Score, score_workspace
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result

SETTINGS = """# Written by `tsclust demo`. All settings with their meaning: tsclust init
[source]
table = "machine.cycles"

[cluster]
baseline = ["machine_id", "direction"]  # compare a cycle with others of its machine and direction

[report]
title = "tsclust demo: synthetic cycles of 400 point machines"
"""


def demo(
    root: Path, series: int = 1_000_000, seed: int = 1, *, lang: str | None = None, keep_server: bool = False,
    listen: Listener = silent,
) -> Iterator[Result]:  # fmt: skip
    """Yield the Result of each stage, then one with the score. The server is stopped whatever happens, unless kept."""
    if series < 1_000:
        raise SettingsError(
            f"--series {series}: at least 1,000 are needed for the rarest kind to occur", "Use a larger number"
        )
    workspace = _workspace(root)
    with server.running(root / ".postgres", keep=keep_server) as running:
        meter = Meter()
        fresh = load.fill(running.dsn, series, seed, listen)
        seconds, peak = meter.read()
        note = f"{series:,} synthetic cycles in machine.cycles of an embedded PostgreSQL {running.version}"
        yield Result("fill", running.data, seconds, peak, skipped=not fresh, notes=(note,), facts={"rows": series})
        flags = {"dsn": running.dsn, "report": {"lang": lang}}
        yield from _stages(root, flags, listen)
        meter = Meter()
        found = score_workspace(workspace.stage(CLUSTERS), load.truth_of(running.dsn))
        yield _scored(root, found, meter, running.dsn if keep_server else None)


def _workspace(root: Path) -> Workspace:
    """The demo's workspace; one that is somebody's own is not written over."""
    config = root / "tsclust.toml"
    if not config.exists():
        init.write_workspace(root, SETTINGS)
    elif config.read_text(encoding="utf-8") != SETTINGS:
        raise SettingsError(f"{config} is not the demo's", "Name another folder: tsclust demo -w DIR")
    return Workspace.open(root)


def _stages(root: Path, flags: dict[str, Any], listen: Listener) -> Iterator[Result]:
    stages: tuple[Callable[..., Result], ...] = (
        extract.extract, features.features, filter.filter, cluster.cluster, report.report,
    )  # fmt: skip
    for stage in stages:
        yield stage(root, flags, listen)


def _scored(root: Path, found: Score, meter: Meter, dsn: str | None) -> Result:
    notes = [*found.notes(), f"the report: {root / 'reports' / 'report.html'}"]
    if dsn:
        notes.append(f"PostgreSQL is still running: psql '{dsn}'")
    facts = {"found": found.found, "missing": found.missing, "surfaced": found.surfaced, "looks": found.looks}
    then = "tsclust init -w DIR --table SCHEMA.TABLE  (your own series)"
    return Result("score", None, *meter.read(), notes=tuple(notes), then=then, facts=facts | {"dsn": dsn})
