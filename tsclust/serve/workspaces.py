"""The workspaces of a service: which there are, their reports, labels and scores, and the answers that come."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import tsclust
from tsclust.errors import AnswersError, StageMissingError, WorkspaceBusyError
from tsclust.pipeline.labels_export import save
from tsclust.serve.names import fits
from tsclust.serve.problems import Refusal
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores import parts
from tsclust.stages.scores.facts import SCORES
from tsclust.workspace.folder import Workspace

FORMS: Mapping[str, str] = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
LATER = "kept; the answers are imported with the next job of kind run"


def names(root: Path) -> list[str]:
    """All workspaces, by name."""
    return sorted(path.parent.name for path in root.glob("*/tsclust.toml") if fits(path.parent.name))


def find(root: Path, name: str) -> Workspace:
    """Raises Refusal where there is none."""
    if not fits(name) or not (root / name / "tsclust.toml").is_file():
        raise Refusal(404, f"there is no workspace {name[:100]!r}", "See GET /workspaces", code=4)
    return Workspace(root / name)


def reports(workspace: Workspace) -> list[str]:
    """The pages in reports/, the newest first."""
    pages = [path for path in workspace.reports.glob("*.html") if path.is_file() and not path.is_symlink()]
    return [path.name for path in sorted(pages, key=lambda one: -one.stat().st_mtime_ns)]


def report(workspace: Workspace, file: str) -> Path:
    """The path of one of them. Raises Refusal."""
    if file not in reports(workspace):
        raise Refusal(404, f"there is no report {file[:100]!r}", "See GET /workspaces")
    return workspace.reports / file


def has_model(workspace: Workspace) -> bool:
    return (workspace.stage(MODEL) / "manifest.json").is_file()


def labels_as(workspace: Workspace, to: Path) -> None:
    """The labels, as CSV or Parquet by the name of the file. Raises TsclustError."""
    tsclust.labels_export(workspace.root, to)


def scores_as(workspace: Workspace, to: Path) -> None:
    """The scores. Raises TsclustError."""
    made_at = datetime.fromisoformat(workspace.manifest(SCORES).made_at)
    save(parts.read_all(workspace.parts(SCORES), made_at), to)


def take_answers(workspace: Workspace, content: bytes) -> dict[str, Any]:
    """Keep an answers file in answers/ and import it; while a job is at work, it is kept for the next one.

    Raises AnswersError for what is none, which is not kept, and StageMissingError.
    """
    name = f"answers-{hashlib.sha256(content).hexdigest()[:16]}.json"
    path = workspace.root / "answers" / name
    path.parent.mkdir(exist_ok=True)
    known = path.exists()
    path.write_bytes(content)
    try:
        done = tsclust.labels_import(workspace.root, [path], None, older=True)
    except WorkspaceBusyError:
        return {"file": name, "imported": False, "notes": [LATER], "facts": None}
    except (AnswersError, StageMissingError):
        if not known:
            path.unlink()
        raise
    return {"file": name, "imported": True, "notes": list(done.notes), "facts": done.facts}
