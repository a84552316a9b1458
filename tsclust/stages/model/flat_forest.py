"""The trees of a forest as flat arrays, for whoever walks them outside of scikit-learn.

Scaled features are whole steps of a grid, so a threshold brought down to it splits the same: in 16 bits, and exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Floats, Grid, Int64s, Values
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.model.decision import Forest


@dataclass(frozen=True)
class FlatForest:
    """n nodes of t trees over features in whole steps of the grid; what is at most `limit` goes left.

    roots (t,) the first node of each tree; feature (n,), -1 for a leaf; limit (n,); left, right (n,) nodes
    leaf (n,) the row of shares of a leaf, 0 for others; shares (rows, kinds) distinct ones
    """

    roots: Int64s
    feature: Int64s
    limit: Grid
    left: Int64s
    right: Int64s
    leaf: Int64s
    shares: Floats

    @classmethod
    def of(cls, forest: Forest, classes: Int64s, kinds: int) -> FlatForest:
        """classes (c,): which of the kinds each class of the forest is."""
        trees = forest.trees
        sizes = np.array([tree.node_count for tree in trees])
        roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        shift = np.repeat(roots, sizes)
        joined = {
            name: np.concatenate([getattr(tree, name) for tree in trees])
            for name in ("children_left", "children_right", "feature", "threshold")
        }
        inner = joined["children_left"] >= 0
        shares = np.zeros((len(inner), kinds))
        shares[:, classes] = np.concatenate([tree.value[:, 0, : forest.classes] for tree in trees])
        distinct, row = np.unique(shares[~inner], axis=0, return_inverse=True)
        leaf = np.zeros(len(inner), np.int64)
        leaf[~inner] = row.ravel()
        left, right = (np.where(inner, joined[name] + shift, 0) for name in ("children_left", "children_right"))
        feature = np.where(inner, joined["feature"], -1)
        return cls(roots, feature, to_grid(np.where(inner, joined["threshold"], 0.0)), left, right, leaf, distinct)


def to_grid(x: Values) -> Grid:
    """Scaled features, or thresholds between them, in whole steps of the grid, rounded down."""
    steps = np.floor(np.asarray(x, np.float64) * GRID)
    return np.clip(steps, np.iinfo(np.int16).min, np.iinfo(np.int16).max).astype(np.int16)
