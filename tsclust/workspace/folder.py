"""Every path in a workspace, and stages that appear whole or not at all."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import pyarrow as pa

from tsclust.errors import DamagedError, NotAWorkspaceError, StageMissingError, TsclustError, WorkspaceBusyError
from tsclust.workspace.atomic import (
    disk_full_explained,
    refuse_no_folder,
    remove,
    remove_unfinished,
    replace_folder,
    sync,
    write_file,
)
from tsclust.workspace.commands import command
from tsclust.workspace.history import History, Step
from tsclust.workspace.integrity import MANIFEST, damaged_files, is_intact, is_something_else, parts_in, sealed
from tsclust.workspace.manifest import F, Manifest, ManifestHead, Stage
from tsclust.workspace.pruning import prune
from tsclust.workspace.user_files import take_along

if TYPE_CHECKING:
    from tsclust.workspace.parquet import StageWriter


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

    @property
    def asked(self) -> Path:
        """The sweeps that reports were made from."""
        return self.root / "asked"

    @property
    def history(self) -> History:
        """What its commands did, up to now."""
        return History(self.root)

    def stage(self, stage: Stage[Any]) -> Path:
        """The folder of a stage."""
        return self.root / stage.name

    def parts(self, stage: Stage[Any]) -> list[Path]:
        """The parts of a stage in order, each of them whole.

        Raises StageMissingError where the stage was not made, DamagedError.
        """
        self.manifest(stage)
        return parts_in(self.stage(stage) / stage.parts_in)

    def find_manifest(self, stage: Stage[F]) -> Manifest[F] | None:
        """The manifest of a stage, None where the stage was not made, or by a tsclust that sealed other manifests.

        Raises DamagedError where the manifest is not what was written, is another stage's, or no command makes such a
        stage again.
        """
        refuse_no_folder(self.stage(stage))
        if is_something_else(self.stage(stage) / MANIFEST):
            raise self.damaged(stage, MANIFEST)
        try:
            content = self._read_manifest(stage)
        except (FileNotFoundError, NotADirectoryError):
            if stage.repair and self.stage(stage).exists():
                raise self.damaged(stage, MANIFEST) from None
            return None
        if not is_intact(content):
            raise self.damaged(stage, MANIFEST)
        self._refuse_other(stage, content)
        found = stage.read(content)
        if found is None and not stage.is_earlier(content):
            raise self.damaged(stage, MANIFEST)
        return found

    def reusable(self, stage: Stage[F]) -> Manifest[F] | None:
        """The manifest of a stage that is whole, for the command that makes it; None: make it again."""
        try:
            found = self.find_manifest(stage)
        except DamagedError:
            return None
        return None if found is None or damaged_files(self.stage(stage), found.outputs) else found

    def _read_manifest(self, stage: Stage[Any]) -> bytes:
        """Its bytes. Where a file system cannot exchange two folders (NFS), a stage is away for a moment: that is
        waited for."""
        aside = self.root / f".{stage.name}.old"
        for _ in range(20):
            try:
                return (self.stage(stage) / MANIFEST).read_bytes()
            except OSError as error:
                if error.errno != errno.ESTALE and not aside.exists():
                    break
            time.sleep(0.05)
        return (self.stage(stage) / MANIFEST).read_bytes()

    def _refuse_other(self, stage: Stage[Any], content: bytes) -> None:
        """Raises StageMissingError for a manifest of a newer tsclust, DamagedError for one of another stage."""
        head = ManifestHead.of(content)
        if head.stage not in ("", stage.name):
            raise self.damaged(stage, MANIFEST, f"is of {head.stage[:40]}/, not of {stage.name}/")
        if stage.is_newer(head):
            raise StageMissingError(
                f"{self.stage(stage)} was made by a newer tsclust than this one",
                f"Update tsclust, or make it again: {stage.command(self.root)}",
            )

    def manifest(self, stage: Stage[F]) -> Manifest[F]:
        """The manifest of a stage. Raises StageMissingError naming the command that makes it."""
        found = self.find_manifest(stage)
        if found is None:
            folder, by = self.stage(stage), f"`tsclust {stage.made_by}`"
            earlier = f"{folder} was made by an earlier tsclust with another form of manifest: {by} makes it again"
            missing = f"{folder} does not exist yet: it is made by {by}"
            problem = earlier if (folder / MANIFEST).exists() else missing
            raise StageMissingError(problem, f"Run: {stage.command(self.root)}")
        return found

    def reseal(self, stage: Stage[Any], manifest: Manifest[Any]) -> None:
        """Put another manifest in the place of a stage's, about the same files."""
        write_file(self.stage(stage) / MANIFEST, sealed(manifest.model_dump_json(indent=2)))

    def damaged(self, stage: Stage[Any], name: str, how: str = "cannot be read") -> DamagedError:
        """The error for a file of a stage that cannot be read, or is damaged otherwise."""
        again = f"Make it again: {stage.command(self.root)}"
        return DamagedError(f"{self.stage(stage) / name} {how}", stage.repair(self.root) if stage.repair else again)

    @contextmanager
    def locked(self, keep: int | None = None) -> Iterator[None]:
        """Only one tsclust writes here at a time. The lock goes with the process, even one that is killed.

        keep: of what was replaced, how much is left of each stage and page afterwards; None: all.
        """
        with disk_full_explained(self.root), self._lock():
            try:
                self._sweep_up()
                yield
                if keep is not None:
                    prune(self.root, keep)
            except pa.ArrowInvalid as error:
                raise DamagedError(
                    f"a Parquet file in {self.root} cannot be read: {error}",
                    f"Remove that stage's folder and make it again: {command('run', self.root)}",
                ) from None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Only one `run` at a time: between its stages, which take the lock each, no other one comes in."""
        with self._lock(".tsclust.run.lock"):
            yield

    def _lock(self, name: str = ".tsclust.lock") -> filelock.AcquireReturnProxy[Any]:
        try:
            return filelock.FileLock(self.root / name, timeout=0).acquire()
        except filelock.Timeout:
            raise WorkspaceBusyError(
                f"another tsclust is writing to {self.root}", "Wait until it is done, or use another workspace with -w"
            ) from None
        except IsADirectoryError:
            raise TsclustError(f"{self.root / name} is a folder: expected a file", "Remove it") from None
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            raise self._not_ours(f"cannot be written to ({error.strerror})") from None

    @contextmanager
    def writing(self, stage: Stage[Any], by: str = "") -> Iterator[StageWriter]:
        """A stage written beside and put in place whole; on any error the last good one stays, the new one is gone.

        by: the command, where it is not the one that usually makes the stage. What was there is kept in the history.
        """
        with self.trying(stage) as writer:
            yield writer
            self._replace(stage, writer.folder, by)

    def _replace(self, stage: Stage[Any], new: Path, by: str) -> None:
        if self.config.exists():  # a folder that series are only read into has no history
            was, now = (self._summary(stage, folder) for folder in (self.stage(stage), new))
            self.history.record(Step(by or stage.made_by, stage.name, new, was, now))
        remove_unfinished(new)
        take_along(self.stage(stage), new)
        replace_folder(new, self.stage(stage))

    def _summary(self, stage: Stage[Any], folder: Path) -> dict[str, Any] | None:
        """The manifest of a stage in short; None where there is none that can be read."""
        try:
            found = stage.read((folder / MANIFEST).read_bytes())
        except OSError:
            return None
        return found.summary() if found else None

    @contextmanager
    def trying(self, stage: Stage[Any]) -> Iterator[StageWriter]:
        """A stage written beside and removed again: nobody sees it but who makes it."""
        refuse_no_folder(self.stage(stage))
        writer = _writer(self.root / f".{stage.name}.new")
        remove(writer.folder)
        if writer.folder.exists():
            raise self._not_ours(f"has {writer.folder.name}, which cannot be removed")
        writer.folder.mkdir(parents=True)
        try:
            with disk_full_explained(self.root):
                yield writer
        finally:
            remove(writer.folder)

    def _not_ours(self, why: str) -> TsclustError:
        """The error for a folder of another user, or of a disk that may only be read."""
        return TsclustError(
            f"{self.root} {why}: expected a folder that you may change",
            "Ask its owner, or copy it and name the copy with -w; status, verify and filter --dry-run only read",
        )

    def unfinished(self, stage: Stage[Any]) -> Path:
        """Where `resuming` keeps what there is so far."""
        return self.root / f".{stage.name}.partial"

    @contextmanager
    def resuming(self, stage: Stage[Any], by: str = "") -> Iterator[StageWriter]:
        """`writing` that can go on after an error or a kill: the folder beside stays until it is whole or discarded."""
        refuse_no_folder(self.stage(stage))
        writer = _writer(self.unfinished(stage))
        with disk_full_explained(self.root):
            yield writer
            if writer.folder.exists():
                self._replace(stage, writer.folder, by)

    def _sweep_up(self) -> None:
        """Remove what a killed run left beside the stages; put back a stage it had moved aside."""
        for aside in self.root.glob(".*.old"):
            stage = self.root / aside.name.removeprefix(".").removesuffix(".old")
            if not stage.exists():
                aside.rename(stage)
                sync(self.root)
        for leftover in (*self.root.glob(".*.old"), *self.root.glob(".*.new")):
            remove(leftover)
        self.history.sweep_up()


def _writer(folder: Path) -> StageWriter:
    # Here, because it loads numpy, and `status` only looks.
    from tsclust.workspace.parquet import StageWriter

    return StageWriter(folder)
