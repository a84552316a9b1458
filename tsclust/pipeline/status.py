"""status: where things stand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsclust.config import Settings
from tsclust.pipeline import next_step, source_news
from tsclust.pipeline.settings import kept_notes, load
from tsclust.pipeline.source_news import News
from tsclust.pipeline.stage_state import LATER, judged, manifests
from tsclust.pipeline.status_labels import labels_status
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter
from tsclust.workspace.past import past_of
from tsclust.workspace.result import Result


def status(root: Path, flags: Mapping[str, object] | None = None, *, offline: bool = False) -> Result:
    """Which stages are there, what they hold and cost, which are out of date, and what they were made with; how many
    series the source has that the workspace lacks, unless `offline`."""
    workspace = Workspace.open(root)
    settings = load(workspace, flags)
    meter = Meter()
    everything = manifests(workspace)
    found = {name: one for name, one in everything.items() if one or name not in {s.name for s in LATER}}
    judgements = {name: judged(name, found, settings, root) for name in found if name != "labels"}
    states = {name: words for name, (_, words) in judgements.items()}
    past = past_of(workspace)
    reports = past.reports_now(workspace)
    head = ("stage", "state", "series", "parts", "seconds", "peak MB", "made at")
    table = (head, *(_row(name, state, found[name]) for name, state in states.items()))
    about = {name: _about(manifest) if manifest else {} for name, manifest in found.items()}
    labelled = labels_status(workspace, settings)
    stages = {name: {"state": state, **about[name]} for name, state in states.items()}
    news = _news(settings, root, found[SERIES.name], offline)
    facts = {"stages": stages, "reports": reports, "labels": labelled.facts() if labelled else {}}
    facts |= {"source": news.facts(), "history": past.facts()}
    notes = [f"reports: {', '.join(reports)}" if reports else "no report yet"]
    notes += labelled.notes() if labelled else ()
    notes += [*(source_news.notes(news, root) if found[SERIES.name] else ()), *kept_notes(settings, found)]
    notes += past.notes()
    if workspace.unfinished(SERIES).exists():
        again = command("extract", root) if settings.source.has_place else "the same command"
        notes.append(f"an extract was interrupted: {again} resumes it")
    then = next_step.typed(workspace, settings, everything)
    return Result("status", None, *meter.read(), notes=tuple(notes), table=table, then=then, facts=facts)


def _news(settings: Settings, root: Path, series: Manifest[Any] | None, offline: bool) -> News:
    if series is None:
        return News(False, "nothing was read from it yet")
    return News(False, "--offline") if offline else source_news.ask(settings, root, series)


def _about(manifest: Manifest[Any]) -> dict[str, Any]:
    """A manifest for scripts: without the files, and the facts that nobody reads here."""
    return manifest.model_dump(exclude={"outputs", "facts"}) | {"facts": manifest.facts.shown(manifest.facts.LONG)}


def _row(name: str, state: str, manifest: Manifest[Any] | None) -> tuple[str, ...]:
    if manifest is None:
        return (name, state, "", "", "", "", "")
    cost = (f"{manifest.seconds:.1f}", f"{manifest.peak_mb:.0f}")
    return (name, state, f"{manifest.rows:,}", f"{manifest.parts}", *cost, manifest.made_at)
