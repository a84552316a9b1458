"""Labelled series -> a classifier: chosen by cross-validation in which no machine is on both sides, and calibrated."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from tsclust.arrays import Floats, Int64s

Fold = tuple[Int64s, Int64s]  # examples to learn from, examples to be asked about
Keys = npt.NDArray[np.str_]

ENOUGH = 5  # labelled series that a kind needs to be learned
FOLDS = 5
TREES = 100
LEAST = 1e-6  # a probability is at least that: one sure error must not decide between classifiers alone
WARMEST = 5.0  # the temperature lies between this and its inverse


@dataclass(frozen=True)
class Examples:
    """n labelled series, in an order of chance.

    x        (n, d) scaled features
    kind     (n,) its place in kinds
    weight   (n,) series that each stands for
    machine  (n,) "" where no column names a machine
    """

    x: Floats
    kind: Int64s
    weight: Floats
    machine: Keys
    kinds: tuple[str, ...]

    def of(self, rows: Int64s) -> Examples:
        return Examples(self.x[rows], self.kind[rows], self.weight[rows], self.machine[rows], self.kinds)


@dataclass(frozen=True)
class Learned:
    """A classifier, and how well it does on machines that it has not seen.

    estimator    learned from all examples; temperature divides the logarithms of its probabilities
    name         which of the candidates it is;  losses: of every candidate, the weighted log loss
    probability  (n, kinds) of the examples, each by a classifier that has not seen its machine, calibrated
    folds        how examples were divided
    """

    estimator: BaseEstimator
    name: str
    losses: dict[str, float]
    temperature: float
    probability: Floats
    folds: tuple[Fold, ...]


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """What is tried: a plain classifier of three strengths, and one that sees what is crooked."""
    logistic = {
        f"logistic regression, C = {c:g}": make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1_000))
        for c in (0.1, 1.0, 10.0)
    }
    trees = ExtraTreesClassifier(TREES, max_features=0.4, min_samples_leaf=2, random_state=seed)
    return logistic | {"extremely randomized trees": make_pipeline(trees)}


def learn(examples: Examples, seed: int, heard: Callable[[str], None] = lambda _: None) -> Learned:
    """Try every candidate, keep the best. Needs two kinds of ENOUGH examples each; `heard` is told what is tried."""
    divided = folds(examples, seed)
    found: dict[str, Floats] = {}
    for name, estimator in candidates(seed).items():
        heard(name)
        found[name] = out_of_fold(estimator, examples, divided)
    losses = {name: loss(probability, examples) for name, probability in found.items()}
    best = min(losses, key=lambda name: losses[name])
    heat = temperature(found[best], examples)
    with unfinished_allowed():
        estimator = fitted(candidates(seed)[best], examples)
    return Learned(estimator, best, losses, heat, alike(calibrated(found[best], heat), examples), divided)


def alike(probability: Floats, examples: Examples) -> Floats:
    """The examples without any deviation are one and the same, most of what is normal: they get the mean of what every
    fold says of them. A threshold must not part them by the fold they are in."""
    plain = np.logical_not(examples.x.any(axis=1))
    if not plain.any():
        return probability
    mean: Floats = np.average(probability[plain], axis=0, weights=examples.weight[plain])
    return np.where(plain[:, None], mean, probability)


def folds(examples: Examples, seed: int) -> tuple[Fold, ...]:
    """No machine is in both parts of a fold; where there is but one machine, or none is named, no series is."""
    machines = np.unique(examples.machine)
    if len(machines) > 1:
        parts = StratifiedGroupKFold(min(FOLDS, len(machines)), shuffle=True, random_state=seed)
        return tuple(parts.split(examples.x, examples.kind, examples.machine))
    return tuple(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(examples.x, examples.kind))


def out_of_fold(estimator: BaseEstimator, examples: Examples, divided: Sequence[Fold]) -> Floats:
    """(n, kinds) the probabilities of each example, from the others' machines; 0 for a kind that they do not have."""
    probability = np.zeros((len(examples.kind), len(examples.kinds)))
    with unfinished_allowed(), ThreadPoolExecutor(2) as pool:
        for asked, part in pool.map(partial(_of_fold, estimator, examples), divided):
            probability[asked] = part
    return probability


def _of_fold(estimator: BaseEstimator, examples: Examples, fold: Fold) -> tuple[Int64s, Floats]:
    known, asked = fold
    return asked, predict(fitted(estimator, examples.of(known)), examples.x[asked], len(examples.kinds))


def fitted(estimator: BaseEstimator, examples: Examples) -> BaseEstimator:
    """A new one that has learned from these examples."""
    several = len(np.unique(examples.kind)) > 1
    new = clone(estimator) if several else make_pipeline(DummyClassifier())  # one kind is all it has seen
    last = new.steps[-1][0]
    new.fit(examples.x, examples.kind, **{f"{last}__sample_weight": examples.weight})
    return new


def in_one_order() -> threadpool_limits:
    """BLAS and OpenMP with one thread: sums are added in one order, the same every time. It is a setting of the whole
    process, so it is set around what runs in several threads, not inside."""
    return threadpool_limits(1)


@contextmanager
def unfinished_allowed() -> Iterator[None]:
    """No warning where the last digits of a fit are still moving. Goes around threads: filters are the process's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def predict(estimator: Any, x: Floats, kinds: int) -> Floats:
    """(n, kinds) the probabilities it gives to x (n, d); 0 for kinds it has not seen."""
    probability = np.zeros((len(x), kinds))
    if len(x):
        probability[:, estimator.classes_] = estimator.predict_proba(x)
    return probability


def loss(probability: Floats, examples: Examples) -> float:
    """The weighted log loss: minus the mean logarithm of the probability of what it is."""
    true = np.maximum(probability[np.arange(len(examples.kind)), examples.kind], LEAST)
    return float(-np.average(np.log(true), weights=examples.weight))


def calibrated(probability: Floats, heat: float) -> Floats:
    """(n, kinds) probabilities whose logarithms are divided by `heat`: more than 1 makes them less sure."""
    warm = np.maximum(probability, 0.0) ** (1.0 / heat)
    out: Floats = warm / np.maximum(warm.sum(axis=1, keepdims=True), 1e-300)
    return out


def temperature(probability: Floats, examples: Examples) -> float:
    """That at which the log loss of these probabilities is least (Guo, Pleiss, Sun and Weinberger 2017)."""
    ends = (-np.log(WARMEST), np.log(WARMEST))
    found = minimize_scalar(
        lambda log: loss(calibrated(probability, float(np.exp(log))), examples), bounds=ends, method="bounded"
    )
    return float(np.exp(found.x))
