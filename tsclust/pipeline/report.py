"""report: clusters/ -> reports/NAME.html"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsclust import config
from tsclust.atomic import write_file
from tsclust.engine import Listener, Progress, silent
from tsclust.errors import SettingsError
from tsclust.pipeline.result import Result
from tsclust.report import data, page
from tsclust.workspace import Meter, Workspace


def report(
    root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent, *, name: str = "report"
) -> Result:
    """Write one HTML file with the groups found, for an expert to look at."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    if not re.fullmatch(r"[\w.-]{1,80}", name) or name.startswith("."):
        raise SettingsError(f"report name {name!r}: expected letters, digits, . _ -", "Choose such a name")
    meter = Meter()
    path = workspace.reports / f"{name}.html"
    with workspace.locked():
        workspace.manifest("clusters")
        listen(Progress("report: choosing curves", 0, 2, "steps"))
        found = data.collect(workspace, settings.report)
        listen(Progress("report: writing the page", 1, 2, "steps"))
        write_file(path, page.render(found, settings.report.lang, settings.report.charts))
        listen(Progress("report: writing the page", 2, 2, "steps"))
    size = path.stat().st_size
    notes = (
        f"{size / 2**20:.1f} MB, opens in any browser, needs no network: send it to the people who know the machine",
    )
    facts = {"bytes": size, "lang": settings.report.lang}
    return Result("report", path, *meter.read(), notes=notes, then=f"open {path}", facts=facts)
