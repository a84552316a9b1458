"""Uploads: streamed to the disk, into the workspace that they are for, within a quota and for a time."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

import tsclust
from tsclust.errors import NotAWorkspaceError
from tsclust.serve import names, received
from tsclust.serve.problems import Refusal
from tsclust.serve.settings import ServeSettings
from tsclust.workspace.folder import Workspace

FOLDER = "uploads"
ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".sql", ".dump", ".backup", ".tar", ".gz", ".zst", ".bz2", ".xz", ".zip")
_ODD = re.compile(r"[^\w.-]+")


async def receive(request: Request, root: Path, own: Path, settings: ServeSettings) -> tuple[dict[str, str], str]:
    """(the fields of a form, where its file lies in the workspace that they name).

    The workspace is made where there is none: by the field `workspace`, or the name of the file. Raises Refusal.
    """
    most = await run_in_threadpool(_most, root, settings)
    beside = Path(tempfile.mkdtemp(prefix="receiving-", dir=own))
    try:
        fields = await received.form(request, beside / "file", most)
        file = safe(fields.pop("filename", ""))
        name = names.checked(fields.get("workspace") or _stem(file), "workspace")
        fields["workspace"] = name
        await run_in_threadpool(_keep, beside / "file", root / name, file)
        return fields, f"{FOLDER}/{file}"
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def safe(name: str) -> str:
    """What a client calls a file, as a name that leads nowhere: its last part, its ending kept."""
    last = re.split(r"[/\\]", name)[-1]
    plain = _ODD.sub("_", last).strip("._-") or "upload"
    return plain[-100:].lstrip("._-") or "upload"


def sweep(root: Path, settings: ServeSettings) -> int:
    """Remove uploads that are older than they may be; how many there were."""
    limit = time.time() - settings.upload_days * 86_400
    old = [path for path in _all(root) if path.stat().st_mtime < limit]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _keep(file: Path, workspace: Path, name: str) -> None:
    """The file takes its place, beside another one of its name too: a series may still be read from that."""
    folder = workspace / FOLDER
    if not (workspace / "tsclust.toml").exists():
        _make(workspace, folder / name)
    Workspace.open(workspace)
    folder.mkdir(exist_ok=True)
    file.replace(folder / name)


def _make(workspace: Path, file: Path) -> None:
    if workspace.exists() and any(workspace.iterdir()):
        raise Refusal(
            409,
            f"{workspace.name} is a folder of other things",
            "Choose another name",
            code=NotAWorkspaceError.exit_code,
        )
    tsclust.init(workspace, files=str(file.absolute()))


def _most(root: Path, settings: ServeSettings) -> int:
    """Bytes that an upload may have. Raises Refusal where there is no place left."""
    used = sum(path.stat().st_size for path in _all(root))
    left = settings.uploads_mb * 1_000_000 - used
    if left <= 0:
        full = f"the uploads that are kept have {used:,} bytes: expected fewer than {settings.uploads_mb:,} MB"
        raise Refusal(507, full, "Remove some, or raise [serve] uploads_mb")
    return min(settings.upload_mb * 1_000_000, left)


def _all(root: Path) -> list[Path]:
    return [path for path in root.glob(f"*/{FOLDER}/*") if path.is_file() and not path.is_symlink()]


def _stem(file: str) -> str:
    stem = file
    while stem.lower().endswith(ENDINGS):
        stem = stem.rpartition(".")[0]
    return _ODD.sub("_", stem).strip("._-")[:64] or "upload"
