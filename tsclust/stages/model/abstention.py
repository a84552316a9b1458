"""When to say "don't know": how many series are answered at a threshold of confidence, and how many errors are left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tsclust.arrays import Floats, Int64s

if TYPE_CHECKING:
    from tsclust.stages.model.classifier import Examples

POINTS = 200  # of the curve


@dataclass(frozen=True)
class Coverage:
    """The coverage-error curve: a point for each threshold, ascending; what is less sure than it is not answered.

    answered  share of all series that are answered
    left      share of all errors that are among them (0 where there are none at all)
    wrong     share of the answered series that are errors
    """

    threshold: tuple[float, ...]
    answered: tuple[float, ...]
    left: tuple[float, ...]
    wrong: tuple[float, ...]


def confidence(probability: Floats) -> tuple[Int64s, Floats]:
    """(kind, confidence), (n,) each: of probabilities (n, kinds) the largest, on a grid of a millionth."""
    kind = probability.argmax(axis=1)
    return kind, np.round(probability[np.arange(len(kind)), kind], 6)


def coverage(probability: Floats, examples: Examples) -> Coverage:
    """Of examples with these probabilities (n, kinds) by classifiers that had not seen them."""
    kind, sure = confidence(probability)
    wrong, weight = kind != examples.kind, examples.weight
    errors, total = float((wrong * weight).sum()), float(weight.sum())
    points = []
    for threshold in _thresholds(sure, wrong):
        in_ = sure >= threshold
        answered, left = float(weight[in_].sum()), float((wrong * weight)[in_].sum())
        points.append((threshold, answered / total, left / errors if errors else 0.0, left / max(answered, 1e-300)))
    columns = [tuple(column) for column in zip(*points, strict=True)]
    return Coverage(*columns)


def _thresholds(sure: Floats, wrong: np.ndarray) -> list[float]:
    """Where the curve changes most: at quantiles of all, of the less sure, and just above errors."""
    even = np.quantile(sure, np.linspace(0, 1, POINTS // 2))
    least_sure = np.sort(sure)[: POINTS // 4]
    above = np.nextafter(np.sort(sure[wrong]), 2.0)
    some = above[np.unique(np.linspace(0, len(above) - 1, POINTS // 2).astype(np.int64))] if len(above) else above
    return sorted({0.0, *even.tolist(), *least_sure.tolist(), *some.tolist()})


def threshold_for_errors_avoided(curve: Coverage, share: float) -> float:
    """The lowest threshold that leaves no more than 1 - share of the errors."""
    fine = [t for t, left in zip(curve.threshold, curve.left, strict=True) if left <= 1 - share + 1e-9]
    return fine[0] if fine else curve.threshold[-1]


def threshold_for_coverage(curve: Coverage, share: float) -> float:
    """The highest threshold at which that share of the series is answered."""
    fine = [t for t, answered in zip(curve.threshold, curve.answered, strict=True) if answered >= share - 1e-9]
    return fine[-1] if fine else 0.0


def keep_ties_together(threshold: float, before: float, now: float) -> float:
    """The threshold, lowered where it would refuse what it was chosen to answer: `before` is the confidence of the
    plain series out of fold, `now` that of the classifier that has learned from all. Most series are plain."""
    return min(threshold, now) if threshold <= before else threshold


def threshold_for_rejection_rate(sure: Floats, share: float) -> float:
    """The highest threshold at which no more than that share of series with these confidences (n,) is not answered: it
    needs no labels."""
    above = np.append(np.sort(sure), 2.0)  # where all are to be refused
    return float(above[int(share * len(sure))]) if len(sure) else 0.0
