"""Hierarchical mean shift, a method of rare category detection: a peer in bench/rivals.py.

Vatturi and Wong, Category detection using hierarchical mean shift, KDD 2009: mean shift with a bandwidth that grows
blurs the series into fewer and fewer clusters; each cluster of this hierarchy is scored, and the series nearest to the
middle of the best one is shown to the expert. The scores are those of the scale-space clustering it builds on (Leung,
Zhang and Xu, Clustering by scale-space filtering, PAMI 22, 2000). Among equal scores the series comes first that is
farthest, on average, from those that were shown.

What is our own: the bandwidth grows by a tenth from level to level, and begins where a twentieth of the series have
their nearest neighbour within two of it; before any was shown, the farthest from the mean of all comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GROWTH = 1.1  # of the bandwidth, from level to level
LEVELS = 120  # at most
ROUNDS = 40  # of shifting at a level, at most
STILL = 0.01  # bandwidths: what moves less has come to rest
ONE = 0.5  # bandwidths: modes that came to rest as near as this are one
DIGITS = 6  # scores that agree in so many are equal
ROWS = 2_000  # at a time


@dataclass(frozen=True)
class Cluster:
    """One cluster of the hierarchy.

    members   rows;  middle: the one nearest to its center
    lifetime  logarithm of the bandwidth at which it merged with others over that at which it came to be
    held      compactness + isolation when it came to be, 0..2
    """

    members: Ints
    middle: int
    lifetime: float
    held: float

    @property
    def outlierness(self) -> float:
        return self.lifetime / len(self.members)


@dataclass
class _Node:
    """A cluster that has not merged yet."""

    members: Ints
    middle: int
    born: float
    held: float


def hierarchy(x: Floats) -> list[Cluster]:
    """All clusters of x (n, d) but the last, which has everything."""
    x = np.asarray(x, np.float64)
    bandwidth, modes = first_bandwidth(x), x.copy()
    nodes, done = _singles(x, bandwidth), list[Cluster]()
    for _ in range(LEVELS):
        weights = np.array([len(node.members) for node in nodes], np.float64)
        moved = _shifted(modes, weights, bandwidth)
        label = _at_one_place(moved, ONE * bandwidth)
        sums = np.stack([np.bincount(label, weights * column) for column in moved.T], axis=1)
        modes = sums / np.bincount(label, weights)[:, None]
        nodes, merged = _next(x, modes, nodes, label, bandwidth)
        done += merged
        if len(nodes) == 1:
            break
        bandwidth *= GROWTH
    return done


def queries(x: Floats, clusters: list[Cluster], scores: Floats) -> Iterator[int]:
    """Rows of x in the order in which they are shown, each once. scores: (clusters,) the higher, the sooner."""
    scores, shown = np.round(scores, DIGITS), set[int]()
    distance = np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=1))
    for score in np.unique(scores)[::-1]:
        rows = np.unique([clusters[i].middle for i in np.flatnonzero(scores == score)])
        rows = rows[[row not in shown for row in rows.tolist()]]
        while len(rows):
            at = int(distance[rows].argmax())
            row, rows = int(rows[at]), np.delete(rows, at)
            shown.add(row)
            distance += np.sqrt(((x - x[row]) ** 2).sum(axis=1))
            yield row


def first_bandwidth(x: Floats) -> float:
    """Half of the distance within which a twentieth of the rows have their nearest neighbour; equal rows left out."""
    near = np.sqrt(np.concatenate([_nearest(rows, x) for rows in np.array_split(x, len(x) // ROWS + 1)]))
    return float(np.quantile(near[near > 0], 0.05)) / 2


def _nearest(rows: Floats, x: Floats) -> Floats:
    squares = _squares(rows, x)
    squares[squares < 1e-9] = np.inf
    least: Floats = squares.min(axis=1)
    return np.where(np.isfinite(least), least, 0.0)


def _squares(a: Floats, b: Floats) -> Floats:
    """(len(a), len(b)) squared distances."""
    squares: Floats = np.maximum((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T, 0.0)
    return squares


def _kernel(a: Floats, b: Floats, bandwidth: float) -> Floats:
    near: Floats = np.exp(_squares(a, b) / (-2 * bandwidth**2))
    return near


def _shifted(modes: Floats, weights: Floats, bandwidth: float) -> Floats:
    """Where each mode comes to rest among all of them, which weigh what their clusters have of series."""
    moved, active = modes.copy(), np.arange(len(modes))
    for _ in range(ROUNDS):
        to = np.concatenate([_means(moved[a], modes, weights, bandwidth) for a in _pieces(active)])
        step = np.sqrt(((to - moved[active]) ** 2).sum(axis=1))
        moved[active] = to
        active = active[step > STILL * bandwidth]
        if not len(active):
            break
    return moved


def _pieces(rows: Ints) -> list[Ints]:
    return np.array_split(rows, len(rows) // ROWS + 1)


def _means(at: Floats, modes: Floats, weights: Floats, bandwidth: float) -> Floats:
    near = _kernel(at, modes, bandwidth) * weights
    means: Floats = near @ modes / near.sum(axis=1)[:, None]
    return means


def _at_one_place(modes: Floats, radius: float) -> Ints:
    """(m,) from 0 on: equal for modes that chains of steps of at most `radius` join."""
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import radius_neighbors_graph

    joined: Ints = connected_components(radius_neighbors_graph(modes, radius), directed=False)[1].astype(np.int64)
    return joined


def _singles(x: Floats, bandwidth: float) -> list[_Node]:
    """Each row by itself."""
    held = _held(x, x, {i: np.array([i]) for i in range(len(x))}, bandwidth)
    return [_Node(np.array([i]), i, bandwidth, held[i]) for i in range(len(x))]


def _next(
    x: Floats, modes: Floats, nodes: list[_Node], label: Ints, bandwidth: float
) -> tuple[list[_Node], list[Cluster]]:
    """The clusters that there are now, and those that have merged."""
    order, sizes = np.argsort(label, kind="stable"), np.bincount(label)
    parts = np.split(order, np.cumsum(sizes)[:-1])
    new = np.flatnonzero(sizes > 1)
    members = {int(c): np.concatenate([nodes[i].members for i in parts[c]]) for c in new}
    held = _held(x, modes, members, bandwidth)
    alive, merged = [], []
    for c, part in enumerate(parts):
        if c not in members:
            alive.append(nodes[part[0]])
            continue
        merged += [_ended(nodes[i], bandwidth) for i in part]
        rows = members[c]
        middle = int(rows[((x[rows] - modes[c]) ** 2).sum(axis=1).argmin()])
        alive.append(_Node(rows, middle, bandwidth, held[c]))
    return alive, merged


def _ended(node: _Node, bandwidth: float) -> Cluster:
    return Cluster(node.members, node.middle, float(np.log(bandwidth / node.born)), node.held)


def _held(x: Floats, modes: Floats, members: dict[int, Ints], bandwidth: float) -> dict[int, float]:
    """Compactness + isolation of these clusters: of what the kernels of all modes are over its members, the share of
    its own; of what its own is over all series, the share over its members."""
    if not members:
        return {}
    everything, over_all = np.empty(len(x)), np.zeros(len(modes))
    for rows in _pieces(np.arange(len(x))):
        near = _kernel(x[rows], modes, bandwidth)
        everything[rows], over_all = near.sum(axis=1), over_all + near.sum(axis=0)
    held = {}
    for c, rows in members.items():
        own = _kernel(x[rows], modes[c : c + 1], bandwidth).sum()
        held[c] = float(own / max(everything[rows].sum(), 1e-300) + own / max(over_all[c], 1e-300))
    return held
