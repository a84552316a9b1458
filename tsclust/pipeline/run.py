"""run: every stage that is out of date. status: where things stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tsclust import config
from tsclust.config import Settings
from tsclust.engine import Listener, silent
from tsclust.pipeline import cluster, extract, features, filtering, labels_status, report
from tsclust.pipeline.result import Result, up_to_date
from tsclust.workspace import MADE_BY, STAGES, Manifest, Meter, Workspace, command


def run(root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent) -> Iterator[Result]:
    """Yield the Result of each stage in turn. Series that were extracted with the same settings are not read again."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    there = workspace.find_manifest("series")
    if there and there.settings == extract.digest(settings.source, root):
        yield up_to_date("extract", workspace.stage("series"), there, f"{command('extract', root)}  (reads it again)")
    else:
        yield extract.extract(root, flags, listen)
    yield features.features(root, flags, listen)
    yield filtering.filter(root, flags, listen)
    yield cluster.cluster(root, flags, listen)
    yield report.report(root, flags, listen)


def status(root: Path, flags: Mapping[str, Any] | None = None) -> Result:
    """Which stages are there, what they hold and cost, and which are out of date."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    meter = Meter()
    found = {name: workspace.find_manifest(name) for name in STAGES}
    states = {name: _state(name, found, settings, root) for name in STAGES}
    pages = (*workspace.reports.glob("*.html"), *workspace.reports.glob("*/index.html"))
    reports = sorted(str(path.relative_to(workspace.reports)) for path in pages)
    stale = next((name for name in STAGES if states[name] != "up to date"), None)
    then = command(MADE_BY[stale], root) if stale else command("report", root)
    head = ("stage", "state", "series", "parts", "seconds", "peak MB", "made at")
    table = (head, *(_row(name, states[name], manifest) for name, manifest in found.items()))
    without: Any = {
        "outputs": True,
        "facts": {"ranges": True, "by_part": True, "typical": True},
    }  # a line for each part
    about = {name: manifest.model_dump(exclude=without) if manifest else {} for name, manifest in found.items()}
    said, labelled = labels_status.status(workspace, settings, states["clusters"] == "up to date")
    facts = {"stages": {n: {"state": states[n], **about[n]} for n in STAGES}, "reports": reports, "labels": labelled}
    notes = [f"reports: {', '.join(reports)}" if reports else "no report yet", *said]
    if workspace.unfinished("series").exists():
        notes.append(f"a reading was interrupted: {command('extract', root)} takes it up again")
    return Result("status", None, *meter.read(), notes=tuple(notes), table=table, then=then, facts=facts)


def _state(name: str, found: Mapping[str, Manifest | None], settings: Settings, root: Path) -> str:
    manifest = found[name]
    if manifest is None:
        return "not there yet"
    if manifest.settings != _digest(name, settings, root, manifest.facts.get("unlabelled", False)):
        return "out of date: other settings"
    for source, digest in manifest.inputs.items():
        upstream = found.get(source)
        if source in found and (upstream is None or upstream.output_hash != digest):
            return f"out of date: {source} changed"
    return "up to date"


def _digest(name: str, settings: Settings, root: Path, unlabelled: bool) -> str:
    if name == "series":
        return extract.digest(settings.source, root)
    return features.digest(root, settings) if name == "features" else cluster.digest_of(settings, unlabelled)


def _row(name: str, state: str, manifest: Manifest | None) -> tuple[str, ...]:
    if manifest is None:
        return (name, state, "", "", "", "", "")
    cost = (f"{manifest.seconds:.1f}", f"{manifest.peak_mb:.0f}")
    return (name, state, f"{manifest.rows:,}", f"{manifest.parts}", *cost, manifest.made_at)
