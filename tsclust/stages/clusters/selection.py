"""Which sets of series get a card: the groups proposed, every cluster of one model, or one group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tsclust.errors import SettingsError
from tsclust.stages.clusters import parts
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import ClusterRow, GroupRef, GroupRow
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace

NORMAL_CARDS = 5  # of the normal mass, the largest groups are shown


@dataclass(frozen=True)
class ReportScope:
    """What a report is about.

    k      every cluster of this one model; None: the groups found in the whole sweep
    group  this one group
    known  also groups that have a name already, the same for all members
    cluster  of the one model, only this cluster
    """

    k: int | None = None
    group: int | None = None
    known: bool = False
    cluster: int | None = None


THE_SWEEP = ReportScope()


@dataclass(frozen=True)
class SelectedGroups:
    """cards: to be shown, in their order; normal: the groups that make up the normal mass, shown or not."""

    cards: tuple[ClusterRow, ...]
    normal: tuple[GroupRow, ...]

    @property
    def members(self) -> tuple[GroupRef, ...]:
        """The members of all of these, the cards first."""
        return tuple(row.ref for row in (*self.cards, *self.normal))


def choose(workspace: Workspace, wanted: ReportScope) -> SelectedGroups:
    """Raises SettingsError for a group, a k or a cluster that is not there."""
    groups = parts.read_group_rows(workspace.stage(CLUSTERS))
    mass = [row for row in groups if row.normal and row.within is None]
    mass.sort(key=lambda row: (-row.size, row.group))
    cards: list[ClusterRow]
    if wanted.group is not None:
        cards = [_one(groups, wanted.group)]
    elif wanted.k is not None:
        cards = _of_model(workspace, wanted.k, wanted.cluster)
    else:
        cards = [*(row for row in groups if row.proposed and not row.normal), *mass[:NORMAL_CARDS]]
    return SelectedGroups(tuple(cards), tuple(mass))


def _one(groups: Sequence[GroupRow], number: int) -> GroupRow:
    found = next((row for row in groups if row.group == number), None)
    if found is None:
        few = ", ".join(str(row.group) for row in groups[:5])
        raise SettingsError(
            f"--group {number}: expected a group's number, such as {few}",
            "The report has them, and clusters/groups.parquet",
        )
    return found


def clusters_of(workspace: Workspace, k: int) -> pl.DataFrame:
    """The clusters of one model as in centers.parquet, most worth looking at first, the normal mass last.

    Raises SettingsError for a k that is not there.
    """
    centers = parts.read_centers(workspace.stage(CLUSTERS))
    ks = centers["k"].unique().sort().to_list()
    if k not in ks:
        expected = f"--k {k}: there is no such model: expected one of {_listed(ks)}"
        make = f"Make it: {command('cluster', workspace.root)} --k 2..{k}" if 2 <= k <= 100 else "Choose one of them"
        raise SettingsError(expected, make)
    clusters = centers.filter(pl.col("k") == k, pl.col("size") > 0)
    return clusters.sort("worth", "size", "cluster", descending=[True, True, False])


def _of_model(workspace: Workspace, k: int, cluster: int | None) -> list[ClusterRow]:
    """All clusters of one model, or one of them."""
    found, kept = clusters_of(workspace, k), workspace.manifest(CLUSTERS).rows
    if cluster is not None and cluster not in found["cluster"]:
        there = _listed(found["cluster"].sort().to_list())
        raise SettingsError(
            f"cluster {cluster} of k = {k}: there is no such cluster: expected one of {there}", "Choose one of them"
        )
    rows = found.select("cluster", "size", "worth").iter_rows()
    return [_card(k, at, size, worth, kept) for at, size, worth in rows if cluster in (None, at)]


def _card(k: int, cluster: int, size: int, worth: float, kept: int) -> ClusterRow:
    return ClusterRow(
        group=None, k=k, cluster=cluster, size=size, share=size / kept, first_k=k, last_k=k, parent=None, within=None,
        normal=worth == 0,
    )  # fmt: skip


def _listed(ks: Sequence[int]) -> str:
    """2..40, or each where there are gaps."""
    whole = list(ks) == list(range(ks[0], ks[-1] + 1))
    return f"{ks[0]}..{ks[-1]}" if whole and len(ks) > 1 else ", ".join(map(str, ks))
