"""Labelled series -> a classifier: chosen by cross-validation in which no machine is on both sides, and calibrated."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from tsclust.arrays import Floats, Int64s, Keys

if TYPE_CHECKING:  # a second and a half to import: who neither learns nor predicts does without
    from sklearn.base import BaseEstimator

Fold = tuple[Int64s, Int64s]  # rows to learn from, rows to be predicted

MIN_PER_KIND = 5  # labelled series that a kind needs to be learned
FOLDS = 5
THREADS = 2  # that fit classifiers; what they find is the same for any number
TREES = 100
MIN_PROBABILITY = 1e-6  # one sure error must not decide between classifiers alone
MAX_TEMPERATURE = 5.0  # the temperature is between this and its inverse


@dataclass(frozen=True)
class Examples:
    """n labelled series, in random order.

    x        (n, d) scaled features
    kind     (n,) index into kinds
    weight   (n,) how many series each stands for
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

    estimator    fitted to all examples; temperature divides the logarithms of its probabilities
    name         which of the candidates it is;  losses: the weighted log loss of every candidate
    probability  (n, kinds) of the examples, calibrated, each by a classifier that has not seen its machine
    plain        (1, kinds) what the estimator gives to a series without any deviation, calibrated
    folds        how the examples were split
    by_fold      (folds,) classifiers, each of which has not seen the machines that it predicts
    """

    estimator: BaseEstimator
    name: str
    losses: dict[str, float]
    temperature: float
    probability: Floats
    plain: Floats
    folds: tuple[Fold, ...]
    by_fold: tuple[BaseEstimator, ...]


@dataclass(frozen=True)
class Tried:
    """A candidate, fitted once for each fold; probability (n, kinds), 0 for a kind that a fold's has not seen."""

    by_fold: tuple[BaseEstimator, ...]
    probability: Floats


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """The classifiers to choose from: a linear one of three strengths, and one for curved boundaries."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    logistic = {
        f"logistic regression, C = {c:g}": make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1_000))
        for c in (0.1, 1.0, 10.0)
    }
    trees = ExtraTreesClassifier(TREES, max_features=0.4, min_samples_leaf=2, random_state=seed)
    return logistic | {"extremely randomized trees": make_pipeline(trees)}


def learn(examples: Examples, seed: int, on_candidate: Callable[[str], None] = lambda _: None) -> Learned:
    """Try every candidate, keep the best. Needs two kinds of MIN_PER_KIND examples each; `on_candidate` gets the name
    of each one whose turn it is to be finished."""
    from joblib import parallel_config

    split = folds(examples, seed)
    tried = _try_all(candidates(seed), examples, split, on_candidate)
    losses = {name: loss(one.probability, examples) for name, one in tried.items()}
    best = min(losses, key=lambda name: losses[name])
    found = tried[best]
    temperature = fit_temperature(found.probability, examples)
    with ignore_convergence_warnings(), parallel_config("threading", n_jobs=THREADS):  # trees side by side
        estimator = fit_clone(candidates(seed)[best], examples)
    probability = average_plain_rows(calibrated(found.probability, temperature), examples)
    plain = calibrated(predict(estimator, np.zeros((1, examples.x.shape[1])), len(examples.kinds)), temperature)
    return Learned(estimator, best, losses, temperature, probability, plain, split, found.by_fold)


def average_plain_rows(probability: Floats, examples: Examples) -> Floats:
    """Examples without any deviation are identical, and most of what is normal is: they all get the mean of what the
    folds predict for them. A threshold must not separate them by the fold they are in."""
    plain = np.logical_not(examples.x.any(axis=1))
    if not plain.any():
        return probability
    mean: Floats = np.average(probability[plain], axis=0, weights=examples.weight[plain])
    return np.where(plain[:, None], mean, probability)


def folds(examples: Examples, seed: int) -> tuple[Fold, ...]:
    """No machine is in both parts of a fold; where there is only one machine, or none is named, no series is."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    machines = np.unique(examples.machine)
    if len(machines) > 1:
        parts = StratifiedGroupKFold(min(FOLDS, len(machines)), shuffle=True, random_state=seed)
        return tuple(parts.split(examples.x, examples.kind, examples.machine))
    return tuple(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(examples.x, examples.kind))


