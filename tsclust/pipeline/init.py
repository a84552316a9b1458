"""init: a commented tsclust.toml and the sql/ to adapt."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from tsclust.config import Report
from tsclust.config.refusals import refuse_passwords
from tsclust.config.template import settings_text
from tsclust.errors import SettingsError, TsclustError
from tsclust.pipeline import next_step
from tsclust.stages.features.default_rules import DEFAULT_RULES
from tsclust.workspace.atomic import disk_full_explained, is_no_folder, make_folder, sync_tree, write_file
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result


def init(
    root: Path,
    table: str = "",
    baseline: Sequence[str] | None = None,
    *,
    files: str = "",
    report: Mapping[str, str | float] = MappingProxyType({}),
) -> Result:
    """Make `root` a workspace. Raises SettingsError where it is one already: nothing is written over.

    files: a file, folder or pattern with the series; a path that is not absolute is one from `root`.
    report: texts and numbers of [report]: lang, title, quantity, unit, sample_seconds.
    """
    meter = Meter()
    refuse_passwords({"table": table, "files": files, "baseline": baseline, "report": list(report.values())})
    if (root / "tsclust.toml").exists():
        raise SettingsError(f"{root / 'tsclust.toml'} exists already", "Edit it, or name another folder with -w")
    _check(report)
    write_workspace(root, settings_text(DEFAULT_RULES, table, baseline, files, report))
    place = files or table
    where = f"series come from {place}" if place else "fill in [source]: where your series are"
    notes = (f"tsclust.toml has all settings; {where}", "sql/ has queries for other ways of storing series")
    then = next_step.after(Workspace.open(root))
    return Result("init", root, *meter.read(), notes=notes, then=then, facts={})


def _check(report: Mapping[str, str | float]) -> None:
    """Raises SettingsError for what [report] must not have."""
    try:
        Report.model_validate(dict(report))
    except ValidationError as error:
        first = error.errors()[0]
        name, wrong = ".".join(map(str, first["loc"])), first["msg"][:1].lower() + first["msg"][1:]
        raise SettingsError(f"[report] {name} = {first['input']!r}: {wrong}", "Correct it") from None


def _refuse_no_folder(root: Path) -> None:
    """Raises TsclustError where a file has the name of the workspace, or of a folder above it."""
    for folder in (root, *root.parents):
        if is_no_folder(folder):
            raise TsclustError(f"{folder} is not a folder: expected one", "Name another folder with -w")


def write_workspace(root: Path, settings: str) -> None:
    """The SQL examples, then tsclust.toml, which makes the folder a workspace."""
    _refuse_no_folder(root)
    with disk_full_explained(root.absolute().parent):
        make_folder(root)
        shutil.copytree(_sql(), root / "sql", dirs_exist_ok=True)
        sync_tree(root / "sql")
    write_file(root / "tsclust.toml", settings)


def _sql() -> Path:
    """The SQL that ships in the package, or that of the checkout where tsclust is installed from one."""
    inside = Path(str(files("tsclust"))) / "sql"
    return inside if inside.is_dir() else inside.parent.parent / "sql"
