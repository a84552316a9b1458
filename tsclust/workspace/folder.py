"""Every path in a workspace, and stages that appear whole or not at all."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from tsclust.errors import DamagedError, NotAWorkspaceError, StageMissingError, WorkspaceBusyError
from tsclust.stages.clusters.parts import assignments_in
from tsclust.workspace.atomic import disk_full_explained, replace_folder
from tsclust.workspace.manifest import Manifest
from tsclust.workspace.parquet import StageWriter

STAGES = ("series", "features", "clusters")


ABOUT_SERIES = ("labels.parquet", "members.parquet")  # of labels/: rows that name series of series/


MADE_BY = {
    "series": "extract",
    "features": "features",
    "clusters": "cluster",
    "labels": "labels import",
    "model": "train",
    "scores": "score",
    "scores_new": "score",
}


def command(name: str, root: Path) -> str:
    """What to type to run a command on a workspace, whatever its path looks like."""
    return f"tsclust {name} -w {shlex.quote(str(root))}"


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

    def stage(self, name: str) -> Path:
        return self.root / name

    def parts(self, name: str) -> list[Path]:
        """The parts of a stage in order. Raises StageMissingError where the stage was not made."""
        self.manifest(name)
        folder = self.assignments() if name == "clusters" else self.stage(name)
        return sorted(folder.glob("part-*.parquet"))

    def assignments(self, within: int | None = None) -> Path:
        """The folder of the assignments of the main sweep, or of the drill-down into a group."""
        return assignments_in(self.stage("clusters"), within)

    def find_manifest(self, name: str) -> Manifest | None:
        """The manifest of a stage, None where the stage was not made (or its manifest cannot be read)."""
        try:
            return Manifest.model_validate_json((self.stage(name) / "manifest.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            if name == "labels" and self.stage(name).exists():
                raise self._damaged_labels("manifest.json") from None
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

    def type_of_ids(self) -> pl.DataType:
        """What a series_id is in series/."""
        schema = pq.read_schema(self.parts("series")[0])
        return pl.DataFrame(schema.empty_table())["series_id"].dtype

    def labels(self, name: str) -> pl.DataFrame:
        """A table of labels/. Its series_id is of the type of that in series/: labels outlive another reading.

        Raises StageMissingError before the first import, DamagedError for a file that cannot be read.
        """
        self.manifest("labels")
        try:
            found = pl.DataFrame(pq.read_table(self.stage("labels") / name))
        except (OSError, pa.ArrowInvalid):
            raise self._damaged_labels(name) from None
        if name not in ABOUT_SERIES or found["series_id"].dtype == (ids := self.type_of_ids()):
            return found
        return found.with_columns(pl.col("series_id").cast(ids, strict=False)).drop_nulls("series_id")

    def _damaged_labels(self, name: str) -> DamagedError:
        """Nothing makes labels/ anew but the files that came, and these are in it."""
        aside = shlex.quote(str(self.root / "labels-damaged"))
        return DamagedError(
            f"{self.stage('labels') / name} cannot be read",
            f"Every file of answers is kept: mv {shlex.quote(str(self.stage('labels')))} {aside}; "
            f"{command('labels import', self.root)} --older {aside}/answers/*.json",
        )

    def other_series(self) -> StageMissingError:
        """The error for a features/ that describes other series than series/ holds now."""
        return StageMissingError(
            f"{self.stage('features')} describes other series than {self.stage('series')} holds now",
            f"Run: {command('features', self.root)}",
        )

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

    def unfinished(self, name: str) -> Path:
        """Where `resuming` keeps what there is so far."""
        return self.root / f".{name}.partial"

    @contextmanager
    def resuming(self, name: str) -> Iterator[StageWriter]:
        """`writing` that can go on after an error or a kill: the folder beside stays until it is whole or discarded."""
        writer = StageWriter(self.unfinished(name))
        with disk_full_explained(self.root):
            yield writer
            if writer.folder.exists():
                replace_folder(writer.folder, self.stage(name))

    def _sweep_up(self) -> None:
        """Remove what a killed run left beside the stages; put back a stage it had moved aside."""
        for name in MADE_BY:
            aside = self.root / f".{name}.old"
            if aside.exists() and not self.stage(name).exists():
                aside.rename(self.stage(name))
            for leftover in (aside, self.root / f".{name}.new"):
                shutil.rmtree(leftover, ignore_errors=True)
