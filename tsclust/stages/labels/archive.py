"""asked/: what reports were made from, so that answers that come back late still find their series.

A sweep is a folder of links to the files of clusters/: it takes room only once clusters/ holds another one.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Bools, UInt64s
from tsclust.engine.base import map_parts
from tsclust.errors import DamagedError
from tsclust.hashing import fingerprint, hexadecimal
from tsclust.series import ID
from tsclust.stages.clusters import membership
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import GroupRef, assignments, clusters_of, count_clusters, read_group_rows
from tsclust.stages.labels.answers import GroupAsked
from tsclust.workspace.atomic import disk_full_explained, link_or_copy, make_folder, remove, replace_folder
from tsclust.workspace.folder import Workspace


def remember(workspace: Workspace) -> None:
    """Keep the sweep that a report is made from."""
    folder = workspace.asked / workspace.manifest(CLUSTERS).output_hash
    beside = folder.with_name(f".{folder.name}.new")
    if folder.exists():
        return
    remove(beside)
    with disk_full_explained(workspace.root):
        make_folder(workspace.asked)
        shutil.copytree(workspace.stage(CLUSTERS), beside, symlinks=True, copy_function=link_or_copy)
        replace_folder(beside, folder)


def most_clusters(workspace: Workspace) -> int:
    """Of the sweep that has most, of those that answers can be about: in all its models and drill-downs."""
    sweeps = (workspace.stage(CLUSTERS), *sorted(workspace.asked.glob("*")))
    return max((_clusters(folder) for folder in sweeps), default=0)


def _clusters(folder: Path) -> int:
    with contextlib.suppress(DamagedError, OSError, pa.ArrowInvalid):  # the import says so, if it needs this sweep
        return count_clusters(folder)
    return 0


def remember_review(workspace: Workspace, labels: str) -> None:
    """Keep that a review was made of the labels with this hash: answers to it name series, and ids are soon alike."""
    make_folder(workspace.asked / labels)


@dataclass(frozen=True)
class _Questions:
    """Groups in a sweep: those `asked` about, and of them those of the normal mass; the malfunctions it proposes."""

    folder: Path
    asked: tuple[GroupRef, ...]
    normal: frozenset[GroupRef]
    candidates: tuple[GroupRef, ...]


def members(folder: Path, groups: Sequence[GroupAsked]) -> pl.DataFrame | None:
    """number, series_id, apart: the members of each of these groups in a sweep; None where one is not there so.

    apart: of the normal mass, what is also in a group that differs from normal: the report of the groups asks about
    that by itself.
    """
    prints = np.zeros((len(groups), 2), np.uint64)
    found: list[pl.DataFrame] = []
    try:
        if not _has_all(folder, groups):
            return None
        names = [path.name for path in assignments(folder)]
        asked = _questions(folder, groups)
        for part, of_part in map_parts(partial(_members, asked), names):
            found.append(part)
            prints = prints + of_part
    except (OSError, KeyError):  # no such sweep, drill-down, or k
        return None
    if [hexadecimal(one) for one in prints] != [group.members_hash for group in groups]:
        return None
    return pl.concat(found)


def _has_all(folder: Path, groups: Sequence[GroupAsked]) -> bool:
    """Whether a sweep has these clusters: what it has not costs no look at its series."""
    there = {within: clusters_of(folder, within) for within in {one.within for one in groups}}
    return all((one.k, one.cluster) in there[one.within] for one in groups)


def _questions(folder: Path, groups: Sequence[GroupAsked]) -> _Questions:
    asked = tuple(GroupRef(one.within, one.k, one.cluster, one.size) for one in groups)
    named = {ref for ref, one in zip(asked, groups, strict=True) if one.group is not None}
    mass, candidates = membership.normal_and_candidates(read_group_rows(folder))
    normal = named & set(mass)
    return _Questions(folder, asked, frozenset(normal), candidates if normal else ())


def _members(asked: _Questions, part: str) -> tuple[pl.DataFrame, UInt64s]:
    """What `members` wants of one part; a drill-down has all parts too. Raises KeyError where there is no such k."""
    sweeps = {within: membership.read(asked.folder, part, asked.asked, within) for within in (None, *_withins(asked))}
    _, malfunctions = membership.read_of_all(asked.folder, part, asked.candidates)
    frames, prints = [_numbered(0, sweeps[None][0].slice(0, 0), np.zeros(0, bool))], []
    for number, group in enumerate(asked.asked):
        ids, inside = sweeps[group.within]
        mine = inside[:, number]
        strange = malfunctions[mine] if group in asked.normal else np.zeros((np.count_nonzero(mine), 0), bool)
        apart: Bools = np.any(strange, axis=1)
        members = ids.filter(pa.array(mine))
        frames.append(_numbered(number, members, apart))
        prints.append(fingerprint(members))
    return pl.concat(frames), np.array(prints, np.uint64).reshape(-1, 2)


def _withins(asked: _Questions) -> set[int]:
    return {group.within for group in asked.asked if group.within is not None}


def _numbered(number: int, ids: pa.Array, apart: Bools) -> pl.DataFrame:
    frame = pl.DataFrame({ID: pl.Series(ids), "apart": pl.Series(apart, dtype=pl.Boolean)})
    return frame.select(pl.lit(number, pl.Int64).alias("number"), ID, "apart")
