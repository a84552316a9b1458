"""labels/ and features/ -> model/."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Floats
from tsclust.config import Settings, parse_share
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.stages.features import catalogue
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.labels import files
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model import abstention, bundle, classifier, examples
from tsclust.stages.model import novelty as novel
from tsclust.stages.model.abstention import Coverage
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.classifier import Learned
from tsclust.stages.model.examples import Gathered
from tsclust.stages.model.facts import MODEL
from tsclust.stages.model.profile import ALL, FeatureProfile
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter, Stage, write_manifest

WORKERS = 2


def inputs_of(workspace: Workspace, settings: Settings) -> dict[str, str]:
    """What a model is made of; the sweep, where it says what is normal."""
    stages: tuple[Stage[Any], ...] = (FEATURES, LABELS)
    of = {stage.name: workspace.manifest(stage).output_hash for stage in stages}
    sweep = examples.sweep_of(workspace) if settings.train.assume_normal else ""
    return of | ({"clusters": sweep} if sweep else {})


def train_model(
    workspace: Workspace, settings: Settings, listen: Listener, meter: Meter, inputs: dict[str, str], digest: str
) -> Manifest:
    """Write model/."""
    used = files.in_use(workspace, settings)
    listen(Progress("train: gathering labelled series", 0, 0, ""))
    gathered = examples.gather(workspace, settings, used)
    learned = classifier.learn(gathered.examples, settings.cluster.seed, _heard(listen, settings.cluster.seed))
    known, novelty = novel.fit(gathered.examples, learned.folds, NORMAL)
    facts = _facts(workspace.manifest(FEATURES), used, gathered, learned, settings)
    model = ModelBundle(facts, learned.estimator, learned.temperature, known, gathered.scaler, FeatureProfile.none(0))
    listen(Progress("train: profiling all series", 0, 0, ""))
    lying = _lying(workspace, settings, model)
    refused = max(_refused(gathered, learned, novelty, facts["threshold"]), round(lying.shares_of(ALL)[0], 9))
    facts |= {"limit": known.limit, "refused": refused}
    with workspace.writing(MODEL) as writer:
        bundle.write(writer, replace(model, lying=lying))
        writer.write_table("out_of_fold.parquet", _out_of_fold(gathered, learned))
        return write_manifest(
            writer, meter, MODEL, settings=digest, inputs=inputs, seed=settings.cluster.seed,
            rows=len(gathered.ids), parts=1, facts=facts,
        )  # fmt: skip


def _heard(listen: Listener, seed: int) -> Any:
    names = list(classifier.candidates(seed))
    return lambda name: listen(Progress(f"train: {name}", names.index(name), len(names), "classifiers"))


def _out_of_fold(gathered: Gathered, learned: Learned) -> pa.Table:
    """What was said of each example by a classifier that had not seen its machine."""
    kind, sure = abstention.confidence(learned.probability)
    kinds = np.array(gathered.examples.kinds)
    frame = pl.DataFrame(
        {"series_id": gathered.ids, "kind": kinds[gathered.examples.kind], "said": kinds[kind], "probability": sure,
         "weight": gathered.examples.weight, "machine": gathered.examples.machine}
    )  # fmt: skip
    return frame.sort("series_id").to_arrow()


def _facts(
    features: Manifest[FeaturesFacts], used: pl.DataFrame, gathered: Gathered, learned: Learned, settings: Settings
) -> dict[str, Any]:
    """All that scoring and the page need but the classifier itself."""
    curve = abstention.coverage(learned.probability, gathered.examples)
    kind, _ = abstention.confidence(learned.probability)
    k, threshold = len(gathered.examples.kinds), _threshold(curve, gathered, learned, settings)
    confusion = np.zeros((k, k))
    np.add.at(confusion, (gathered.examples.kind, kind), gathered.examples.weight)
    verdicts = dict(used.select("kind", "verdict").unique("kind", keep="first").iter_rows())
    return {
        "kinds": list(gathered.examples.kinds),
        "verdicts": {kind: verdicts.get(kind, NORMAL) for kind in gathered.examples.kinds},
        "counts": gathered.counts, "too_few": gathered.too_few, "assumed": gathered.assumed,
        "machine": gathered.machine, "machines": len(np.unique(gathered.examples.machine)),
        "rejected": round(1 - features.facts.kept / max(features.rows, 1), 9),
        "classifier": learned.name, "losses": learned.losses, "temperature": learned.temperature,
        "coverage": asdict(curve), "confusion": confusion.round(3).tolist(),
        "threshold": threshold, "reject_errors": settings.train.reject_errors,
        "answer": settings.train.answer,
        "same": _same(features, settings), "features": catalogue.clustered(features.facts.catalogue),
        "folds": len(learned.folds),
    }  # fmt: skip


def _same(features: Manifest[FeaturesFacts], settings: Settings) -> dict[str, Any]:
    """What has to be the same for series that are scored: features, direction, rules, what they are compared with."""
    names = ("catalogue", "peak", "rules", "typical")
    facts = features.facts.shown(())
    same = {name: facts[name] for name in names}
    return same | {"compared_by": examples.compared_by(settings), "made": features.settings}


def _lying(workspace: Workspace, settings: Settings, model: ModelBundle) -> FeatureProfile:
    """How the series of each machine lie, those too that nobody has labelled, and how many the model refuses."""

    def one_part(path: Path) -> FeatureProfile:
        part = examples.read(workspace, settings, model.scaler, model.facts["machine"], path)
        _, sure, novelty = model.predict(model.scaler.of_deviations(part.z))
        return FeatureProfile.of(part.z, part.machine, model.refuses(sure, novelty), part.rejected)

    found = FeatureProfile.none(len(model.facts["features"]))
    for of_part in map_parts(one_part, workspace.parts(FEATURES), WORKERS):
        found = (found + of_part).bounded()
    return found


def _refused(gathered: Gathered, learned: Learned, novelty: Floats, threshold: float) -> float:
    """The share of series that got no answer in training: not sure enough, or far from all others."""
    _, sure = abstention.confidence(learned.probability)
    return round(float(np.average((sure < threshold) | (novelty > 1), weights=gathered.examples.weight)), 9)


def _threshold(curve: Coverage, gathered: Gathered, learned: Learned, settings: Settings) -> float:
    """That of [train], whichever of the two withholds less."""
    reject, answer = settings.train.reject_errors, settings.train.answer
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
