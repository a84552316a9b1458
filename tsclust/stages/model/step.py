"""labels/ and features/ -> model/."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Floats, Int64s, UInt64s
from tsclust.config import Settings
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.hashing import hash_ids, limit
from tsclust.series import ID, is_in
from tsclust.stages.features import rules
from tsclust.stages.features.facts import FeaturesFacts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.features.spec import FeatureSpec
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model import bundle, classifier, evaluation, examples, novelty, parts, quality
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.classifier import Learned
from tsclust.stages.model.examples import Gathered
from tsclust.stages.model.facts import MODEL, ComparedBy, FeatureContract, ModelFacts, settings_digest, with_id
from tsclust.stages.model.files import LabelledSeries
from tsclust.stages.model.profile import ALL, SAMPLE, Bins, FeatureProfile
from tsclust.stages.model.quality import Check, Moves, Quality
from tsclust.workspace.manifest import Manifest, Meter, write_manifest
from tsclust.workspace.parquet import StageWriter


@dataclass(frozen=True)
class Training:
    """A model, with the examples that it learned from and what was learned, to be written. hashes: of the ids of all
    series that it has a profile of."""

    model: ModelBundle
    gathered: Gathered
    learned: Learned
    hashes: UInt64s


def train_model(
    source: LabelledSeries, files: FeatureFiles, spec: FeatureSpec, settings: Settings, listen: Listener,
    check: Check | None = None,
) -> Training:  # fmt: skip
    """A model of labelled series, which are described by features/ and, among these, by the user's own `spec`.

    check: what was found of the scores of an earlier one.
    """
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
    scaler, nobody = gathered.yardstick.scaler, FeatureProfile.empty(Bins.of(np.zeros((0, 0))))
    typical = files.typical.only(tuple(rules.columns_read(files.facts.rules)))
    model = ModelBundle(facts, learned.estimator, detector, scaler, nobody, typical, text)
    listen(Progress("train: profiling all series", 0, 0, ""))
    profiled, hashes = _with_profile(model, source, check)
    return Training(profiled, gathered, learned, hashes)


def write_model(
    writer: StageWriter, meter: Meter, training: Training, settings: Settings, inputs: dict[str, str]
) -> Manifest[ModelFacts]:
    """model/: the bundle, and what was predicted for each example out of fold."""
    model, gathered = training.model, training.gathered
    bundle.write(writer, model)
    out_of_fold = parts.out_of_fold(gathered.ids, gathered.examples, training.learned.probability)
    writer.write_table(parts.OUT_OF_FOLD, out_of_fold)
    writer.write_table(parts.TRAINED, parts.trained(training.hashes))
    return write_manifest(
        writer, meter, MODEL, settings=settings_digest(settings), inputs=inputs, seed=settings.cluster.seed,
        rows=len(gathered.ids), parts=1, facts=with_id(model.facts, writer.outputs),
        made_with=settings.differences("train", "labels", "report"),
    )  # fmt: skip


def _on_candidate(listen: Listener, seed: int) -> Callable[[str], None]:
    names = list(classifier.candidates(seed))
    return lambda name: listen(Progress(f"train: {name}", names.index(name), len(names), "classifiers"))


def _with_profile(model: ModelBundle, source: LabelledSeries, check: Check | None) -> tuple[ModelBundle, UInt64s]:
    """With the profile of all series, those too that nobody has labelled, the share of them that it refuses, and what
    a check says of what it calls a malfunction; and the hashes of their ids."""
    bins = Bins.of(np.concatenate(list(map_parts(partial(_sampled, source), source.parts))))
    profile, hashes, moves = FeatureProfile.empty(bins), [], Moves()
    for of_part, of_ids, moved in map_parts(partial(_profile, source, model, bins, check), source.parts):
        profile, moves = (profile + of_part).bounded(), moves + moved
        hashes.append(of_ids)
    refused = max(model.facts.refused, round(profile.shares_of(ALL)[0], 9))
    facts = model.facts.model_copy(update={"refused": refused, "quality": _quality(source, check, moves)})
    return replace(model, profile=profile, facts=facts), np.concatenate(hashes)


def _sampled(source: LabelledSeries, path: Path) -> Floats:
    """(n, d) deviations of series of a part, drawn by their ids."""
    part = source.reader(path)
    drawn: Floats = part.z[parts.hash_trained(part.kept_ids) <= limit(SAMPLE, source.kept)]
    return drawn


def _profile(
    source: LabelledSeries, model: ModelBundle, bins: Bins, check: Check | None, path: Path
) -> tuple[FeatureProfile, UInt64s, Moves]:
    part = source.reader(path)
    kind, sure, novelties = model.predict(part.z)
    refused = model.refuses(sure, novelties)
    profile = FeatureProfile.from_deviations(bins, part.z, part.machine, refused, part.rejected)
    moves = Moves() if check is None else _moves(source, model, check, part.kept_ids, np.where(refused, -1, kind))
    return profile, parts.hash_trained(part.ids), moves


def _moves(source: LabelledSeries, model: ModelBundle, check: Check, ids: pa.Array, kind: Int64s) -> Moves:
    """What is called a malfunction now and was not at the check, and the reverse; kind (n,): -1 where refused."""
    faulty = [at for at, name in enumerate(model.kinds) if model.facts.verdicts[name] == "malfunction"]
    labelled = source.used.filter(pl.col("verdict") == "malfunction")[ID]
    called = np.isin(kind, faulty) | is_in(ids, labelled.to_arrow())
    return quality.moves(check, hash_ids(ids, quality.CHECK_SEED), called)


def _quality(source: LabelledSeries, check: Check | None, moves: Moves) -> Quality:
    """Before any check nothing is known but how many series nobody has looked at."""
    if check is not None:
        return quality.estimate(check, moves)
    faulty = source.used.filter(pl.col("verdict") == "malfunction").height
    return Quality(taken=source.kept - faulty, called=faulty)


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
