"""report: clusters/ -> reports/NAME.html, or features/ -> reports/features.html"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import plotly.graph_objects as go

from tsclust import config
from tsclust.atomic import write_file
from tsclust.config import Settings
from tsclust.engine import Listener, Progress, silent
from tsclust.errors import SettingsError
from tsclust.pipeline import look, screening
from tsclust.pipeline.result import Result
from tsclust.report import collect, page
from tsclust.report import figures as pictures
from tsclust.workspace import Meter, Workspace

Kind = Literal["groups", "features"]
NAMES = {"groups": "report", "features": "features"}  # of the file, where none is given
FOR = {
    "groups": "send it to the people who know the machine",
    "features": "it shows what one needs to know to write the next rule",
}


def report(
    root: Path,
    flags: Mapping[str, Any] | None = None,
    listen: Listener = silent,
    *,
    name: str | None = None,
    kind: Kind = "groups",
) -> Result:
    """Write one HTML file: the groups found, for an expert to look at, or the features and what the rules reject."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    if kind not in NAMES:
        raise SettingsError(f"report kind {kind!r}: expected {' or '.join(NAMES)}", "Choose one of them")
    name = NAMES[kind] if name is None else name
    if not re.fullmatch(r"[\w.-]{1,80}", name) or name.startswith("."):
        raise SettingsError(f"report name {name!r}: expected letters, digits, . _ -", "Choose such a name")
    meter = Meter()
    path = workspace.reports / f"{name}.html"
    with workspace.locked():
        write_file(path, (_groups if kind == "groups" else _features)(workspace, settings, listen))
        listen(Progress("report: writing the page", 2, 2, "steps"))
    size = path.stat().st_size
    notes = (f"{size / 2**20:.1f} MB, opens in any browser, needs no network: {FOR[kind]}",)
    facts = {"bytes": size, "lang": settings.report.lang}
    return Result("report", path, *meter.read(), notes=notes, then=f"open {path}", facts=facts)


def figures(root: Path, flags: Mapping[str, Any] | None = None) -> dict[str, go.Figure]:
    """The pictures of the report's overview, by name, as Plotly figures: for a notebook."""
    workspace = Workspace.open(root)
    return pictures.of_workspace(workspace, config.load(workspace.config, flags).report.lang)


def _groups(workspace: Workspace, settings: Settings, listen: Listener) -> str:
    workspace.manifest("clusters")
    screening.refuse_stale(workspace)
    listen(Progress("report: choosing curves", 0, 2, "steps"))
    found = collect.collect(workspace, settings.report)
    listen(Progress("report: writing the page", 1, 2, "steps"))
    lang = settings.report.lang
    return page.render(found, lang, pictures.of_workspace(workspace, lang) if settings.report.charts else {})


def _features(workspace: Workspace, settings: Settings, listen: Listener) -> str:
    # Here, because scikit-learn takes a second to import, and the report of the groups does without.
    from tsclust.report import features_data, features_page

    screening.refuse_stale(workspace)
    constants = look.as_columns(workspace.manifest("features").facts["typical"])
    listen(Progress("report: counting", 0, 2, "steps"))
    found = features_data.collect(workspace, settings.report.title, constants, settings.cluster.baseline)
    listen(Progress("report: writing the page", 1, 2, "steps"))
    return features_page.render(found, settings.report.lang)
