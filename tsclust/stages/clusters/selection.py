"""Which sets of series get a card: the groups proposed, every cluster of one model, or one group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tsclust.errors import SettingsError
from tsclust.stages.clusters import parts
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import GroupRef
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace

NORMAL_CARDS = 5  # of the normal mass, the largest groups are shown

Row = dict[str, Any]  # of groups.parquet; of a cluster that is no group, `group` is None


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

    cards: tuple[Row, ...]
    normal: tuple[Row, ...]

    @property
    def members(self) -> tuple[GroupRef, ...]:
        """The members of all of these, the cards first."""
        return tuple(GroupRef.from_row(row) for row in (*self.cards, *self.normal))


def choose(workspace: Workspace, wanted: ReportScope) -> SelectedGroups:
    """Raises SettingsError for a group, a k or a cluster that is not there."""
    groups = parts.read_groups(workspace.stage(CLUSTERS))
    mass = parts.of_main_sweep(groups).filter("normal").sort("size", "group", descending=[True, False])
    if wanted.group is not None:
        cards = _one(groups, wanted.group)
    elif wanted.k is not None:
        cards = _of_model(workspace, wanted.k, wanted.cluster)
    else:
        proposed = groups.filter(pl.col("proposed") & ~pl.col("normal"))
        cards = [*proposed.iter_rows(named=True), *mass.head(NORMAL_CARDS).iter_rows(named=True)]
    return SelectedGroups(tuple(cards), tuple(mass.iter_rows(named=True)))


def _one(groups: pl.DataFrame, number: int) -> list[Row]:
    found = groups.filter(pl.col("group") == number).rows(named=True)
    if not found:
        few = ", ".join(map(str, groups["group"].head(5)))
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


def _of_model(workspace: Workspace, k: int, cluster: int | None) -> list[Row]:
    """All clusters of one model, or one of them."""
    found, kept = clusters_of(workspace, k), workspace.manifest(CLUSTERS).rows
    if cluster is not None and cluster not in found["cluster"]:
        there = _listed(found["cluster"].sort().to_list())
        raise SettingsError(
            f"cluster {cluster} of k = {k}: there is no such cluster: expected one of {there}", "Choose one of them"
        )
    return [_card(row, kept) for row in found.iter_rows(named=True) if cluster in (None, row["cluster"])]


def _card(row: Row, kept: int) -> Row:
    k = row["k"]
    return {
        "group": None, "k": k, "cluster": row["cluster"], "size": row["size"], "share": row["size"] / kept,
        "first_k": k, "last_k": k, "parent": None, "within": None, "normal": row["worth"] == 0,
    }  # fmt: skip


def _listed(ks: Sequence[int]) -> str:
    """2..40, or each where there are gaps."""
    whole = list(ks) == list(range(ks[0], ks[-1] + 1))
    return f"{ks[0]}..{ks[-1]}" if whole and len(ks) > 1 else ", ".join(map(str, ks))
