"""model/ as a bundle that is whole by itself: a copy of the folder is all that a Scorer needs.

manifest.json        ModelFacts: kinds, threshold, temperature, and the contract: features, direction, rules, baselines
model.skops          the classifier, its novelty references, the scaler, the profile that drift is measured against, and
                     what rules take for typical of each kind of series
features.py          the text of the user's own features, where there are any
out_of_fold.parquet  for the model page and for whoever checks the figures; scoring does not need it
trained.parquet      hashes of the ids it was trained on: `tsclust score` compares the others with them
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from tsclust.arrays import Bools, Floats, Grid, Int64s
from tsclust.errors import DamagedError, StageMissingError
from tsclust.stages.clusters.scaling import GRID as PER_ONE
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.features import catalogue
from tsclust.stages.features.regimes import Regimes
from tsclust.stages.features.typical import Kinds, Typical
from tsclust.stages.model import abstention, classifier, decision, skops_file
from tsclust.stages.model.deviations import Yardstick
from tsclust.stages.model.facts import ID_LENGTH, MODEL, ModelFacts
from tsclust.stages.model.novelty import NoveltyDetector
from tsclust.stages.model.profile import ALL, Bins, FeatureProfile
from tsclust.stages.model.skops_file import AGAIN
from tsclust.workspace.integrity import MANIFEST, is_intact, is_something_else
from tsclust.workspace.manifest import Manifest, ManifestHead
from tsclust.workspace.parquet import StageWriter

OLD_PROFILE = {"machines", "counts", "refused", "rejected"}  # what earlier versions have counted
FILE, FEATURES_FILE = "model.skops", "features.py"
# In the file's order.
SCALER = ("method", "keys", "centers", "spreads", "weights", "too_few", "band", "regimes", "offsets", "cells")


@dataclass(frozen=True)
class ModelBundle:
    """A classifier with all that series have to go through before it.

    estimator     a fitted pipeline of `classifier.candidates`
    typical       what the rules take for typical of each kind of series
    profile       how the features of each machine were distributed in training; of no machine in a bundle of an earlier
                  version, which knew other bins
    feature_text  the user's own features as they were written: code of whoever trained, never run by reading it
    """

    facts: ModelFacts
    estimator: Any
    novelty: NoveltyDetector
    scaler: Scaler
    profile: FeatureProfile
    typical: Typical
    feature_text: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.facts.kinds

    @property
    def yardstick(self) -> Yardstick:
        """What series are held against before they are classified."""
        baseline = self.facts.feature_contract.compared_by.baseline
        return Yardstick(self.facts.features, baseline, self.facts.machine, self.scaler)

    def predict(self, z: Floats) -> tuple[Int64s, Floats, Floats]:
        """(kind, probability, novelty), (n,) each, of deviations z (n, d); all that are within normal are asked once.

        A row gets the same bits alone, among others, and for any number of threads.
        """
        rows: Grid = self.scaler.of_deviations(z)
        plain = ~rows.any(axis=1)
        at = np.append(np.flatnonzero(~plain), np.flatnonzero(plain)[:1])
        x = rows[at] / PER_ONE
        probability = classifier.calibrated(self._probability(x), self.facts.temperature)
        kind, sure, novelty = (*abstention.confidence(probability), self.novelty.novelty(x))
        where = np.full(len(rows), len(at) - 1)
        where[~plain] = np.arange(np.count_nonzero(~plain))
        return kind[where], sure[where], novelty[where]

    def refuses(self, probability: Floats, novelty: Floats, threshold: float | None = None) -> Bools:
        """(n,) which series get no answer, at this threshold (default: that of training)."""
        least = self.facts.threshold if threshold is None else threshold
        refused: Bools = (probability < least) | (novelty > 1)
        return refused

    def _probability(self, x: Floats) -> Floats:
        """(n, kinds) before calibration; 0 for kinds that the classifier has not seen."""
        probability = np.zeros((len(x), len(self.kinds)))
        probability[:, self.estimator.classes_] = self._decision(x)
        return probability

    @cached_property
    def _decision(self) -> decision.Decision:
        return decision.of_pipeline(self.estimator)

    def __getstate__(self) -> dict[str, Any]:
        """Without what was derived: pickled before or after it was asked, a model is the same."""
        return {name: value for name, value in vars(self).items() if name != "_decision"}


def write(writer: StageWriter, model: ModelBundle) -> None:
    """The files of a model but its manifest."""
    scaler, profile = model.scaler, model.profile
    regimes = None if scaler.regimes is None else asdict(scaler.regimes)
    content = {
        "estimator": model.estimator,
        "known": asdict(model.novelty),
        "scaler": {name: getattr(scaler, name) for name in SCALER} | {"keys": scaler.keys.tolist(), "regimes": regimes},
        "lying": asdict(profile) | {"machines": profile.machines.tolist()},
        "typical": _plain(model.typical),
    }
    writer.write_bytes(FILE, skops_file.dumps(content))
    if model.feature_text:
        writer.write_bytes(FEATURES_FILE, model.feature_text.encode())


def read(folder: Path, largest: int = skops_file.LARGEST) -> ModelBundle:
    """The bundle in a folder, which takes at most so many bytes in memory.

    Raises StageMissingError where there is none, or one of a newer or much older tsclust or another scikit-learn;
    DamagedError where a file is not what `train` wrote.
    """
    manifest = _manifest(folder)
    held = skops_file.loads(_content(folder, FILE, manifest), len(manifest.facts.features), largest)
    # Without `typical`: what version 0.1 wrote until rules knew kinds of series.
    if "typical" not in held or catalogue.measured_otherwise(manifest.facts.feature_contract.catalogue):
        raise StageMissingError(
            f"the model in {folder} was made by an earlier tsclust, for features and rules that have changed since",
            "Train it again in its workspace, the labels are kept: tsclust features, then tsclust train",
        )
    text = _text(folder, manifest) if FEATURES_FILE in manifest.outputs else ""
    return skops_file.refusing_damage(partial(_checked, _named(manifest), held, text))


def _named(manifest: Manifest[ModelFacts]) -> ModelFacts:
    """The facts with the model's id: models of earlier versions have none."""
    facts = manifest.facts
    return facts if facts.id else facts.model_copy(update={"id": manifest.output_hash[:ID_LENGTH]})


