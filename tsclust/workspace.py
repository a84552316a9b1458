"""Every path in a workspace, stages that appear whole or not at all, and what each was made from."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import filelock
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from tsclust.errors import DamagedError, DiskFullError, NotAWorkspaceError, StageMissingError, WorkspaceBusyError

STAGES = ("series", "features", "clusters")
MADE_BY = {"series": "extract", "features": "features", "clusters": "cluster"}
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def command(name: str, root: Path) -> str:
    """What to type to run a command on a workspace, whatever its path looks like."""
    return f"tsclust {name} -w {shlex.quote(str(root))}"


class Manifest(BaseModel):
    """What a stage was made from and what it cost: `STAGE/manifest.json`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    stage: str
    settings: str  # hash of the settings it depends on
    inputs: dict[str, str]  # stage or source -> hash
    outputs: dict[str, str]  # file -> sha256
    versions: dict[str, str]
    seed: int
    rows: int
    parts: int
    seconds: float
    peak_mb: float
    made_at: str
    facts: dict[str, Any] = {}  # what the stage wants to be remembered

    @property
    def output_hash(self) -> str:
        """One hash for all files of the stage."""
        return hashlib.sha256(repr(sorted(self.outputs.items())).encode()).hexdigest()[:16]


@dataclass
class StageWriter:
    """A stage in the making: files go to `folder`, which takes the stage's name when all is well."""

    folder: Path
    outputs: dict[str, str] = field(default_factory=dict)

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write one Parquet file (zstd) named `name` relative to the stage."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="zstd", compression_level=1, use_dictionary=_dictionary_columns(table))
        self.outputs[name] = _sha256(path)

    def remove(self, name: str) -> None:
        """Remove a folder that was only needed on the way."""
        shutil.rmtree(self.folder / name)


@dataclass(frozen=True)
class Workspace:
    """A folder with a tsclust.toml and the stages made from it."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """The workspace at `root`. Raises NotAWorkspaceError where there is no tsclust.toml."""
        if not (root / "tsclust.toml").is_file():
            raise NotAWorkspaceError(
                f"{root} is not a tsclust workspace: expected a tsclust.toml in it",
                f"Run: {command('init', root)}  (or name another folder with -w)",
            )
        return cls(root)

    @property
    def config(self) -> Path:
        return self.root / "tsclust.toml"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def stage(self, name: str) -> Path:
        return self.root / name

    def parts(self, name: str) -> list[Path]:
        """The parts of a stage in order. Raises StageMissingError where the stage was not made."""
        self.manifest(name)
        folder = self.stage(name)
        return sorted((folder / "assignments" if name == "clusters" else folder).glob("part-*.parquet"))

    def find_manifest(self, name: str) -> Manifest | None:
        """The manifest of a stage, None where the stage was not made (or its manifest cannot be read)."""
        try:
            return Manifest.model_validate_json((self.stage(name) / "manifest.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None

    def manifest(self, name: str) -> Manifest:
        """The manifest of a stage. Raises StageMissingError naming the command that makes it."""
        found = self.find_manifest(name)
        if found is None:
            raise StageMissingError(
                f"{self.stage(name)} is not there yet: it is made by `tsclust {MADE_BY[name]}`",
                f"Run: {command(MADE_BY[name], self.root)}",
            )
        return found

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one tsclust writes here at a time. The lock goes with the process, even one that is killed."""
        lock = filelock.FileLock(self.root / ".tsclust.lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise WorkspaceBusyError(
                f"another tsclust is writing to {self.root}", "Wait until it is done, or use another workspace with -w"
            ) from None
        try:
            self._sweep_up()
            yield
        except pa.ArrowInvalid as error:
            raise DamagedError(
                f"a Parquet file in {self.root} cannot be read: {error}",
                f"Remove that stage's folder and make it again: {command('run', self.root)}",
            ) from None
        finally:
            lock.release()

    @contextmanager
    def writing(self, name: str) -> Iterator[StageWriter]:
        """A stage written beside and put in place whole; on any error the last good one stays, the new one is gone."""
        writer = StageWriter(self.root / f".{name}.new")
        shutil.rmtree(writer.folder, ignore_errors=True)
        writer.folder.mkdir(parents=True)
        try:
            with disk_full_explained(self.root):
                yield writer
                replace_folder(writer.folder, self.stage(name))
        finally:
            shutil.rmtree(writer.folder, ignore_errors=True)

    def _sweep_up(self) -> None:
        """Remove what a killed run left beside the stages; put back a stage it had moved aside."""
        for name in STAGES:
            aside = self.root / f".{name}.old"
            if aside.exists() and not self.stage(name).exists():
                aside.rename(self.stage(name))
            for leftover in (aside, self.root / f".{name}.new"):
                shutil.rmtree(leftover, ignore_errors=True)


class Meter:
    """Seconds and peak memory of a stretch of work in this process."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.can_reset = _reset_peak()

    def read(self) -> tuple[float, float]:
        """(seconds, peak resident MB) since the meter was made; the whole process's peak where it cannot be reset."""
        return round(time.perf_counter() - self._began, 3), round(_peak_mb(), 1)


def write_manifest(writer: StageWriter, meter: Meter, **about: Any) -> Manifest:
    """Seal a stage: its manifest is the last file written."""
    seconds, peak = meter.read()
    made_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    manifest = Manifest(
        outputs=writer.outputs, versions=_versions(), seconds=seconds, peak_mb=peak, made_at=made_at, **about
    )
    (writer.folder / "manifest.json").write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest


def write_file(path: Path, text: str) -> None:
    """Write a text file beside and rename: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        with disk_full_explained(path.parent):
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def disk_full_explained(where: Path) -> Iterator[None]:
    """Turn the system's "no space" into one line that says where and how much is left."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):  # the disk, a quota, a limit on files
            raise
        free = shutil.disk_usage(where).free // 2**20
        raise DiskFullError(
            f"no space left on the disk of {where} ({free} MB free); what was there before is unharmed",
            "Free some space or move the workspace, then run the same command again",
        ) from error


def replace_folder(new: Path, old: Path) -> None:
    """Put folder `new` in the place of `old` and remove the latter. On Linux a reader never sees neither."""
    if not old.exists():
        new.rename(old)
        return
    if not _exchange(new, old):
        aside = old.with_name(f".{old.name}.old")
        old.rename(aside)
        new.rename(old)
        new = aside
    shutil.rmtree(new, ignore_errors=True)


def _exchange(a: Path, b: Path) -> bool:
    """Swap two paths in one step with Linux's renameat2(2); False where the system has none."""
    rename: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if sys.platform != "linux" or rename is None:
        return False
    return rename(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0


def _dictionary_columns(table: pa.Table) -> list[str]:
    """Text columns repeat (a machine's name): a dictionary pays there, for numbers it only costs time."""
    return [f.name for f in table.schema if f.name != "series_id" and pa.types.is_string(f.type)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _versions() -> dict[str, str]:
    names = ("tsclust", "numpy", "numba", "polars", "pyarrow", "scikit-learn")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _reset_peak() -> bool:
    """Ask Linux to forget this process's peak memory so far (proc(5), clear_refs)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _peak_mb() -> float:
    try:
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    except OSError:
        import resource

        scale = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
