"""Which labels are probably wrong: those that classifiers, which have not seen the machine, would give another kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsclust.arrays import Bools, Floats, Int64s
from tsclust.stages.model.classifier import MIN_PER_KIND, Examples, Fold, calibrated, predict


def fold_of(examples: Examples, folds: Sequence[Fold]) -> dict[str, int]:
    """machine -> the fold in which it is predicted."""
    return {str(machine): n for n, (_, unseen) in enumerate(folds) for machine in np.unique(examples.machine[unseen])}


def kinds_seen(examples: Examples, folds: Sequence[Fold]) -> Bools:
    """(folds, kinds) whether a fold's classifier has learned a kind: from MIN_PER_KIND series of other machines."""
    counts = [np.bincount(examples.kind[known], minlength=len(examples.kinds)) for known, _ in folds]
    found: Bools = np.array(counts) >= MIN_PER_KIND
    return found


def predict_by_fold(classifiers: Sequence[Any], temperature: float, x: Floats, fold: Int64s, kinds: int) -> Floats:
    """(n, kinds) probabilities of x (n, d), each by the classifier of its fold (n,)."""
    probability = np.zeros((len(x), kinds))
    for n, classifier in enumerate(classifiers):
        mine = np.flatnonzero(fold == n)
        probability[mine] = calibrated(predict(classifier, x[mine], kinds), temperature)
    return probability


def suspicion(probability: Floats, kind: Int64s) -> tuple[Int64s, Floats]:
    """(suggested, margin), (n,) each: the likeliest other kind, and how much likelier than the label it is, -1 to 1."""
    rows = np.arange(len(kind))
    others = probability.copy()
    others[rows, kind] = -1.0
    suggested = others.argmax(axis=1)
    return suggested, np.round(others[rows, suggested] - probability[rows, kind], 6)


@dataclass(frozen=True)
class Suspect:
    """A series with a label that another kind would fit better; ids of the nearest labelled series of both."""

    series_id: Any
    kind: str
    suggested: str
    near_kind: Sequence[Any]
    near_suggested: Sequence[Any]