def _manifest(folder: Path) -> Manifest[ModelFacts]:
    content = _manifest_text(folder)
    if not is_intact(content):
        raise DamagedError(f"{folder / MANIFEST} cannot be read: it is not what was written", AGAIN)
    _check_head(folder, ManifestHead.of(content))
    try:
        found = MODEL.manifest.model_validate_json(content)
    except ValidationError:
        raise DamagedError(f"{folder / MANIFEST} cannot be read", AGAIN) from None
    _check_version(folder, found)
    if catalogue.clustered(found.facts.feature_contract.catalogue) != found.facts.features:
        raise DamagedError(f"{folder / MANIFEST} names other features than its catalogue compares by", AGAIN)
    return found


def _manifest_text(folder: Path) -> bytes:
    if is_something_else(folder / MANIFEST):
        raise DamagedError(f"{folder / MANIFEST} is no regular file", AGAIN)
    try:
        return (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise StageMissingError(
            f"{folder} holds no model: expected {MANIFEST} and {FILE}",
            "Train one with `tsclust train`, or name the folder model/ of a workspace",
        ) from None
    except OSError as error:
        raise DamagedError(f"{folder / MANIFEST} cannot be read ({error.strerror})", AGAIN) from None


def _check_head(folder: Path, head: ManifestHead) -> None:
    """Raises StageMissingError for another stage, or a model of a newer tsclust, whatever shape it has."""
    if head.stage not in ("", MODEL.name):
        raise StageMissingError(
            f"{folder} is not a model, but {head.stage[:40]}/: expected one that `tsclust train` made",
            "Name the folder model/ of a workspace, or a copy of it",
        )
    if MODEL.is_newer(head):
        raise StageMissingError(f"the model in {folder} was made by a newer tsclust than this one", "Update tsclust")


def _check_version(folder: Path, manifest: Manifest[ModelFacts]) -> None:
    """Another scikit-learn may understand an estimator otherwise than the one that made it."""
    then, now = manifest.versions.get("scikit-learn", ""), version("scikit-learn")
    if not then:
        raise DamagedError(f"{folder / MANIFEST} does not say which scikit-learn the model was trained with", AGAIN)
    if then.split(".")[:2] != now.split(".")[:2]:
        raise StageMissingError(
            f"the model in {folder} was trained with scikit-learn {then}, but {now} is installed",
            f"Install scikit-learn {then}, or train it again in its workspace; the labels are kept: tsclust train",
        )


def _content(folder: Path, name: str, manifest: Manifest[ModelFacts]) -> bytes:
    """A file of the bundle. Raises DamagedError where it is not the one that was written."""
    if is_something_else(folder / name):
        raise DamagedError(f"{folder / name} is no regular file", AGAIN)
    try:
        content = (folder / name).read_bytes()
    except FileNotFoundError:
        raise DamagedError(f"{folder / name} is missing", AGAIN) from None
    except OSError as error:
        raise DamagedError(f"{folder / name} cannot be read ({error.strerror})", AGAIN) from None
    if hashlib.sha256(content).hexdigest() != manifest.outputs.get(name):
        raise DamagedError(f"{folder / name} has changed since it was trained", AGAIN)
    return content


def _text(folder: Path, manifest: Manifest[ModelFacts]) -> str:
    """The user's own features. Raises DamagedError as `_content` does, and for what is no text."""
    try:
        return _content(folder, FEATURES_FILE, manifest).decode()
    except UnicodeDecodeError:
        raise DamagedError(f"{folder / FEATURES_FILE} is not UTF-8", AGAIN) from None


def _checked(facts: ModelFacts, held: dict[str, Any], text: str) -> ModelBundle:
    """From what a file holds, whose shapes nobody knows: one series goes all the way."""
    found = _built(facts, held, text)
    z = found.scaler.deviations(np.ones((1, len(facts.features))), np.array([ALL]))
    found.predict(z)
    one = FeatureProfile.from_deviations(found.profile.bins, z, np.array([ALL]), np.zeros(1, bool))
    one.counts_of(ALL) + found.profile.counts_of(ALL)
    one.unlike + found.profile.whole().unlike
    return found


def _plain(typical: Typical) -> dict[str, Any]:
    normal = typical.normal
    return {
        "names": list(typical.names), "keys": normal.keys.tolist(), "centers": normal.centers,
        "spreads": normal.spreads, "kinds": typical.kinds.model_dump_json(),
    }  # fmt: skip


def _typical(held: dict[str, Any]) -> Typical:
    return Typical.restore(**held | {"kinds": Kinds.model_validate_json(held["kinds"])})


def _profile(held: dict[str, Any], d: int) -> FeatureProfile:
    """That of no machine where an earlier version has counted in other bins."""
    if set(held) == OLD_PROFILE and held["counts"].ndim == 3:
        return FeatureProfile.empty(Bins.of(np.zeros((0, d))))
    return FeatureProfile(**held | {"bins": Bins(**held["bins"]), "machines": np.array(held["machines"], str)})


def _built(facts: ModelFacts, held: dict[str, Any], text: str) -> ModelBundle:
    scaler = held["scaler"] | {"keys": np.array(held["scaler"]["keys"])}
    regimes = Regimes(**scaler["regimes"]) if scaler["regimes"] else None
    novelty = NoveltyDetector(**held["known"])
    if novelty.reference.shape != (len(novelty.reference), len(facts.features)):  # kernels would read beside them
        raise ValueError(
            f"labelled series of shape {novelty.reference.shape} in place of {len(facts.features)} columns"
        )
    return ModelBundle(
        facts, held["estimator"], novelty, Scaler(**scaler | {"regimes": regimes}),
        _profile(held["lying"], len(facts.features)), _typical(held["typical"]), text,
    )  # fmt: skip
