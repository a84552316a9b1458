"""Groups, not k: every distinct set of series found somewhere in the sweep, once, most worth looking at first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsclust.arrays import Floats, Int64s
from tsclust.stages.clusters import kernels, proposal
from tsclust.stages.clusters.kernels import Labels
from tsclust.stages.clusters.parts import SAME_SET, GroupRow
from tsclust.stages.clusters.sweep import ClusterSums, Models

HALF_WORTH = 10  # series: half of a group's worth is gone when it has so few
OF_ROOT = 0.1  # of the root of the number of all series: and so few, where that is more
LOOSE = 0.2  # a silhouette below this says no more against a group
SAME_WAY = 8  # power of the cosine between two groups' directions: 0.92 is half alike
SEEN = 0.9  # of its worth that a group loses whose like was shown
NORMAL_SHARE = 0.05  # a group with this share of all series is part of the normal mass: malfunctions are rarer


@dataclass(frozen=True)
class Normal:
    """Where normal is: place (d,) in scaled units, and the share of all series that makes a group part of it."""

    place: Floats
    share: float = NORMAL_SHARE


@dataclass(frozen=True)
class _Node:
    """Cluster `at` of the matrix of all centers, with the clusters of other models that are the same set."""

    at: int
    same: Int64s


def shared_rows(ways: Labels, times: Int64s, models: Models) -> Int64s:
    """(c, c) rows of one part that two clusters of different models have in common, upper triangle: of the different
    ways (w, models) that they have, times (w,) each."""
    shared = np.zeros((len(models.centers), len(models.centers)), np.int64)
    kernels.overlaps(ways, times, models.offsets, shared)
    return shared


def find(
    models: Models, sums: ClusterSums, silhouette: Floats, shared: Int64s, most: int, normal: Normal
) -> list[GroupRow]:
    """All groups of a sweep, at most `most` of them marked to be shown. c clusters in all models.

    sums of all rows, silhouette (c,) of each cluster, shared (c, c) from `shared_rows` over all parts.
    """
    shared = shared + shared.T
    size = sums.count
    union = size[:, None] + size[None, :] - shared
    overlap = shared / np.maximum(union, 1)
    nodes = _distinct(size, silhouette, overlap)
    k_of = np.repeat(models.ks, np.diff(models.offsets))
    lasts = np.array([len(np.unique(k_of[n.same])) for n in nodes])
    at = np.array([n.at for n in nodes])
    rows = int(size[: models.offsets[1]].sum())
    share = size[at] / rows
    worth = _unless_normal(sums, at, models, silhouette[at], lasts / len(models.ks), normal)
    order = ordered(worth, size[at], shared[np.ix_(at, at)], alike_ways(sums.means[at] - normal.place))
    shown = proposal.proposed(order, size[at], shared[np.ix_(at, at)], rows, most)
    numbers = {int(at[o]): g for g, o in enumerate(order, start=1)}
    home = _homes(nodes, len(size))
    groups = []
    for g, o in enumerate(order, start=1):
        node, ks = nodes[o], k_of[nodes[o].same]
        source = _source(node, k_of, shared, models)
        parent = numbers[home[source]] if source is not None and home[source] != node.at else None
        groups.append(
            GroupRow(
                group=g, k=int(k_of[node.at]), cluster=int(node.at - models.offsets[models.ks.index(k_of[node.at])]),
                size=int(size[node.at]), share=float(share[o]), first_k=int(ks.min()), last_k=int(ks.max()),
                parent=parent, within=None, silhouette=float(silhouette[node.at]), worth=float(worth[o]),
                normal=bool(worth[o] == 0), proposed=o in shown,
            )
        )  # fmt: skip
    return groups


def least_like_normal_first(groups: Sequence[GroupRow], models: Models, sums: ClusterSums) -> list[GroupRow]:
    """The groups numbered anew: of those proposed the ones that are farthest from what is normal first, for a sweep of
    series that a classifier takes for normal or does not know. The normal mass stays last."""
    at = [int(models.offsets[models.ks.index(one.k)] + one.cluster) for one in groups]
    far = np.sqrt((sums.means[at] ** 2).sum(axis=1))
    order = sorted(range(len(groups)), key=lambda o: (not groups[o].proposed, groups[o].normal, -far[o], o))
    numbers = {groups[o].group: n for n, o in enumerate(order, start=1)}
    found = []
    for one in (groups[o] for o in order):
        parent = None if one.parent is None else numbers[one.parent]
        found.append(replace(one, group=numbers[one.group], parent=parent))
    return found


def worth_alone(models: Models, sums: ClusterSums, silhouette: Floats, normal: Normal) -> Floats:
    """(c,) what each cluster is worth among those of its own model, silhouette (c,): 0 for the normal mass."""
    return _unless_normal(sums, np.arange(len(sums.count)), models, silhouette, np.ones(len(sums.count)), normal)


def _distinct(size: Int64s, silhouette: Floats, overlap: Floats) -> list[_Node]:
    """Clusters that are not the same set as a better one: best silhouette first, ties to the smaller k."""
    left = size > 0
    nodes = []
    for at in np.lexsort((np.arange(len(size)), -silhouette)):
        if left[at]:
            same = np.flatnonzero((overlap[at] > SAME_SET) & left)
            same = np.union1d(same, [at])
            left[same] = False
            nodes.append(_Node(int(at), same))
    return nodes


def _unless_normal(
    sums: ClusterSums, at: Int64s, models: Models, silhouette: Floats, lasting: Floats, normal: Normal
) -> Floats:
    """(g,) the worth of the clusters `at` (g,); 0 for what has the share of the normal mass, where there is another."""
    size, rows = sums.count[at], int(sums.count[: models.offsets[1]].sum())
    far = np.sqrt(((sums.means[at] - normal.place) ** 2).sum(axis=1))
    rare = (size < normal.share * rows) | (len(sums.count) == 1)
    return np.where(rare & (size > 0), _worth(far, silhouette, lasting, size, rows), 0.0)


def _worth(far: Floats, silhouette: Floats, lasting: Floats, size: Int64s, rows: int) -> Floats:
    """Far from normal, tight, lasting over several k, and of more than a few of all rows: five alike are an accident,
    fifty a kind. Of more series more are alike by accident.

    `lasting` is the share of all k. Neither a low silhouette nor a short life makes a group worthless: the sets that
    an expert names are not always K-means' favourites.
    """
    believable = np.sqrt(np.clip(silhouette, LOOSE, 1.0) * lasting)
    half = max(HALF_WORTH, OF_ROOT * math.sqrt(rows))
    worth: Floats = far * believable * size**2 / (size**2 + half**2)
    return worth


def alike_ways(away: Floats) -> Floats:
    """(g, g) how much two groups, whose middles are `away` (g, d) from normal, are so in the same way: 1 where they
    differ in strength alone."""
    length = np.sqrt((away**2).sum(axis=1))
    unit = away / np.where(length > 0, length, 1.0)[:, None]
    alike: Floats = np.maximum(unit @ unit.T, 0.0) ** SAME_WAY
    return alike


def ordered(worth: Floats, size: Int64s, shared: Int64s, alike: Floats) -> list[int]:
    """Greedy: the next group is the one worth most for what of it has not been shown yet.

    What two groups share counts for both: who saw a large group has hardly seen a small one inside it. And who saw one
    has nearly seen those that differ from normal in the same way: alike (g, g).
    """
    common = shared / np.maximum(size, 1)[:, None]  # share of row's group that is in column's too
    seen = common * common.T
    shown = np.zeros(len(size))
    left = list(range(len(size)))
    order = []
    while left:
        best = max(left, key=lambda o: (worth[o] * (1 - shown[o]), worth[o], size[o], -o))
        order.append(best)
        left.remove(best)
        shown = np.maximum(shown, SEEN * np.maximum(seen[:, best], alike[:, best]))
    return order


def _homes(nodes: list[_Node], clusters: int) -> dict[int, int]:
    """cluster -> the cluster that stands for its group."""
    home = {c: c for c in range(clusters)}
    home.update({int(c): n.at for n in nodes for c in n.same})
    return home


def _source(node: _Node, k_of: Int64s, shared: Int64s, models: Models) -> int | None:
    """The cluster of the model before the group appeared that holds most of it."""
    first = models.ks.index(int(k_of[node.same].min()))
    if first == 0:
        return None
    low, high = models.offsets[first - 1], models.offsets[first]
    return int(low + np.argmax(shared[node.at, low:high]))
