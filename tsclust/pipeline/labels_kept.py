"""labels/ as files: what was answered, about which series, and the labels that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from tsclust import config
from tsclust.config import Settings
from tsclust.errors import SettingsError
from tsclust.labels import store
from tsclust.workspace import Manifest, Meter, Workspace, write_manifest

FILES = "answers"  # the folder of the files as they came
TABLES = ("answers", "members", "objections")
OBJECTIONS: store.Schema = {
    "labeller": store.TEXT, "report": store.TEXT, "rule": store.TEXT, "series_id": store.TEXT, "comment": store.TEXT,
}  # fmt: skip


@dataclass(frozen=True)
class File:
    """A file of answers that is kept: its name where it came from, the hash of its content, and the content."""

    name: str
    sha256: str
    content: bytes

    @property
    def path(self) -> str:
        """Where it lies in labels/."""
        return f"{FILES}/{self.sha256[:16]}.json"


@dataclass(frozen=True)
class Kept:
    """Everything labels/ is made of.

    answers     a row per answer: store.ANSWERS
    members     answer, series_id: of the answers in force
    objections  a row per series that an expert says is real though a rule rejects it: OBJECTIONS
    files       name and hash of every file imported, by its hash
    """

    answers: pl.DataFrame
    members: pl.DataFrame
    objections: pl.DataFrame
    files: dict[str, str]


def read(workspace: Workspace) -> Kept:
    """What there is; all empty before the first import."""
    before = workspace.find_manifest("labels")
    if before is None:
        members = pl.DataFrame(schema={"answer": store.WHOLE, "series_id": type_of_ids(workspace)})
        return Kept(pl.DataFrame(schema=dict(store.ANSWERS)), members, pl.DataFrame(schema=dict(OBJECTIONS)), {})
    folder = workspace.stage("labels")
    tables = {name: pl.DataFrame(pq.read_table(folder / f"{name}.parquet")) for name in TABLES}
    return Kept(**tables, files=before.facts["files"])


def labels(workspace: Workspace) -> pl.DataFrame:
    """labels.parquet: series_id and store.LABELS. Raises StageMissingError before the first import."""
    workspace.manifest("labels")
    return pl.DataFrame(pq.read_table(workspace.stage("labels") / "labels.parquet"))


def in_use(workspace: Workspace, settings: Settings) -> pl.DataFrame:
    """One label a series, as store.resolved. Raises StageMissingError where there is none, SettingsError for a
    labeller who has labelled nothing."""
    found = labels(workspace)
    resolve = settings.labels.resolve
    check_resolve(resolve, found)
    return store.resolved(found, resolve)


def check_resolve(resolve: str, found: pl.DataFrame) -> None:
    """Raises SettingsError for a labeller who has labelled nothing."""
    who = sorted(found["labeller"].unique())
    if resolve not in ("", "majority", "newest", *who):
        raise SettingsError(
            f"[labels] resolve = {resolve!r}: expected majority, newest or a labeller ({', '.join(who[:5])})",
            "Correct it, or leave it empty: contradictory labels are left out then",
        )


def write(workspace: Workspace, meter: Meter, after: Kept, found: pl.DataFrame, new: Sequence[File]) -> Manifest:
    """Put labels/ in place, whole: the tables, and the files as they came."""
    before = workspace.find_manifest("labels")
    with workspace.writing("labels") as writer:
        for name in TABLES:
            writer.write_table(f"{name}.parquet", getattr(after, name).to_arrow())
        writer.write_table("labels.parquet", found.to_arrow())
        for name, sha256 in (before.outputs if before else {}).items():
            if Path(name).parts[0] == FILES:
                writer.adopt(workspace.stage("labels") / name, sha256, name)
        for file in new:
            writer.write_bytes(file.path, file.content)
        return write_manifest(
            writer, meter, stage="labels", settings=config.digest(""), inputs={}, seed=0, rows=len(found), parts=1,
            facts={"files": after.files},
        )  # fmt: skip


def type_of_ids(workspace: Workspace) -> pl.DataType:
    """What a series_id is in series/."""
    schema = pq.read_schema(workspace.parts("series")[0])
    return pl.DataFrame(schema.empty_table())["series_id"].dtype
