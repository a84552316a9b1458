"""report: clusters/ -> reports/NAME.html, or features/ -> reports/features.html"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from tsclust import config
from tsclust.config import Report, Settings
from tsclust.engine.base import Listener, Progress, silent
from tsclust.pipeline.ending import end
from tsclust.pipeline.engine import engine_of
from tsclust.pipeline.next_step import after
from tsclust.pipeline.settings import load
from tsclust.stages.clusters import freshness as clusters_freshness
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.proposal import FEW
from tsclust.stages.clusters.selection import ReportScope
from tsclust.stages.features import freshness
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.labels import archive
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.reports import newest_file
from tsclust.stages.reports.data import Curve
from tsclust.stages.reports.files import (
    Kind,
    default_name,
    refuse_mismatch,
    valid_name,
    write_groups,
    write_page,
    written,
)
from tsclust.stages.reports.groups.step import collect, overview_figures
from tsclust.stages.reports.newest_file import NewestReport
from tsclust.stages.reports.step import read_sheet
from tsclust.stages.scores import check_files
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result

FOR = {
    "groups": "send it to the people who know the machine",
    "features": "it shows what you need to write the next rule",
}


def report(
    root: Path,
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    name: str | None = None,
    kind: Kind = "groups",
    k: int | None = None,
    group: int | None = None,
    everything: bool = False,
    save: bool = False,
    if_new: bool = False,
) -> Result:
    """Write one HTML file: the groups found, for an expert to look at, or the features and what the rules reject.

    Of the groups of the whole sweep, of one model with `k` clusters, or of one `group`; with `everything` also those
    that have their names already. With [report] split it is a folder with an index and several parts. save: write the
    settings of flags to tsclust.toml. if_new: only where the sweep there is, or the settings, have no report yet.
    """
    workspace = Workspace.open(root)
    settings = load(workspace, flags)
    wanted = ReportScope(k, group, everything)
    refuse_mismatch(kind, wanted, bool(config.section(flags, "report").get("split")))
    name = default_name(kind, wanted) if name is None else valid_name(name)
    if if_new and (there := newest_file.shows(workspace, _sweep(workspace), config.digest(settings.report))):
        return _there_already(workspace, there, settings.report.lang)
    meter = Meter()
    with workspace.locked(settings.history.keep), engine_of(workspace, settings):
        path = _write(workspace, settings, listen, name, kind, wanted)
        listen(Progress("report: writing the page", 2, 2, "steps"))
    files = written(path)
    facts = _facts(files, settings.report.lang)
    several = f", {len(files)} files: send the whole folder" if len(files) > 1 else ""
    notes = (f"{facts['bytes'] / 2**20:.1f} MB, opens in any browser, needs no network: {FOR[kind]}{several}",)
    done = Result("report", path, *meter.read(), notes=notes, facts=facts)
    return end(done, workspace, settings, "reports", save=save)


def _sweep(workspace: Workspace) -> str:
    return workspace.manifest(CLUSTERS).output_hash


def _there_already(workspace: Workspace, path: Path, lang: str) -> Result:
    note, facts = f"up to date: {path} shows these groups", _facts(written(path), lang)
    return Result("report", path, 0.0, 0.0, skipped=True, notes=(note,), then=after(workspace), facts=facts)


def _facts(files: Sequence[Path], lang: str) -> dict[str, Any]:
    size = sum(file.stat().st_size for file in files)
    return {"bytes": size, "lang": lang, "files": [str(file) for file in files]}


def figures(root: Path, flags: Mapping[str, object] | None = None) -> dict[str, go.Figure]:
    """The pictures of the report's overview, by name, as Plotly figures: for a notebook."""
    workspace = Workspace.open(root)
    return overview_figures(workspace, load(workspace, flags).report.lang)


def _write(
    workspace: Workspace, settings: Settings, listen: Listener, name: str, kind: Kind, wanted: ReportScope
) -> Path:
    """The file to open."""
    if kind == "features":
        return write_page(workspace, name, _features(workspace, settings, listen))
    workspace.manifest(CLUSTERS)
    freshness.refuse_stale(workspace)
    clusters_freshness.refuse_other_features(workspace)
    archive.remember(workspace)
    listen(Progress("report: choosing curves", 0, 2, "steps"))
    asked = settings.report if wanted.group is None else _all_members(settings.report)
    found, lang = collect(workspace, asked, wanted), settings.report.lang
    whole = wanted.k is None and wanted.group is None
    if whole:
        found = replace(found, sheet=_sheet(workspace, settings.report.sheet))
    listen(Progress("report: writing the page", 1, 2, "steps"))
    drawn = overview_figures(workspace, lang) if settings.report.charts else {}
    path = write_groups(workspace, name, found, lang, drawn, settings.report.split)
    if whole:
        _note_newest(workspace, settings, path)
    else:
        newest_file.keep(workspace, settings.differences("report"))
    return path


def _note_newest(workspace: Workspace, settings: Settings, path: Path) -> None:
    sweep, labels = _sweep(workspace), workspace.find_manifest(LABELS)
    newest_file.write(workspace, NewestReport(
        sweep=sweep, labels=labels.output_hash if labels else "", made_with=settings.differences("report"),
        path=str(path.relative_to(workspace.reports)), settings=config.digest(settings.report),
    ))  # fmt: skip


def _all_members(asked: Report) -> Report:
    """A group alone shows all of its members, where these are too few to divide."""
    return asked.model_copy(update={"members": max(asked.members, FEW)})


def _sheet(workspace: Workspace, most: int) -> tuple[Curve, ...]:
    """Single series to ask about; what they are a sample of is kept until the answers come."""
    found = read_sheet(workspace, check_files.unanswered(workspace, most))
    if found:
        check_files.remember(workspace)
    return found


def _features(workspace: Workspace, settings: Settings, listen: Listener) -> str:
    # Here, because scikit-learn takes a second to import, and the report of the groups does without.
    from tsclust.stages.reports.features.page import render
    from tsclust.stages.reports.features.step import collect as collect_features

    freshness.refuse_stale(workspace)
    constants = FeatureFiles.of(workspace).typical.constants
    listen(Progress("report: counting", 0, 2, "steps"))
    found = collect_features(workspace, settings.report.title, constants, settings.cluster)
    listen(Progress("report: writing the page", 1, 2, "steps"))
    return render(found, settings.report.lang)
