"""asked/: what reports were made from, so that answers that come back late still find their series.

A sweep is a folder of links to the files of clusters/: it takes room only once clusters/ holds another one.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from tsclust.arrays import UInt64s
from tsclust.engine.base import map_parts
from tsclust.hashing import fingerprint, hexadecimal
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import Members, assignments_in
from tsclust.stages.labels.answers import GroupAsked
from tsclust.workspace.atomic import disk_full_explained, link_or_copy
from tsclust.workspace.folder import Workspace

WORKERS = 2


def remember(workspace: Workspace) -> None:
    """Keep the sweep that a report is made from."""
    folder = workspace.asked / workspace.manifest(CLUSTERS).output_hash
    beside = folder.with_name(f".{folder.name}.new")
    if folder.exists():
        return
    shutil.rmtree(beside, ignore_errors=True)
    with disk_full_explained(workspace.root):
        shutil.copytree(workspace.stage(CLUSTERS), beside, copy_function=link_or_copy)
        beside.rename(folder)


def remember_review(workspace: Workspace, labels: str) -> None:
    """Keep that a review was made of the labels with this hash: answers to it name series, and ids are soon alike."""
    (workspace.asked / labels).mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class _Asked:
    """Groups in a sweep: those `asked` about, and of them those of the normal mass; the candidates of the sweep."""

    folder: Path
    asked: tuple[Members, ...]
    normal: frozenset[Members]
    candidates: tuple[Members, ...]


def members(folder: Path, groups: Sequence[GroupAsked]) -> pl.DataFrame | None:
    """number, series_id, apart: the members of each of these groups in a sweep; None where one is not there so.

    apart: of the normal mass, what is also in a group that differs from normal: the report of the groups asks about
    that by itself.
    """
    names = sorted(path.name for path in assignments_in(folder, None).glob("part-*.parquet"))
    prints = np.zeros((len(groups), 2), np.uint64)
    found: list[pl.DataFrame] = []
    try:
        asked = _asked(folder, groups)
        for part, of_part in map_parts(partial(_members, asked), names, WORKERS):
            found.append(part)
            prints = prints + of_part
    except (OSError, KeyError):  # no such sweep, drill-down, or k
        return None
    if [hexadecimal(one) for one in prints] != [group.members_hash for group in groups]:
        return None
    return pl.concat(found)


def normal_ids(folder: Path, name: str) -> pl.Series:
    """The series of one part that are in the normal mass of a sweep and in no group that differs from it."""
    there = pl.DataFrame(pq.read_table(folder / "groups.parquet")).filter(pl.col("within").is_null())
    normal, candidates = _places(there.filter("normal")), _places(there.filter("proposed", ~pl.col("normal")))
    table = _read(_Asked(folder, normal, frozenset(normal), candidates), None, name)
    inside = pl.any_horizontal(pl.lit(value=False), *(pl.col(one.column) == one.cluster for one in normal))
    return table.filter(inside & ~pl.col("candidate"))["series_id"]


def _asked(folder: Path, groups: Sequence[GroupAsked]) -> _Asked:
    asked = tuple(Members(one.within, one.k, one.cluster, one.size) for one in groups)
    there = pl.DataFrame(pq.read_table(folder / "groups.parquet")).filter(pl.col("within").is_null())
    named = {members for members, one in zip(asked, groups, strict=True) if one.group is not None}
    normal = named & set(_places(there.filter("normal")))
    return _Asked(
        folder, asked, frozenset(normal), _places(there.filter("proposed", ~pl.col("normal"))) if normal else ()
    )


def _places(groups: pl.DataFrame) -> tuple[Members, ...]:
    return tuple(Members(*row) for row in groups.select("within", "k", "cluster", "size").iter_rows())


def _members(asked: _Asked, name: str) -> tuple[pl.DataFrame, UInt64s]:
    """What `members` wants of one part; a drill-down has all parts too. Raises KeyError where there is no such k."""
    withins = {None, *(one.within for one in asked.asked)}
    tables = {within: _read(asked, within, name) for within in withins}
    of_each = [tables[one.within].filter(pl.col(one.column) == one.cluster) for one in asked.asked]
    frames = [
        _numbered(n, of_one, one in asked.normal)
        for n, (one, of_one) in enumerate(zip(asked.asked, of_each, strict=True))
    ]
    nobody = _numbered(0, tables[None].clear(), normal=False)
    prints = [fingerprint(of_one["series_id"].to_arrow()) for of_one in of_each]
    return pl.concat([nobody, *frames]), np.array(prints, np.uint64).reshape(-1, 2)


def _numbered(number: int, members: pl.DataFrame, normal: bool) -> pl.DataFrame:
    apart = pl.col("candidate") if normal else pl.lit(value=False)
    return members.select(pl.lit(number, pl.Int64).alias("number"), "series_id", apart.alias("apart"))


def _read(asked: _Asked, within: int | None, name: str) -> pl.DataFrame:
    """series_id, the labels that are asked for, and whether a series is in a candidate."""
    groups = [one for one in (*asked.asked, *asked.candidates) if one.within == within]
    path, columns = assignments_in(asked.folder, within) / name, {one.column for one in groups}
    if columns - set(pq.read_schema(path).names):
        raise KeyError(columns)
    table = pl.DataFrame(pq.read_table(path, columns=["series_id", *sorted(columns)]))
    inside = [pl.col(one.column) == one.cluster for one in asked.candidates if one.within == within]
    return table.with_columns(candidate=pl.any_horizontal(pl.lit(value=False), *inside))