def _try_all(
    estimators: dict[str, BaseEstimator], examples: Examples, split: Sequence[Fold], on_candidate: Callable[[str], None]
) -> dict[str, Tried]:
    """For each estimator a classifier for each fold, from the other machines, and what it predicts for the fold's own.

    The last estimator begins, as it takes the longest: the others fill what its folds leave of the threads.
    """
    order, tried = [*reversed(estimators)], {}
    with ignore_convergence_warnings(), ThreadPoolExecutor(THREADS) as pool:
        fits = [[pool.submit(_fit_without, estimators[name], examples, fold) for fold in split] for name in order]
        try:
            for name, by_fold in zip(order, fits, strict=True):
                on_candidate(name)
                tried[name] = _out_of_fold(tuple(fit.result() for fit in by_fold), examples, split)
        except BaseException:  # Ctrl-C too: what has not begun does not begin any more
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {name: tried[name] for name in estimators}


def _fit_without(estimator: BaseEstimator, examples: Examples, fold: Fold) -> BaseEstimator:
    """From the machines of the other folds; their examples are copied when it is their turn."""
    return fit_clone(estimator, examples.of(fold[0]))


def _out_of_fold(by_fold: tuple[BaseEstimator, ...], examples: Examples, split: Sequence[Fold]) -> Tried:
    probability = np.zeros((len(examples.kind), len(examples.kinds)))
    for one, (_, unseen) in zip(by_fold, split, strict=True):
        probability[unseen] = predict(one, examples.x[unseen], len(examples.kinds))
    return Tried(by_fold, probability)


def fit_clone(estimator: BaseEstimator, examples: Examples) -> BaseEstimator:
    """A new estimator of the same settings, fitted to these examples."""
    from sklearn.base import clone
    from sklearn.dummy import DummyClassifier
    from sklearn.pipeline import make_pipeline

    several = len(np.unique(examples.kind)) > 1
    new = clone(estimator) if several else make_pipeline(DummyClassifier())  # one kind is all it has seen
    last = new.steps[-1][0]
    new.fit(examples.x, examples.kind, **{f"{last}__sample_weight": examples.weight})
    return new


def single_threaded_blas() -> threadpool_limits:
    """BLAS and OpenMP with one thread: sums are added in one order, the same every time. It is a setting of the whole
    process, so it is set around what runs in several threads, not inside; of the libraries that are loaded."""
    import_module("sklearn.ensemble")
    return threadpool_limits(1)


@contextmanager
def ignore_convergence_warnings() -> Iterator[None]:
    """No warning where the last digits of a fit are still moving. Goes around threads: the filters are global."""
    from sklearn.exceptions import ConvergenceWarning

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
    true = np.maximum(probability[np.arange(len(examples.kind)), examples.kind], MIN_PROBABILITY)
    return float(-np.average(np.log(true), weights=examples.weight))


def calibrated(probability: Floats, temperature: float) -> Floats:
    """(n, kinds) probabilities, their logarithms divided by `temperature`: more than 1 makes them less confident."""
    warm = np.maximum(probability, 0.0) ** (1.0 / temperature)
    out: Floats = warm / np.maximum(warm.sum(axis=1, keepdims=True), 1e-300)
    return out


def fit_temperature(probability: Floats, examples: Examples) -> float:
    """The temperature at which the log loss of these probabilities is least (Guo, Pleiss, Sun and Weinberger 2017)."""
    from scipy.optimize import minimize_scalar

    ends = (-np.log(MAX_TEMPERATURE), np.log(MAX_TEMPERATURE))
    found = minimize_scalar(
        lambda log: loss(calibrated(probability, float(np.exp(log))), examples), bounds=ends, method="bounded"
    )
    return float(np.exp(found.x))
