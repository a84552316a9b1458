"""The files of reports/: one page, or a folder with an index and several parts. The page of the features is one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import plotly.graph_objects as go

from tsclust.errors import SettingsError
from tsclust.stages.clusters.selection import THE_SWEEP, ReportScope
from tsclust.stages.labels.answers import NAME
from tsclust.stages.reports.data import ReportData
from tsclust.stages.reports.groups import page
from tsclust.stages.reports.groups.parts import INDEX, bind
from tsclust.stages.reports.html.form import report_id
from tsclust.workspace import pages
from tsclust.workspace.atomic import replace_folder, sync, write_file
from tsclust.workspace.folder import Workspace

LONGEST = 70  # characters of a name: parts of a split report have a number more

Kind = Literal["groups", "features"]
NAMES = {"groups": "report", "features": "features"}  # of the file, where none is given


def refuse_mismatch(kind: Kind, wanted: ReportScope, split: bool) -> None:
    """Raises SettingsError for a kind of report there is not, and for options that do not go together."""
    if kind not in NAMES:
        raise SettingsError(f"report kind {kind!r}: expected {' or '.join(NAMES)}", "Choose one of them")
    if kind == "features" and wanted != THE_SWEEP:
        raise SettingsError(
            "--k, --group and --all cannot be combined with --kind features, which has no groups", "Leave them out"
        )
    if kind == "features" and split:
        raise SettingsError("--split cannot be combined with --kind features, which is one page", "Omit it")
    if wanted.k is not None and wanted.group is not None:
        raise SettingsError("--k shows all clusters of one model, --group one group", "Use only one of them")


def default_name(kind: Kind, wanted: ReportScope) -> str:
    """Of the file, where none is given: a report about less does not take the place of the one about all."""
    if wanted.group is not None:
        return f"group-{wanted.group}"
    return NAMES[kind] if wanted.k is None else f"k-{wanted.k}"


def valid_name(name: str) -> str:
    """The name of a report, without .html. Raises SettingsError for one that is no plain file name."""
    name = name.removesuffix(".html")
    if not re.fullmatch(NAME, name) or name.startswith(".") or len(name) > LONGEST:
        expected = f"expected at most {LONGEST} letters, digits, . _ -"
        raise SettingsError(f"report name {name[:100]!r}: {expected}", "Choose such a name")
    return name


def write_groups(
    workspace: Workspace, name: str, data: ReportData, lang: str, figures: Mapping[str, go.Figure], split: int
) -> Path:
    """The report of the groups: the file to open, the page or, where it has more than `split` groups that are not
    normal, the index of several. 0: never several."""
    if split == 0 or split >= sum(not group.normal and group.family is None for group in data.groups):
        return write_page(workspace, name, page.render(data, lang, figures, name))
    return _write_parts(workspace, name, data, lang, figures, split)


def write_page(workspace: Workspace, name: str, text: str, by: str = "report") -> Path:
    """A report in one file, written `by` a command, in the place of one of that name, which stays under its number."""
    path = workspace.reports / f"{name}.html"
    pages.write_page(workspace.root, by, path, text)
    if (workspace.reports / name / INDEX).exists():  # an earlier one of that name, in several files
        pages.keep_page(workspace.root, workspace.reports / name)
        shutil.rmtree(workspace.reports / name)
        sync(workspace.reports)
    return path


def written(path: Path) -> list[Path]:
    """All files of the report that `path` is to be opened of."""
    return sorted(path.parent.glob("*.html")) if path.name == INDEX else [path]


def _write_parts(
    workspace: Workspace, name: str, data: ReportData, lang: str, figures: Mapping[str, go.Figure], per: int
) -> Path:
    """A folder that appears whole, in the place of one of that name."""
    folder, beside = workspace.reports / name, workspace.reports / f".{name}.new"
    shutil.rmtree(beside, ignore_errors=True)
    try:
        parts = list(bind(data, per))
        ids = tuple((book.here, report_id(part)) for book, part in parts)
        for book, part in parts:
            charts, own = (figures, name) if book.here == INDEX else ({}, f"{name}-{book.number}")
            write_file(beside / book.here, page.render(part, lang, charts, own, replace(book, ids=ids)))
        for earlier in (folder, folder.with_name(f"{name}.html")):
            pages.keep_page(workspace.root, earlier)
        replace_folder(beside, folder)
        folder.with_name(f"{name}.html").unlink(missing_ok=True)
        sync(workspace.reports)
        pages.record(workspace.root, "report", folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder / INDEX
