"""labels/ and features/ -> model/."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tsclust import config
from tsclust.arrays import Floats
from tsclust.config import Settings, Train, parse_share
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.stages.features import step as features_step
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.labels import files
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model import abstention, bundle, classifier, examples, novelty, parts
from tsclust.stages.model.abstention import Coverage
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.classifier import Learned
from tsclust.stages.model.examples import Gathered, LabelledSeries
from tsclust.stages.model.facts import MODEL, ComparedBy, FeatureContract, ModelFacts
from tsclust.stages.model.parts import DeviationReader
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


def settings_digest(settings: Settings) -> str:
    """A hash of all settings that decide on what is learned from labels."""
    return config.digest(settings.train, settings.labels, settings.cluster)


def train_model(
    workspace: Workspace, settings: Settings, listen: Listener, meter: Meter, inputs: dict[str, str], digest: str
) -> Manifest[ModelFacts]:
    """Write model/."""
    seed, contract = settings.cluster.seed, _contract(workspace.manifest(FEATURES), settings)
    listen(Progress("train: gathering labelled series", 0, 0, ""))
    source = LabelledSeries.of_workspace(workspace, settings, files.in_use(workspace, settings))
    gathered = examples.gather(source, settings.train.assume_normal)
    learned = classifier.learn(gathered.examples, seed, _on_candidate(listen, seed))
    detector, novelties = novelty.fit(gathered.examples, learned.folds, NORMAL)
    facts = _facts(source, gathered, learned, contract, settings.train)
    facts = facts.model_copy(
        update={"rejected": _rejected(workspace.manifest(FEATURES)), "limit": detector.limit,
                "refused": _refused(gathered, learned, novelties, facts.threshold)}
    )  # fmt: skip
    text = _feature_text(workspace, settings, contract)
    facts = facts.model_copy(update={"feature_file": Path(settings.features.extra).name if text else ""})
    scaler, nobody = gathered.yardstick.scaler, FeatureProfile.empty(0)
    model = ModelBundle(facts, learned.estimator, detector, scaler, nobody, text)
    listen(Progress("train: profiling all series", 0, 0, ""))
    model = _with_profile(model, source)
    with workspace.writing(MODEL) as writer:
        bundle.write(writer, model)
        out_of_fold = parts.out_of_fold(gathered.ids, gathered.examples, learned.probability)
        writer.write_table(parts.OUT_OF_FOLD, out_of_fold)
        return write_manifest(
            writer, meter, MODEL, settings=digest, inputs=inputs, seed=seed, rows=len(gathered.ids), parts=1,
            facts=model.facts,
        )  # fmt: skip


def _on_candidate(listen: Listener, seed: int) -> Callable[[str], None]:
    names = list(classifier.candidates(seed))
    return lambda name: listen(Progress(f"train: {name}", names.index(name), len(names), "classifiers"))


def _contract(features: Manifest[FeaturesFacts], settings: Settings) -> FeatureContract:
    """What has to be the same for series that are scored: features, direction, rules, what they are compared with."""
    facts = features.facts
    return FeatureContract(
        catalogue=facts.catalogue, peak=facts.peak, rules=facts.rules, typical=facts.typical,
        compared_by=ComparedBy.from_settings(settings), settings_digest=features.settings,
    )  # fmt: skip


def _feature_text(workspace: Workspace, settings: Settings, contract: FeatureContract) -> str:
    """The user's own features as features/ was made with them; "" where there are none, or they were edited since."""
    spec = features_step.read_spec(workspace.root, settings)
    return (spec.text or "") if spec.digest == contract.settings_digest else ""


def _facts(
    source: LabelledSeries, gathered: Gathered, learned: Learned, contract: FeatureContract, asked: Train
) -> ModelFacts:
    """All that scoring and the page need but the classifier itself; shares that need a look at all series are 0 yet."""
    curve, of = abstention.coverage(learned.probability, gathered.examples), gathered.examples
    kind, _ = abstention.confidence(learned.probability)
    confusion = np.zeros((len(of.kinds), len(of.kinds)))
    np.add.at(confusion, (of.kind, kind), of.weight)
    verdicts = dict(source.used.select("kind", "verdict").unique("kind", keep="first").iter_rows())
    return ModelFacts(
        kinds=of.kinds, verdicts={kind: verdicts.get(kind, NORMAL) for kind in of.kinds},
        counts=gathered.counts, too_few=gathered.too_few, assumed=gathered.assumed,
        machine=gathered.yardstick.machine, machines=len(np.unique(of.machine)), rejected=0.0, refused=0.0,
        classifier=learned.name, losses=learned.losses, temperature=learned.temperature, coverage=curve,
        confusion=tuple(map(tuple, confusion.round(3).tolist())), threshold=_threshold(curve, gathered, learned, asked),
        reject_errors=asked.reject_errors, answer=asked.answer, feature_contract=contract,
        features=gathered.yardstick.features, folds=len(learned.folds), limit=0.0,
    )  # fmt: skip


def _rejected(features: Manifest[FeaturesFacts]) -> float:
    """The share of the series that the rules reject."""
    return round(1 - features.facts.kept / max(features.rows, 1), 9)


def _with_profile(model: ModelBundle, source: LabelledSeries) -> ModelBundle:
    """With the profile of all series, those too that nobody has labelled, and the share of them that it refuses."""
    profile = FeatureProfile.empty(len(model.facts.features))
    for of_part in map_parts(partial(_profile, source.reader, model), source.parts, WORKERS):
        profile = (profile + of_part).bounded()
    refused = max(model.facts.refused, round(profile.shares_of(ALL)[0], 9))
    return replace(model, profile=profile, facts=model.facts.model_copy(update={"refused": refused}))


def _profile(reader: DeviationReader, model: ModelBundle, path: Path) -> FeatureProfile:
    part = reader(path)
    _, sure, novelties = model.predict(part.z)
    return FeatureProfile.from_deviations(part.z, part.machine, model.refuses(sure, novelties), part.rejected)


def _refused(gathered: Gathered, learned: Learned, novelty: Floats, threshold: float) -> float:
    """The share of examples that get no answer out of fold: not confident enough, or far from all others."""
    _, sure = abstention.confidence(learned.probability)
    return round(float(np.average((sure < threshold) | (novelty > 1), weights=gathered.examples.weight)), 9)


def _threshold(curve: Coverage, gathered: Gathered, learned: Learned, asked: Train) -> float:
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
