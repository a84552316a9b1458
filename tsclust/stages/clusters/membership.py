"""Which series are members of which groups: the one place that makes sets of series of the clusters assigned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Bools
from tsclust.series import ID, is_in
from tsclust.stages.clusters import parts
from tsclust.stages.clusters.parts import SHAPES, GroupRef, GroupRow


def read(clusters: Path, part: str, groups: Sequence[GroupRef], within: int | None) -> tuple[pa.Array, Bools]:
    """The ids (n,) of the series of one part that a sweep is about, and (n, g) whether they are members of the groups;
    those of other sweeps have none here.

    Raises FileNotFoundError where there is no such sweep or part, KeyError where it has no such k.
    """
    ks = {group.k for group in groups if group.within == within}
    table = parts.read_assignments(parts.assignments_part(clusters, within, part), ks)
    inside = np.zeros((len(table), len(groups)), bool)
    for j, group in enumerate(groups):
        if group.within == within:
            inside[:, j] = table[group.column].to_numpy() == group.cluster
    return table[ID].combine_chunks(), inside


def read_of_all(clusters: Path, part: str, groups: Sequence[GroupRef]) -> tuple[pa.Array, Bools]:
    """The same of the groups of both sweeps over all series, by features and by shapes: both have the same rows."""
    ids, inside = read(clusters, part, groups, None)
    if any(group.within == SHAPES for group in groups):
        inside |= read(clusters, part, groups, SHAPES)[1]
    return ids, inside


def inside_of(clusters: Path, part: str, groups: Sequence[GroupRef], ids: pa.Array, kept: Bools) -> Bools:
    """(n, g) whether the rows of a part of features/ are members of the groups: ids (n,) and which of them are kept."""
    inside = np.zeros((len(kept), len(groups)), bool)
    for within in {group.within for group in groups}:
        assigned, members = read(clusters, part, groups, within)
        whole = len(assigned) == np.count_nonzero(kept)  # of the kept rows a sweep has all, or some
        rows = kept if whole else is_in(ids, assigned)
        inside[rows] |= members
    return inside


def member_ids(clusters: Path, part: str, group: GroupRef) -> pa.Array:
    """The series_ids of a group's members in one part."""
    ids, inside = read(clusters, part, [group], group.within)
    return ids.filter(pa.array(inside[:, 0]))


def scan_members(clusters: Path, group: GroupRef) -> pl.LazyFrame:
    """series_id of all members of a group."""
    return parts.scan_assignments(clusters, group.within).filter(group.members).select(ID)


def normal_and_candidates(groups: Sequence[GroupRow]) -> tuple[tuple[GroupRef, ...], tuple[GroupRef, ...]]:
    """Of these groups those of the sweeps over all series that make up the normal mass, and the malfunctions
    proposed."""
    main = [group for group in groups if group.of_all]
    normal = tuple(group.ref for group in main if group.normal)
    return normal, tuple(group.ref for group in main if group.proposed and not group.normal)


def normal_ids(clusters: Path, part: str) -> pa.Array:
    """The series of one part that are in the normal mass of the main sweep and in no malfunction that it proposes."""
    normal, candidates = normal_and_candidates(parts.read_group_rows(clusters))
    ids, inside = read_of_all(clusters, part, [*normal, *candidates])
    mass, strange = inside[:, : len(normal)], inside[:, len(normal) :]
    return ids.filter(pa.array(mass.any(axis=1) & ~strange.any(axis=1)))
