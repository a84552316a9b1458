"""Uploads: streamed to the disk, then into the workspace that they are for, within a quota and for a time."""

from __future__ import annotations

import itertools
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

import tsclust
from tsclust.errors import NotAWorkspaceError
from tsclust.serve import received
from tsclust.serve.problems import Refusal
from tsclust.serve.settings import ServeSettings

FOLDER = "uploads"
ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".sql", ".dump", ".backup", ".tar", ".gz", ".zst", ".bz2", ".xz", ".zip")
_making = threading.Lock()
_ODD = re.compile(r"[^\w.-]+")


@contextmanager
def beside(own: Path) -> Iterator[Path]:
    """A folder for what is received, until it takes its place."""
    folder = Path(tempfile.mkdtemp(prefix="receiving-", dir=own))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def receive(request: Request, root: Path, to: Path, settings: ServeSettings) -> tuple[dict[str, str], str]:
    """(the fields of a form, what its file is to be called), the file written to `to`. `workspace` is among them: the
    field, or by the name of the file. Raises Refusal.
    """
    most = await run_in_threadpool(_most, root, to.parent.parent, settings)
    fields = await received.form(request, to, most, "upload_mb and uploads_mb")
    file = safe(fields.pop("filename", ""))
    fields["workspace"] = fields.get("workspace") or _stem(file)
    return fields, file


def check(workspace: Path) -> None:
    """Whether an upload may go there: a workspace, or nothing yet. Raises Refusal."""
    if (workspace / "tsclust.toml").is_file():
        return
    if workspace.exists() and (not workspace.is_dir() or any(workspace.iterdir())):
        raise Refusal(
            409, f"{workspace.name} is there, and no workspace", "Choose another name",
            code=NotAWorkspaceError.exit_code,
        )  # fmt: skip


def keep(file: Path, workspace: Path, name: str) -> str:
    """Where the file lies in the workspace from now on, which is made where there is none; no other one is replaced:
    a series may still be read from that."""
    folder = workspace / FOLDER
    with _making:  # two uploads at once make one workspace
        if not (workspace / "tsclust.toml").exists():
            tsclust.init(workspace, files=str((folder / name).absolute()))
        folder.mkdir(exist_ok=True)
    taken = _taken(folder, name)
    file.replace(taken)
    return f"{FOLDER}/{taken.name}"


def _taken(folder: Path, name: str) -> Path:
    """A name that nobody has: the second day.csv.gz is day-2.csv.gz."""
    stem = _without_endings(name)
    for number in itertools.count(1):
        path = folder / (name if number == 1 else f"{stem}-{number}{name[len(stem) :]}")
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            return path
    raise AssertionError("numbers have no end")


def safe(name: str) -> str:
    """What a client calls a file, as a name that leads nowhere: its last part, its ending kept."""
    last = re.split(r"[/\\]", name)[-1]
    plain = _ODD.sub("_", last).strip("._-") or "upload"
    return plain.encode()[-100:].decode(errors="ignore").lstrip("._-") or "upload"


def sweep(root: Path, settings: ServeSettings, in_use: Set[Path] = frozenset()) -> list[Path]:
    """Remove uploads that are older than they may be, and the oldest where all are more than may be kept; which there
    were. in_use: these stay."""
    found = [(*_about(path), path) for path in _all(root)]
    too_many = sum(size for _, size, _ in found) - settings.uploads_mb * 1_000_000
    limit, gone = time.time() - settings.upload_days * 86_400, list[Path]()
    for when, size, path in sorted(found):
        if path not in in_use and (when < limit or too_many > 0):
            path.unlink(missing_ok=True)
            too_many -= size
            gone.append(path)
    return gone


def _about(path: Path) -> tuple[float, int]:
    """(when it was written, its bytes): nothing where it is gone."""
    with suppress(FileNotFoundError):
        about = path.stat()
        return about.st_mtime, about.st_size
    return 0.0, 0


def _most(root: Path, own: Path, settings: ServeSettings) -> int:
    """Bytes that an upload may have, with what others send just now. Raises Refusal where there is no place left."""
    used = sum(_about(path)[1] for path in (*_all(root), *own.glob("receiving-*/file")))
    left = settings.uploads_mb * 1_000_000 - used
    if left <= 0:
        full = f"the uploads that are kept have {used:,} bytes: expected fewer than {settings.uploads_mb:,} MB"
        raise Refusal(507, full, "Remove some, or raise [serve] uploads_mb")
    return min(settings.upload_mb * 1_000_000, left)


def _all(root: Path) -> list[Path]:
    return [path for path in root.glob(f"*/{FOLDER}/*") if path.is_file() and not path.is_symlink()]


def _stem(file: str) -> str:
    return _ODD.sub("_", _without_endings(file)).strip("._-")[:64] or "upload"


def _without_endings(file: str) -> str:
    stem = file
    while stem.lower().endswith(ENDINGS):
        stem = stem.rpartition(".")[0]
    return stem
