"""What a classifier is judged by, out of fold: confusion, coverage, the threshold, the share without an answer."""

from __future__ import annotations

import numpy as np
import polars as pl

from tsclust.arrays import Floats
from tsclust.config import Train, parse_share
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model import abstention, classifier
from tsclust.stages.model.abstention import Coverage
from tsclust.stages.model.classifier import Learned
from tsclust.stages.model.examples import Gathered
from tsclust.stages.model.facts import FeatureContract, ModelFacts


def facts_of(
    used: pl.DataFrame, gathered: Gathered, learned: Learned, contract: FeatureContract, asked: Train
) -> ModelFacts:
    """All that scoring and the page need but the classifier itself; shares that need a look at all series are 0 yet."""
    curve, of = abstention.coverage(learned.probability, gathered.examples), gathered.examples
    kind, _ = abstention.confidence(learned.probability)
    confusion = np.zeros((len(of.kinds), len(of.kinds)))
    np.add.at(confusion, (of.kind, kind), of.weight)
    verdicts = dict(used.select("kind", "verdict").unique("kind", keep="first").iter_rows())
    return ModelFacts(
        kinds=of.kinds, verdicts={kind: verdicts.get(kind, NORMAL) for kind in of.kinds},
        counts=gathered.counts, too_few=gathered.too_few, assumed=gathered.assumed,
        machine=gathered.yardstick.machine, machines=len(np.unique(of.machine)), rejected=0.0, refused=0.0,
        classifier=learned.name, losses=learned.losses, temperature=learned.temperature, coverage=curve,
        confusion=tuple(map(tuple, confusion.round(3).tolist())),
        threshold=threshold_of(curve, gathered, learned, asked),
        reject_errors=asked.reject_errors, answer=asked.answer, feature_contract=contract,
        features=gathered.yardstick.features, folds=len(learned.folds), limit=0.0,
    )  # fmt: skip


def refused_share(gathered: Gathered, learned: Learned, novelty: Floats, threshold: float) -> float:
    """The share of examples that get no answer out of fold: not confident enough, or far from all others."""
    _, sure = abstention.confidence(learned.probability)
    return round(float(np.average((sure < threshold) | (novelty > 1), weights=gathered.examples.weight)), 9)


def threshold_of(curve: Coverage, gathered: Gathered, learned: Learned, asked: Train) -> float:
    """The threshold of [train]; of its two ways the one that withholds less."""
    reject, answer = asked.reject_errors, asked.answer
    found = [abstention.threshold_for_errors_avoided(curve, parse_share(reject))] if reject else []
    found += [abstention.threshold_for_coverage(curve, parse_share(answer))] if answer else []
    threshold, x = min(found, default=0.0), gathered.examples.x
    plain = learned.probability[~x.any(axis=1)][:1]
    if not len(plain):
        return threshold
    now = classifier.predict(learned.estimator, np.zeros((1, x.shape[1])), len(gathered.examples.kinds))
    calibrated = classifier.calibrated(now, learned.temperature)
    return abstention.keep_ties_together(
        threshold, float(abstention.confidence(plain)[1][0]), float(abstention.confidence(calibrated)[1][0])
    )
