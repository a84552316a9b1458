"""labels/ as files: what was answered, about which series, and the labels that come of it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust import config
from tsclust.errors import AnswersError, DamagedError, SettingsError, StageMissingError
from tsclust.series import ID
from tsclust.stages.labels import resolution
from tsclust.stages.labels.facts import LABELS, LabelsFacts
from tsclust.stages.labels.group_state import LabelIndex
from tsclust.stages.labels.kinds import UNDECIDED, UNNAMED
from tsclust.stages.labels.tables import LabelTables, count_kinds, labellers, no_labels
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.folder import Workspace
from tsclust.workspace.integrity import whole
from tsclust.workspace.manifest import Meter, write_manifest

AS_THEY_CAME = "answers"  # the folder of the files
ABOUT_SERIES = ("labels.parquet", "members.parquet")  # rows that name series of series/
SHORT = 8  # characters of a file's hash that people are shown
TABLES = ("files", "answers", "members", "objections")


@dataclass(frozen=True)
class File:
    """A file of answers that is kept: its name where it came from, the hash of its content, and the content."""

    name: str
    sha256: str
    content: bytes

    @property
    def path(self) -> str:
        """Where it is in labels/."""
        return f"{AS_THEY_CAME}/{self.sha256[:16]}.json"


def received(path: Path, most: int) -> File:
    """The file at `path`, no more of it than `most` bytes and one.

    Raises AnswersError where none is, and for what is no file of its own: a pipe would keep one waiting, a device has
    no end, and a link may lead to what its sender cannot read.
    """
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise AnswersError(
            f"{path}: no such file: expected the answers that somebody has saved from a report",
            "Give the path of the file, answers-*.json",
        ) from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EMLINK):  # a link; a socket; a link on FreeBSD
            raise _no_file(path) from None
        raise
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise _no_file(path)
    with os.fdopen(number, "rb") as file:
        content = file.read(most + 1)
    return File(path.name, hashlib.sha256(content).hexdigest(), content)


def _no_file(path: Path) -> AnswersError:
    return AnswersError(
        f"{path} is a link, a folder, a pipe or a device: expected a regular file",
        "Copy the answers file, and import the copy",
    )


def read(workspace: Workspace) -> LabelTables:
    """What there is; all empty before the first import. Raises DamagedError."""
    if workspace.find_manifest(LABELS) is None:
        return LabelTables.empty(SeriesFiles.of(workspace).id_type)
    return LabelTables(**{name: read_table(workspace, f"{name}.parquet") for name in TABLES})


def read_table(workspace: Workspace, name: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A table of labels/, or these columns of it. Its series_id is of the type of that in series/: labels outlive
    another reading.

    Raises StageMissingError before the first import, DamagedError for a file that cannot be read.
    """
    workspace.manifest(LABELS)
    try:
        with pq.ParquetFile(whole(workspace.stage(LABELS) / name)) as file:  # read_table would import pyarrow.dataset
            table = pl.DataFrame(file.read(columns))
    except (OSError, pa.ArrowInvalid, DamagedError):
        raise workspace.damaged(LABELS, name) from None
    if name not in ABOUT_SERIES or table[ID].dtype == (ids := SeriesFiles.of(workspace).id_type):
        return table
    return table.with_columns(pl.col(ID).cast(ids, strict=False)).drop_nulls(ID)


def kept_file(workspace: Workspace, name: str, sha256: str) -> File:
    """An answers file that was imported, as it came. Raises DamagedError."""
    path = File(name, sha256, b"").path
    try:
        return File(name, sha256, whole(workspace.stage(LABELS) / path).read_bytes())
    except (OSError, DamagedError):
        raise workspace.damaged(LABELS, path) from None


def labels(workspace: Workspace) -> pl.DataFrame:
    """labels.parquet, series_id and tables.LABELS. Raises StageMissingError before an import, DamagedError."""
    return read_table(workspace, "labels.parquet")


