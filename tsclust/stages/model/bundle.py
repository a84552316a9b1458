"""model/ as files: the classifier, what it knows, what was normal, and how its series lay."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any

import numpy as np

from tsclust.arrays import Bools, Floats, Grid, Int64s
from tsclust.errors import DamagedError, StageMissingError
from tsclust.stages.clusters.scaling import GRID as PER_ONE
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.features.regimes import Regimes
from tsclust.stages.model import abstention, classifier, decision, skops_file
from tsclust.stages.model.facts import MODEL
from tsclust.stages.model.novelty import NoveltyDetector
from tsclust.stages.model.profile import ALL, FeatureProfile
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest
from tsclust.workspace.parquet import StageWriter

FILE = "model.skops"


@dataclass(frozen=True)
class ModelBundle:
    """A classifier that can be asked. facts: of its manifest; see training."""

    facts: Mapping[str, Any]
    estimator: Any
    temperature: float
    known: NoveltyDetector
    scaler: Scaler
    lying: FeatureProfile

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self.facts["kinds"])

    def predict(self, rows: Grid) -> tuple[Int64s, Floats, Floats]:
        """(kind, probability, novelty), (n,) each, of scaled features (n, d); equal rows are asked about once."""
        plain = ~rows.any(axis=1)
        at = np.append(np.flatnonzero(~plain), np.flatnonzero(plain)[:1])
        x = rows[at] / PER_ONE
        probability = classifier.calibrated(self._probability(x), self.temperature)
        found = (*abstention.confidence(probability), self.known.novelty(x))
        where = np.full(len(rows), len(at) - 1)
        where[~plain] = np.arange(np.count_nonzero(~plain))
        kind, sure, novelty = (one[where] for one in found)
        return kind, sure, novelty

    def _probability(self, x: Floats) -> Floats:
        """(n, kinds) before calibration; 0 for kinds it has not seen."""
        probability = np.zeros((len(x), len(self.kinds)))
        probability[:, self.estimator.classes_] = self._decision(x)
        return probability

    @cached_property
    def _decision(self) -> decision.Decision:
        return decision.of_pipeline(self.estimator)

    def refuses(self, sure: Floats, novelty: Floats) -> Bools:
        """(n,) which series get no answer, at the threshold of training."""
        found: Bools = (sure < self.facts["threshold"]) | (novelty > 1)
        return found


def write(writer: StageWriter, model: ModelBundle) -> None:
    """Everything of a model that is not a plain number or text."""
    scaler, lying = model.scaler, model.lying
    regimes = None if scaler.regimes is None else asdict(scaler.regimes)
    plain = asdict(scaler) | {"keys": scaler.keys.tolist(), "regimes": regimes}
    content = {
        "estimator": model.estimator,
        "known": asdict(model.known),
        "scaler": plain,
        "lying": asdict(lying) | {"machines": lying.machines.tolist()},
    }
    writer.write_bytes(FILE, skops_file.dumps(content))


def read(workspace: Workspace) -> ModelBundle:
    """Raises StageMissingError before training or for another scikit-learn's model, DamagedError for a changed one."""
    manifest = workspace.manifest(MODEL)
    _check_version(workspace, manifest)
    content = (workspace.stage(MODEL) / FILE).read_bytes()
    if hashlib.sha256(content).hexdigest() != manifest.outputs.get(FILE):
        again = f"Make it again: {command('train', workspace.root)}"
        raise DamagedError(f"{workspace.stage(MODEL) / FILE} has changed since it was trained", again)
    held = skops_file.loads(content, len(manifest.facts["features"]))
    return skops_file.tried(partial(_tried, manifest.facts, held))


def _tried(facts: Mapping[str, Any], held: dict[str, Any]) -> ModelBundle:
    """From what a file holds, whose shapes nobody knows: one series goes all the way."""
    found = _built(facts, held)
    z = found.scaler.deviations(np.ones((1, len(facts["features"]))), np.array([ALL]))
    found.predict(found.scaler.of_deviations(z))
    FeatureProfile.of(z, np.array([ALL]), np.zeros(1, bool)).counts_of(ALL) + found.lying.counts_of(ALL)
    return found


def _built(facts: Mapping[str, Any], found: dict[str, Any]) -> ModelBundle:
    scaler = found["scaler"] | {"keys": np.array(found["scaler"]["keys"])}
    regimes = Regimes(**scaler["regimes"]) if scaler["regimes"] else None
    lying = found["lying"] | {"machines": np.array(found["lying"]["machines"], str)}
    return ModelBundle(
        facts, found["estimator"], facts["temperature"], NoveltyDetector(**found["known"]),
        Scaler(**scaler | {"regimes": regimes}), FeatureProfile(**lying),
    )  # fmt: skip


def _check_version(workspace: Workspace, manifest: Manifest) -> None:
    """Another scikit-learn may understand an estimator otherwise than the one that made it."""
    then, now = manifest.versions["scikit-learn"], version("scikit-learn")
    if then.split(".")[:2] != now.split(".")[:2]:
        raise StageMissingError(
            f"the model of {workspace.root} was trained with scikit-learn {then}, here is {now}",
            f"Train it again; the labels are kept: {command('train', workspace.root)}",
        )
