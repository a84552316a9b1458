"""What a classifier is judged by, out of fold: confusion, coverage, the threshold, the share without an answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tsclust.arrays import Floats, Int64s
from tsclust.config import Train, parse_share
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model import abstention
from tsclust.stages.model.abstention import Coverage
from tsclust.stages.model.classifier import Learned
from tsclust.stages.model.examples import Gathered
from tsclust.stages.model.facts import FeatureContract, ModelFacts


def facts_of(
    used: pl.DataFrame, gathered: Gathered, learned: Learned, novelty: Floats, contract: FeatureContract, asked: Train
) -> ModelFacts:
    """All that scoring and the page need but the classifier itself; novelty (n,) of the examples, out of fold.

    What only the stages know, or a look at all series, is 0 yet.
    """
    of, curve = gathered.examples, abstention.coverage(learned.probability, gathered.examples)
    kind, sure = abstention.confidence(learned.probability)
    confusion = np.zeros((len(of.kinds), len(of.kinds)))
    own = gathered.labelled  # that what nobody has labelled is normal is assumed, and proves nothing
    np.add.at(confusion, (of.kind[own], kind[own]), of.weight[own])
    threshold = _threshold(curve, sure[~of.x.any(axis=1)], learned, asked)
    refused = float(np.average((sure < threshold) | (novelty > 1), weights=of.weight))
    verdicts = dict(used.select("kind", "verdict").unique("kind", keep="first").iter_rows())
    return ModelFacts(
        kinds=of.kinds, verdicts={kind: verdicts.get(kind, NORMAL) for kind in of.kinds},
        counts=gathered.counts, too_few=gathered.too_few, assumed=gathered.assumed,
        machine=gathered.yardstick.machine, machines=len(np.unique(of.machine)), rejected=0.0,
        refused=round(refused, 9), classifier=learned.name, losses=learned.losses, temperature=learned.temperature,
        coverage=curve, confusion=tuple(map(tuple, confusion.round(3).tolist())), threshold=threshold,
        reject_errors=asked.reject_errors, answer=asked.answer, feature_contract=contract,
        features=gathered.yardstick.features, folds=len(learned.folds), limit=0.0,
        labelled=_labelled(of.kinds, of.kind[own], kind[own]),
    )  # fmt: skip


def _labelled(kinds: Sequence[str], kind: Int64s, called: Int64s) -> dict[str, tuple[int, int, int]]:
    """kind -> (examples of it, of them called so, all called so); kind, called (n,) of the labelled ones."""
    counts = (
        (np.count_nonzero(kind == at), np.count_nonzero((kind == at) & (called == at)), np.count_nonzero(called == at))
        for at in range(len(kinds))
    )
    return {name: (int(n), int(right), int(so)) for name, (n, right, so) in zip(kinds, counts, strict=True)}


def _threshold(curve: Coverage, plain: Floats, learned: Learned, asked: Train) -> float:
    """The threshold of [train]; of its two ways the one that withholds less. plain: how sure plain series are."""
    reject, answer = asked.reject_errors, asked.answer
    found = [abstention.threshold_for_errors_avoided(curve, parse_share(reject))] if reject else []
    found += [abstention.threshold_for_coverage(curve, parse_share(answer))] if answer else []
    threshold, (_, now) = min(found, default=0.0), abstention.confidence(learned.plain)
    return abstention.keep_ties_together(threshold, float(plain[0]), float(now[0])) if len(plain) else threshold
