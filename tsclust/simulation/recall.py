"""How much the groups reveal, against the planted truth: the measure of success, kinds found per group looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tsclust.series import ID
from tsclust.simulation.machines import KINDS
from tsclust.stages.clusters import parts
from tsclust.stages.clusters.parts import SHAPES

OF_SHAPES = "shapes "  # before the columns of the sweep over shapes


@dataclass(frozen=True)
class Score:
    """Kinds found among the groups proposed.

    planted   kinds there are, rarest last
    found     kind -> the number of groups looked at, in their order, when it was found
    surfaced  kinds of which at least max(5, 10 %) lie in groups made of them
    looks     groups looked at
    """

    planted: tuple[str, ...]
    found: dict[str, int]
    surfaced: tuple[str, ...]
    looks: int

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(k for k in self.planted if k not in self.found)

    def notes(self) -> tuple[str, ...]:
        """For people: how many kinds were found, and which were not."""
        first = [sum(look <= n for look in self.found.values()) for n in (10, 20)]
        found = (
            f"{len(self.found)} of {len(self.planted)} planted kinds of malfunction found in {self.looks} groups "
            f"({first[0]} in the first 10, {first[1]} in the first 20)"
        )
        return (found, f"not found: {', '.join(self.missing)}") if self.missing else (found,)


def score_workspace(clusters: Path, truth: pl.DataFrame) -> Score:
    """The score of the groups proposed in the folder clusters/. truth: series_id, kind."""
    groups = parts.of_sweep(parts.read_groups(clusters)).filter("proposed")
    assignments = assigned(clusters)
    planted = dict(truth.filter(pl.col("kind").is_in([*KINDS]))["kind"].value_counts().iter_rows())
    return score(count_members(assignments, groups, truth), planted)


def score(members: pl.DataFrame, kinds: dict[str, int]) -> Score:
    """Score the groups.

    members  a row per (look, kind): look (1, 2, ... in the order of the groups), kind, count, first (members of that
             kind that no earlier group made of it held)
    kinds    kind -> number of series planted, without the normal and the impossible

    A kind is FOUND when the groups made of it for the most part (at least half of their members) hold at least half of
    its series; SURFACED when they hold at least max(5, 10 %).
    """
    made_of = members.filter(pl.col("count") >= pl.col("count").sum().over("look") / 2).sort("look")
    found: dict[str, int] = {}
    held = dict.fromkeys(kinds, 0)
    for look, kind, first in made_of.select("look", "kind", "first").iter_rows():
        if kind in kinds:
            held[kind] += first
            if held[kind] * 2 >= kinds[kind]:
                found.setdefault(kind, look)
    surfaced = tuple(k for k, n in held.items() if n >= max(5, kinds[k] / 10))
    looks = int(members["look"].n_unique())
    return Score(tuple(sorted(kinds, key=kinds.__getitem__, reverse=True)), found, surfaced, looks)


def assigned(clusters: Path) -> pl.DataFrame:
    """series_id, k02, k03, ... of the sweep over features, and the same of that over shapes, with OF_SHAPES before."""
    features = parts.scan_assignments(clusters).collect()
    if not parts.assignments(clusters, SHAPES):
        return features
    shapes = parts.scan_assignments(clusters, SHAPES).collect()
    return features.hstack(shapes.drop(ID).rename(lambda name: OF_SHAPES + name))


def members_of(k: int, cluster: int, within: int | None) -> pl.Expr:
    """Whether a row of `assigned` is a member of this cluster of the sweep over features (within None), or SHAPES."""
    return pl.col((OF_SHAPES if within == SHAPES else "") + parts.column_of(k)) == cluster


def count_members(assignments: pl.DataFrame, groups: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """A row per (look, kind) for `score`.

    assignments  as `assigned` gives them;  truth: series_id, kind
    groups       k, cluster and, where not all are of features, within, in the order they are looked at
    """
    rows = assignments.join(truth, on=ID, how="left").with_columns(seen=pl.lit(None, pl.String))
    counted = []
    within = groups["within"] if "within" in groups.columns else [None] * len(groups)
    for look, (k, cluster, sweep) in enumerate(zip(groups["k"], groups["cluster"], within, strict=True), start=1):
        inside = members_of(k, cluster, sweep)
        new = inside & pl.col("seen").ne_missing(pl.col("kind"))
        tally = rows.filter(inside).group_by("kind").agg(count=pl.len(), first=new.sum().cast(pl.Int64)).sort("kind")
        most = tally.sort("count", "kind", descending=[True, False]).row(0, named=True)
        if most["count"] * 2 >= tally["count"].sum():
            mark = inside & (pl.col("kind") == most["kind"])
            rows = rows.with_columns(seen=pl.when(mark).then(pl.col("kind")).otherwise("seen"))
        counted.append(tally.select(pl.lit(look).alias("look"), "kind", "count", "first"))
    return pl.concat(counted)
