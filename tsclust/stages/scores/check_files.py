"""Checks of scores as files: the sample that scores/ holds, and checks/, those that reports have asked about.

checks/HASH, of the scores with that hash:
manifest.json  Asked: the sample, in the order in which it is shown, and of how many series it is
called.arrow   hash: of the id of every series that was called a malfunction, ascending

It may be deleted when no more answers are expected; what a check has found is then no longer known.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from tsclust.arrays import UInt64s
from tsclust.engine.base import map_parts
from tsclust.errors import DamagedError, StageMissingError
from tsclust.hashing import hash_ids
from tsclust.series import ID
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import files as label_files
from tsclust.stages.labels.kinds import DECIDED
from tsclust.stages.model.facts import MODEL
from tsclust.stages.model.quality import CHECK_SEED, Check, Tally
from tsclust.stages.scores.check_sample import Candidates, Looked, draw
from tsclust.stages.scores.facts import SCORES, CheckFacts
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.atomic import disk_full_explained, link_or_copy, make_folder, remove, replace_folder
from tsclust.workspace.folder import Workspace
from tsclust.workspace.integrity import MANIFEST, is_intact, is_something_else, sealed, whole

CALLED = "called.arrow"


class Asked(BaseModel):
    """A check that a report has asked about. made_at: when the scores were made; outputs: file -> sha256."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    made_at: str
    outputs: dict[str, str]
    check: CheckFacts


def looked(workspace: Workspace, resolve: str) -> Looked | None:
    """What labels say of series; None where there are none."""
    try:
        labels, used = label_files.labels(workspace), label_files.in_use(workspace, resolve)
    except StageMissingError:
        return None
    alone = labels.filter(pl.col("size") == 1)[ID].unique()
    decided = used.filter(pl.col(ID).is_in(alone.implode()) & pl.col("verdict").is_in(DECIDED))
    faulty = pl.col("verdict") == "malfunction"
    return Looked(used.filter(faulty)[ID], alone, decided.filter(faulty)[ID], decided.filter(~faulty)[ID])


def sample(of: Candidates, paths: list[Path]) -> CheckFacts:
    """The sample of these candidates, whose ids stand in these parts of series/."""
    drawn, called = draw(of)
    names = pl.concat(map_parts(partial(_names, np.unique(drawn)), paths))
    by_hash = dict(names.iter_rows())
    return CheckFacts(
        normal=of.normal, called=len(of.called), known=len(of.faulty),
        drawn=tuple(by_hash[one] for one in drawn.tolist()),
        of_called=tuple(by_hash[one] for one in called.tolist()),
    )  # fmt: skip


def _names(drawn: UInt64s, path: Path) -> pl.DataFrame:
    """hash, id as text: of the series of a part with these hashes."""
    ids = series_parts.read_ids(path)
    hashes = hash_ids(ids, CHECK_SEED)
    rows = np.flatnonzero(np.isin(hashes, drawn))
    return pl.DataFrame({"hash": hashes[rows], "name": pl.Series(ids).gather(rows).cast(pl.String)})


def called_bytes(of: Candidates) -> bytes:
    """CALLED."""
    table, out = pa.table({"hash": np.sort(np.concatenate([of.called, of.faulty]))}), pa.BufferOutputStream()
    with pa.ipc.new_file(out, table.schema) as file:
        file.write_table(table)
    content: bytes = out.getvalue().to_pybytes()
    return content


def unanswered(workspace: Workspace, most: int) -> tuple[str, ...]:
    """series_id, as text, of the next of the sample of scores/ to be looked at; none where these are not of the model
    and the features that are there."""
    made_of = [workspace.find_manifest(stage) for stage in (MODEL, FEATURES)]
    scores = workspace.find_manifest(SCORES)
    now = {one.stage: one.output_hash for one in made_of if one}
    if scores is None or scores.facts.check is None or scores.inputs != now:
        return ()
    labels = label_files.labels_if_any(workspace)
    alone = set(labels.filter(pl.col("size") == 1)[ID].cast(pl.String))
    return tuple(one for one in scores.facts.check.drawn if one not in alone)[:most]


def remember(workspace: Workspace) -> None:
    """Keep the check of scores/, which a report asks about."""
    scores = workspace.manifest(SCORES)
    folder = workspace.root / "checks" / scores.output_hash
    if folder.exists() or scores.facts.check is None:
        return
    beside = folder.with_name(f".{folder.name}.new")
    remove(beside)
    with disk_full_explained(workspace.root):
        make_folder(beside.parent)
        make_folder(beside)
        link_or_copy(whole(workspace.stage(SCORES) / CALLED), beside / CALLED)
        asked = Asked(made_at=scores.made_at, outputs={CALLED: scores.outputs[CALLED]}, check=scores.facts.check)
        (beside / MANIFEST).write_text(sealed(asked.model_dump_json(indent=2)), encoding="utf-8")
        replace_folder(beside, folder)


def answered(workspace: Workspace, resolve: str) -> Check | None:
    """The last check that somebody has answered something of; None for none."""
    found = [(asked, folder) for folder in (workspace.root / "checks").glob("*") if (asked := _read(folder))]
    known = looked(workspace, resolve)
    for asked, folder in sorted(found, key=lambda one: one[0].made_at, reverse=True):
        if known and (check := _tallied(asked, known, folder, SeriesFiles.of(workspace).id_type)):
            return check
    return None


def _read(folder: Path) -> Asked | None:
    """None where there is no check. Raises DamagedError."""
    path = folder / MANIFEST
    if not os.path.lexists(path):
        return None
    try:
        content = b"" if is_something_else(path) else path.read_bytes()
        if is_intact(content):
            return Asked.model_validate_json(content)
    except ValidationError:
        pass
    raise _damaged(path)


def _damaged(path: Path) -> DamagedError:
    again = f"Delete {path.parent}: the check is then no longer known"
    return DamagedError(f"{path} cannot be read: it is missing, or its content is no longer what tsclust wrote", again)


def _tallied(asked: Asked, known: Looked, folder: Path, ids: pl.DataType) -> Check | None:
    """None where nobody has looked at any of the sample. What is passed over up to the last one answered is not
    decided; what comes after that was not reached."""
    alone, faulty, cleared = (set(one.cast(pl.String)) for one in (known.alone, known.faulty, known.cleared))
    at = [n for n, name in enumerate(asked.check.drawn) if name in alone]
    if not at:
        return None
    shown, of_called = asked.check.drawn[: at[-1] + 1], set(asked.check.of_called)
    tallies = []
    for series, mine in (
        (asked.check.normal, [one for one in shown if one not in of_called]),
        (asked.check.called, [one for one in shown if one in of_called]),
    ):
        hits, clear = sum(one in faulty for one in mine), sum(one in cleared for one in mine)
        tallies.append(Tally(series, len(mine), hits, len(mine) - hits - clear))
    names = pl.Series([*cleared], dtype=pl.String).cast(ids, strict=False).drop_nulls()
    none = np.sort(hash_ids(names.to_arrow(), CHECK_SEED))
    return Check(tallies[0], tallies[1], asked.check.known, _hashes(folder / CALLED), none, asked.made_at)


def _hashes(path: Path) -> UInt64s:
    try:
        with pa.ipc.open_file(whole(path).read_bytes()) as file:
            hashes: UInt64s = file.read_all()["hash"].to_numpy()
    except (DamagedError, OSError, pa.ArrowInvalid, KeyError):
        raise _damaged(path) from None
    return hashes
