"""The workspaces of a service: which there are, their reports, labels and scores, and the answers that come."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import tsclust
from tsclust.pipeline.labels_export import save
from tsclust.serve.names import fits
from tsclust.serve.problems import Refusal
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores import parts
from tsclust.stages.scores.facts import SCORES
from tsclust.workspace.folder import Workspace

INDEX = "index.html"
LONGEST = 255  # bytes of a name
FORMS: Mapping[str, str] = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


def names(root: Path) -> list[str]:
    """All workspaces, by name."""
    return sorted(path.parent.name for path in root.glob("*/tsclust.toml") if fits(path.parent.name))


def find(root: Path, name: str) -> Workspace:
    """Raises Refusal where there is none."""
    if not fits(name) or not (root / name / "tsclust.toml").is_file():
        raise Refusal(404, f"there is no workspace {name[:100]!r}", "See GET /workspaces", code=4)
    return Workspace(root / name)


def reports(workspace: Workspace) -> list[str]:
    """The pages in reports/, the newest first; of one in several files its index."""
    folder = workspace.reports
    pages = [path for path in (*folder.glob("*.html"), *folder.glob(f"*/{INDEX}")) if _is_page(folder, path)]
    return [str(path.relative_to(folder)) for path in sorted(pages, key=lambda one: -one.stat().st_mtime_ns)]


def report(workspace: Workspace, file: str) -> Path:
    """The path of one of them, or of a part. Raises Refusal."""
    path = workspace.reports / file
    parts = Path(file).parts
    is_named = len(parts) in (1, 2) and "/".join(parts) == file and all(map(_can_be, parts))
    if not is_named or not _is_page(workspace.reports, path):
        raise Refusal(404, f"there is no report {file[:100]!r}", "See GET /workspaces")
    return path


def _can_be(part: str) -> bool:
    """Whether a file system takes it for a name, and it is not hidden."""
    return not part.startswith(".") and "\0" not in part and len(os.fsencode(part)) <= LONGEST


def _is_page(folder: Path, path: Path) -> bool:
    """A file, through no link, whose folder is seen."""
    inside = path.parent == folder or not (path.parent.is_symlink() or path.parent.name.startswith("."))
    return inside and path.suffix == ".html" and path.is_file() and not path.is_symlink()


def has_model(workspace: Workspace) -> bool:
    return (workspace.stage(MODEL) / "manifest.json").is_file()


def labels_as(workspace: Workspace, to: Path) -> None:
    """The labels, as CSV or Parquet by the name of the file. Raises TsclustError."""
    tsclust.labels_export(workspace.root, to)


def scores_as(workspace: Workspace, to: Path) -> None:
    """The scores. Raises TsclustError."""
    made_at = datetime.fromisoformat(workspace.manifest(SCORES).made_at)
    save(parts.read_all(workspace.parts(SCORES), made_at), to)
