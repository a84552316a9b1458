"""Whether a kind can be told from the curves at all: by one who was shown the answers.

Extremely randomized trees on curves that are laid over each other, as they are and against their own machine's, in
three folds. What they cannot tell is no kind that anybody could find.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

Floats = npt.NDArray[np.float64]

NORMAL = 6_000  # series that stand for all normal ones
WIDTH = 130
ENOUGH = 0.5  # average precision: so many of a kind can be told that it counts


def tellable(frame: pl.DataFrame, kinds: list[str], seed: int) -> dict[str, float]:
    """Kind -> average precision. frame: series_id, label, machine, values; label "normal", of the kinds, or else."""
    normal = frame.filter(pl.col("label") == "normal")
    shown = normal.sample(min(NORMAL, len(normal)), seed=seed)
    rows = pl.concat([shown, frame.filter(pl.col("label").is_in(kinds))])
    x, label = _laid_over(rows), rows["label"].to_numpy()
    trees = ExtraTreesClassifier(
        150, class_weight="balanced_subsample", min_samples_leaf=2, random_state=seed, n_jobs=2
    )
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    chance = cross_val_predict(trees, x, label, cv=folds, method="predict_proba")
    weight = np.where(label == "normal", len(normal) / len(shown), 1.0)
    return {
        kind: float(average_precision_score(label == kind, chance[:, i], sample_weight=weight))
        for i, kind in enumerate(sorted(set(label.tolist()))) if kind != "normal"
    }  # fmt: skip


def _laid_over(rows: pl.DataFrame) -> Floats:
    """(n, d) the curves by their start, by their end, and both against the machine's."""
    curves = np.array([_both(np.array(v, np.float64)) for v in rows["values"].to_list()])
    machine, normal = rows["machine"].to_numpy(), rows["label"].to_numpy() == "normal"
    own = curves.copy()
    for one in set(machine.tolist()):
        there = machine == one
        own[there] -= np.median(curves[there & normal if (there & normal).any() else there], axis=0)
    return np.hstack([curves, own])


def _both(x: Floats) -> Floats:
    away = np.abs(x - np.median(np.concatenate([x[:2], x[-2:]])))
    moving = np.flatnonzero(away > 0.1 * away.max())
    first, last = max(int(moving[0]) - 2, 0), min(int(moving[-1]) + 3, len(x))
    by_start, by_end = np.full(WIDTH, x[-1]), np.full(WIDTH, x[0])
    by_start[: len(x) - first] = x[first:][:WIDTH]
    by_end[WIDTH - last :] = x[:last][-WIDTH:]
    return np.concatenate([by_start, by_end, [last - first]])