def read_index(workspace: Workspace) -> LabelIndex | None:
    """The labels as groups are held against them; None where nothing is labelled yet."""
    if workspace.find_manifest(LABELS) is None:
        return None
    found = read_table(workspace, "labels.parquet", (ID, "verdict", "kind", "group"))
    kinds = count_kinds(found)["kind"].to_list()
    codes = found.select(ID, code=pl.col("kind").replace_strict(kinds, range(len(kinds)), return_dtype=pl.Int64))
    several = found.filter(pl.col(ID).is_duplicated())  # mostly none
    answered = found.select("verdict", "kind", "group").unique()  # a group is answered at once: there are few
    bad = answered.filter(pl.col("verdict") == "malfunction")
    malfunctions = set(bad["kind"]) - {UNNAMED}
    undecided = answered.filter(pl.col("verdict").is_in(UNDECIDED) | (pl.col("kind") == UNNAMED))
    return LabelIndex(
        tuple(kinds), tuple(kind for kind in kinds if kind in malfunctions),
        codes.unique() if len(several) else codes,
        frozenset(answered["group"].drop_nulls()), frozenset(bad["group"].drop_nulls()),
        frozenset(undecided["group"].drop_nulls()), _disputed(several),
    )  # fmt: skip


def _disputed(several: pl.DataFrame) -> pl.Series:
    """series_id of those that labellers call by different names, of series with several labels."""
    said = resolution.named_or_not(several)
    return said.filter(pl.col("kind").n_unique().over(ID) > 1)[ID].unique()


def labels_if_any(workspace: Workspace) -> pl.DataFrame:
    """The same; none before the first import, or where the file is damaged: the answers have it all."""
    with contextlib.suppress(StageMissingError, DamagedError):
        return labels(workspace)
    return no_labels(SeriesFiles.of(workspace).id_type)


def in_use(workspace: Workspace, resolve: str) -> pl.DataFrame:
    """One label a series, contradictions settled by `resolve`: see resolution.resolved.

    Raises StageMissingError where there is none, SettingsError for a labeller who has labelled nothing.
    """
    found = labels(workspace)
    return resolution.resolved(found, decider(resolve, found))


def decider(resolve: str, found: pl.DataFrame) -> str:
    """`resolve`, a labeller as the labels have the name. Raises SettingsError for one who labelled nothing."""
    who = labellers(found)
    decides = resolution.decider(resolve, who)
    if decides is None:
        raise SettingsError(
            f"[labels] resolve = {resolve!r}: expected majority, newest or a labeller ({', '.join(who[:5])})",
            "Correct it, or leave it empty: contradictory labels are then left out",
        )
    return decides


def _facts(found: pl.DataFrame) -> LabelsFacts:
    kinds = found.filter(pl.col("kind") != UNNAMED)["kind"].n_unique()
    return LabelsFacts(series=found[ID].n_unique(), kinds=kinds, labellers=tuple(labellers(found)))


def write(
    workspace: Workspace, meter: Meter, after: LabelTables, found: pl.DataFrame, new: Sequence[File], by: str = ""
) -> None:
    """Put labels/ in place, whole: the tables, and those of the files as they came that the tables still name.

    by: the command, where it is not `labels import`.
    """
    before = workspace.find_manifest(LABELS)
    kept = {f"{sha256[:16]}.json" for sha256 in after.files["sha256"]}
    with workspace.writing(LABELS, by) as writer:
        for name in TABLES:
            writer.write_table(f"{name}.parquet", getattr(after, name).to_arrow())
        writer.write_table("labels.parquet", found.to_arrow())
        for name, sha256 in (before.outputs if before else {}).items():
            if Path(name).parts[0] == AS_THEY_CAME and Path(name).name in kept:
                writer.adopt(workspace.stage(LABELS) / name, sha256, name)
        for file in new:
            writer.write_bytes(file.path, file.content)
        write_manifest(
            writer, meter, LABELS, settings=config.digest(""), inputs={}, seed=0, rows=len(found), parts=1,
            facts=_facts(found),
        )  # fmt: skip
