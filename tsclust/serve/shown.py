"""A model as GET /models/{m} shows it."""

from __future__ import annotations

import numpy as np

from tsclust.series import ID, VALUES
from tsclust.serve import schemas
from tsclust.serve.store import Versions
from tsclust.stages.features.kernels import FEWEST
from tsclust.stages.model.bundle import ModelBundle


def brief(name: str, versions: Versions, loaded: bool) -> schemas.Model:
    """What the list of models has of each."""
    there = [
        schemas.Version(id=one.id, added_at=one.added_at, current=one.id == versions.current)
        for one in versions.versions
    ]
    return schemas.Model(name=name, current=versions.current, loaded=loaded, versions=there)


def whole(of: schemas.Model, model: ModelBundle, carried: tuple[str, ...]) -> schemas.ModelShown:
    """carried: the columns that it needs of series."""
    facts = model.facts
    kinds = [
        schemas.Kind(kind=kind, verdict=facts.verdicts[kind], labelled=facts.counts.get(kind, 0))
        for kind in model.kinds
    ]
    summary = facts.summary()
    quality = schemas.Quality(wrong=summary["wrong"], recall=summary["recall"], precision=summary["precision"])
    return schemas.ModelShown(
        **of.model_dump(), kinds=kinds, threshold=facts.threshold, classifier=facts.classifier,
        input=_input(model, carried), quality=quality,
    )  # fmt: skip


def _input(model: ModelBundle, carried: tuple[str, ...]) -> schemas.Input:
    contract, yardstick = model.facts.feature_contract, model.yardstick
    trained = contract.carried or {}
    own = [
        schemas.Column(name=ID, type="integer or text", needed="names the series"),
        schemas.Column(name=VALUES, type="list of numbers", needed="the recording, in the unit that it was trained in"),
    ]
    of_series = [
        schemas.Column(
            name=name, type=trained.get(name, "any"),
            needed="compares with the same" if name in yardstick.carried else "a rule reads it",
        ) for name in carried
    ]  # fmt: skip
    return schemas.Input(columns=own + of_series, fewest=FEWEST, peak=contract.peak, run=_run(model))


def _run(model: ModelBundle) -> tuple[float, float] | None:
    if "run_length" not in model.facts.features:
        return None
    at = model.facts.features.index("run_length")
    centers, spreads = model.scaler.centers[:, at], model.scaler.spreads[:, at]
    return float(np.median(centers)), float(np.median(spreads))
