"""report: clusters/ -> reports/NAME.html, or features/ -> reports/features.html"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import plotly.graph_objects as go

from tsclust import config
from tsclust.config import Settings
from tsclust.engine.base import Listener, Progress, silent
from tsclust.errors import SettingsError
from tsclust.stages.clusters import freshness as clusters_freshness
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.selection import THE_SWEEP, Wanted
from tsclust.stages.features import freshness, survey
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import archive
from tsclust.stages.labels.answers import NAME
from tsclust.stages.reports.charts import figures as pictures
from tsclust.stages.reports.groups import collect, page
from tsclust.stages.reports.groups.data import ReportData
from tsclust.stages.reports.groups.parts import INDEX, bind
from tsclust.workspace.atomic import replace_folder, write_file
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result

Kind = Literal["groups", "features"]
NAMES = {"groups": "report", "features": "features"}  # of the file, where none is given
LONGEST = 70  # characters of a name: parts of a split report have a number more
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
) -> Result:
    """Write one HTML file: the groups found, for an expert to look at, or the features and what the rules reject.

    Of the groups of the whole sweep, of one model with `k` clusters, or of one `group`; with `everything` also those
    that have their names already. With [report] split it is a folder with an index and several parts.
    """
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    if kind not in NAMES:
        raise SettingsError(f"report kind {kind!r}: expected {' or '.join(NAMES)}", "Choose one of them")
    wanted = Wanted(k, group, everything)
    if kind == "features" and wanted != THE_SWEEP:
        raise SettingsError("--kind features has no groups: expected no --k, --group or --all with it", "Omit it")
    if kind == "features" and config.section(flags, "report").get("split"):
        raise SettingsError("--kind features is one page: expected no --split with it", "Omit it")
    if k is not None and group is not None:
        raise SettingsError("--k shows all clusters of one model, --group one group", "Use only one of them")
    name = _name(kind, wanted) if name is None else checked(name)
    meter = Meter()
    with workspace.locked():
        path = _write(workspace, settings, listen, name, kind, wanted)
        listen(Progress("report: writing the page", 2, 2, "steps"))
    files = sorted(path.parent.glob("*.html")) if path.name == INDEX else [path]
    size = sum(file.stat().st_size for file in files)
    several = f", {len(files)} files: send the whole folder" if len(files) > 1 else ""
    notes = (f"{size / 2**20:.1f} MB, opens in any browser, needs no network: {FOR[kind]}{several}",)
    facts = {"bytes": size, "lang": settings.report.lang, "files": [str(file) for file in files]}
    return Result("report", path, *meter.read(), notes=notes, then=f"open {shlex.quote(str(path))}", facts=facts)


def checked(name: str) -> str:
    """The name of a report, without .html. Raises SettingsError for one that is no plain file name."""
    name = name.removesuffix(".html")
    if not re.fullmatch(NAME, name) or name.startswith(".") or len(name) > LONGEST:
        expected = f"expected at most {LONGEST} letters, digits, . _ -"
        raise SettingsError(f"report name {name[:100]!r}: {expected}", "Choose such a name")
    return name


def _name(kind: Kind, wanted: Wanted) -> str:
    """Of the file, where none is given: a report about less does not take the place of the one about all."""
    if wanted.group is not None:
        return f"group-{wanted.group}"
    return NAMES[kind] if wanted.k is None else f"k-{wanted.k}"


def figures(root: Path, flags: Mapping[str, object] | None = None) -> dict[str, go.Figure]:
    """The pictures of the report's overview, by name, as Plotly figures: for a notebook."""
    workspace = Workspace.open(root)
    return pictures.of_workspace(workspace, config.load(workspace.config, flags).report.lang)


def _write(workspace: Workspace, settings: Settings, listen: Listener, name: str, kind: Kind, wanted: Wanted) -> Path:
    """The file to open: the page, or the index of several."""
    if kind == "features":
        return _one(workspace, name, _features(workspace, settings, listen))
    workspace.manifest(CLUSTERS)
    freshness.refuse_stale(workspace)
    clusters_freshness.refuse_other_features(workspace)
    archive.remember(workspace)
    listen(Progress("report: choosing curves", 0, 2, "steps"))
    found, lang = collect.collect(workspace, settings.report, wanted), settings.report.lang
    listen(Progress("report: writing the page", 1, 2, "steps"))
    drawn = pictures.of_workspace(workspace, lang) if settings.report.charts else {}
    if settings.report.split == 0 or settings.report.split >= sum(not g.normal for g in found.groups):
        return _one(workspace, name, page.render(found, lang, drawn, name))
    return _several(workspace, name, found, lang, drawn, settings.report.split)


def _one(workspace: Workspace, name: str, text: str) -> Path:
    path = workspace.reports / f"{name}.html"
    write_file(path, text)
    if (workspace.reports / name / INDEX).exists():  # an earlier one of that name, in several files
        shutil.rmtree(workspace.reports / name)
    return path


def _several(
    workspace: Workspace, name: str, found: ReportData, lang: str, drawn: Mapping[str, go.Figure], per: int
) -> Path:
    """A folder that appears whole, in the place of one of that name."""
    folder, beside = workspace.reports / name, workspace.reports / f".{name}.new"
    shutil.rmtree(beside, ignore_errors=True)
    try:
        for book, data in bind(found, per):
            charts, own = (drawn, name) if book.here == INDEX else ({}, f"{name}-{book.number}")
            write_file(beside / book.here, page.render(data, lang, charts, own, book))
        replace_folder(beside, folder)
        folder.with_name(f"{name}.html").unlink(missing_ok=True)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder / INDEX


def _features(workspace: Workspace, settings: Settings, listen: Listener) -> str:
    # Here, because scikit-learn takes a second to import, and the report of the groups does without.
    from tsclust.stages.reports.features import collect as features_data
    from tsclust.stages.reports.features import page as features_page

    freshness.refuse_stale(workspace)
    constants = survey.as_columns(workspace.manifest(FEATURES).facts.typical)
    listen(Progress("report: counting", 0, 2, "steps"))
    found = features_data.collect(workspace, settings.report.title, constants, settings.cluster)
    listen(Progress("report: writing the page", 1, 2, "steps"))
    return features_page.render(found, settings.report.lang)
