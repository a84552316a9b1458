"""Which labels are probably wrong: those that classifiers, which have not seen the machine, would give another kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsclust.arrays import Bools, Floats, Int64s
from tsclust.stages.model.classifier import ENOUGH, Examples, Fold, calibrated, fitted, predict


def fold_of(examples: Examples, folds: Sequence[Fold]) -> dict[str, int]:
    """machine -> the fold that it is asked about in."""
    return {str(machine): n for n, (_, asked) in enumerate(folds) for machine in np.unique(examples.machine[asked])}


def judges(estimator: Any, examples: Examples, folds: Sequence[Fold]) -> list[Any]:
    """For each fold a classifier that has not seen the machines it is asked about."""
    return [fitted(estimator, examples.of(known)) for known, _ in folds]


def seen(examples: Examples, folds: Sequence[Fold]) -> Bools:
    """(folds, kinds) whether the judge of a fold has learned a kind: from ENOUGH series of other machines."""
    counts = [np.bincount(examples.kind[known], minlength=len(examples.kinds)) for known, _ in folds]
    found: Bools = np.array(counts) >= ENOUGH
    return found


def ask(judges: Sequence[Any], heat: float, x: Floats, fold: Int64s, kinds: int) -> Floats:
    """(n, kinds) probabilities of x (n, d), each by the classifier of its fold (n,)."""
    probability = np.zeros((len(x), kinds))
    for n, judge in enumerate(judges):
        mine = np.flatnonzero(fold == n)
        probability[mine] = calibrated(predict(judge, x[mine], kinds), heat)
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
