"""Probabilities of a fitted pipeline that are the same to the last bit for a row alone, among others, on any processor
count: products of matrices round by the shape of the matrices, so each sum here is taken in one fixed order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from tsclust.arrays import Floats

AT_A_TIME = 1_024  # rows whose sums fit a processor's cache
Decision = Callable[[Floats], Floats]  # (n, d) scaled features -> (n, classes) probabilities


@dataclass(frozen=True)
class Linear:
    """StandardScaler and LogisticRegression: mean, scale (d,), weights (d, c), intercept (c,); c = 1 of two classes."""

    mean: Floats
    scale: Floats
    weights: Floats
    intercept: Floats

    def __call__(self, x: Floats) -> Floats:
        parts = [self._part(x[at : at + AT_A_TIME]) for at in range(0, len(x), AT_A_TIME)]
        return np.concatenate(parts) if parts else np.zeros((0, max(len(self.intercept), 2)))

    def _part(self, x: Floats) -> Floats:
        columns = np.ascontiguousarray(((x - self.mean) / self.scale).T)
        total = np.tile(self.intercept, (len(x), 1))
        for column, weights in zip(columns, self.weights, strict=True):
            total += column[:, None] * weights
        if total.shape[1] == 1:
            second = expit(total[:, 0])
            return np.column_stack([1 - second, second])
        grown = np.exp(total - total.max(axis=1, keepdims=True))
        probability: Floats = grown / grown.sum(axis=1, keepdims=True)
        return probability


@dataclass(frozen=True)
class Forest:
    """The mean of trees, added up in their order; without scikit-learn's checks, which take 50 us a tree and call."""

    trees: tuple[Any, ...]
    classes: int

    def __call__(self, x: Floats) -> Floats:
        rows = np.ascontiguousarray(x, np.float32)
        total = np.zeros((len(rows), self.classes))
        if len(rows):
            for tree in self.trees:
                total += tree.predict(rows).reshape(len(rows), -1)[:, : self.classes]
        return total / len(self.trees)


def of_pipeline(estimator: Any) -> Decision:
    """The decision of a pipeline that `classifier.candidates` makes, fitted."""
    first, last = estimator.steps[0][1], estimator.steps[-1][1]
    if hasattr(last, "estimators_"):
        return Forest(tuple(tree.tree_ for tree in last.estimators_), len(last.classes_))
    return Linear(first.mean_, first.scale_, np.ascontiguousarray(last.coef_.T), last.intercept_)
