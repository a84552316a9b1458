"""labels/ and features/ -> model/."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tsclust.config import Settings
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.stages.features import rules
from tsclust.stages.features.facts import FeaturesFacts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.features.spec import FeatureSpec
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model import bundle, classifier, evaluation, examples, novelty, parts
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.classifier import Learned
from tsclust.stages.model.examples import Gathered
from tsclust.stages.model.facts import MODEL, ComparedBy, FeatureContract, ModelFacts, settings_digest, with_id
from tsclust.stages.model.files import LabelledSeries
from tsclust.stages.model.parts import DeviationReader
from tsclust.stages.model.profile import ALL, FeatureProfile
from tsclust.workspace.manifest import Manifest, Meter, write_manifest
from tsclust.workspace.parquet import StageWriter


@dataclass(frozen=True)
class Training:
    """A model, with the examples that it learned from and what was learned, to be written."""

    model: ModelBundle
    gathered: Gathered
    learned: Learned


def train_model(
    source: LabelledSeries, files: FeatureFiles, spec: FeatureSpec, settings: Settings, listen: Listener
) -> Training:
    """A model of labelled series, which are described by features/ and, among these, by the user's own `spec`."""
    described = files.manifest
    seed, contract = settings.cluster.seed, _contract(described, settings, source.carried)
    listen(Progress("train: gathering labelled series", 0, 0, ""))
    gathered = examples.gather(source, settings.train.assume_normal)
    learned = classifier.learn(gathered.examples, seed, _on_candidate(listen, seed))
    detector, novelties = novelty.fit(gathered.examples, learned.folds, NORMAL)
    facts = evaluation.facts_of(source.used, gathered, learned, novelties, contract, settings.train)
    text = _text(spec, contract)
    file = Path(settings.features.extra).name if text else ""
    facts = facts.model_copy(update={"rejected": _rejected(described), "limit": detector.limit, "feature_file": file})
    scaler, nobody = gathered.yardstick.scaler, FeatureProfile.empty(0)
    typical = files.typical.only(tuple(rules.columns_read(files.facts.rules)))
    model = ModelBundle(facts, learned.estimator, detector, scaler, nobody, typical, text)
    listen(Progress("train: profiling all series", 0, 0, ""))
    return Training(_with_profile(model, source), gathered, learned)


def write_model(
    writer: StageWriter, meter: Meter, training: Training, settings: Settings, inputs: dict[str, str]
) -> Manifest[ModelFacts]:
    """model/: the bundle, and what was predicted for each example out of fold."""
    model, gathered = training.model, training.gathered
    bundle.write(writer, model)
    out_of_fold = parts.out_of_fold(gathered.ids, gathered.examples, training.learned.probability)
    writer.write_table(parts.OUT_OF_FOLD, out_of_fold)
    return write_manifest(
        writer, meter, MODEL, settings=settings_digest(settings), inputs=inputs, seed=settings.cluster.seed,
        rows=len(gathered.ids), parts=1, facts=with_id(model.facts, writer.outputs),
    )  # fmt: skip


def _on_candidate(listen: Listener, seed: int) -> Callable[[str], None]:
    names = list(classifier.candidates(seed))
    return lambda name: listen(Progress(f"train: {name}", names.index(name), len(names), "classifiers"))


def _with_profile(model: ModelBundle, source: LabelledSeries) -> ModelBundle:
    """With the profile of all series, those too that nobody has labelled, and the share of them that it refuses."""
    profile = FeatureProfile.empty(len(model.facts.features))
    for of_part in map_parts(partial(_profile, source.reader, model), source.parts):
        profile = (profile + of_part).bounded()
    refused = max(model.facts.refused, round(profile.shares_of(ALL)[0], 9))
    return replace(model, profile=profile, facts=model.facts.model_copy(update={"refused": refused}))


def _profile(reader: DeviationReader, model: ModelBundle, path: Path) -> FeatureProfile:
    part = reader(path)
    _, sure, novelties = model.predict(part.z)
    return FeatureProfile.from_deviations(part.z, part.machine, model.refuses(sure, novelties), part.rejected)


def _contract(features: Manifest[FeaturesFacts], settings: Settings, carried: dict[str, str]) -> FeatureContract:
    """What has to be the same for series that are scored: features, direction, rules, what they are compared with."""
    facts = features.facts
    return FeatureContract(
        catalogue=facts.catalogue, peak=facts.peak, rules=facts.rules, typical=facts.typical,
        compared_by=ComparedBy.from_settings(settings), settings_digest=features.settings,
        carried=carried,
    )  # fmt: skip


def _text(spec: FeatureSpec, contract: FeatureContract) -> str:
    """The user's own features as features/ was made with them; "" where there are none, or they were edited since."""
    return (spec.text or "") if spec.digest == contract.settings_digest else ""


def _rejected(features: Manifest[FeaturesFacts]) -> float:
    """The share of the series that the rules reject."""
    return round(1 - features.facts.kept / max(features.rows, 1), 9)
