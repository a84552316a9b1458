"""What stands beside the ONNX graph of a model, in JSON: what its inputs are, and what is normal for each baseline."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tsclust.series import BETWEEN
from tsclust.stages.features.regimes import CLIP
from tsclust.stages.labels.kinds import DONT_KNOW, NONE_OF_THESE
from tsclust.stages.model.bundle import ModelBundle

FORMAT, VERSION = "tsclust-onnx", 1
ROWS = 1_000  # at most in one call: distances of all of them to all labelled series that are kept are in memory at once
INPUTS: Mapping[str, str] = MappingProxyType(
    {
        "features": "(rows, features) float64: the features of `features` in this order, in their own units; of series "
        "that no rule of `rules` rejects",
        "center": "(rows, features) float64: what is normal for each row: a row of normal.centers",
        "spread": "(rows, features) float64: how far from it is usual: the same row of normal.spreads",
    }
)
OUTPUTS: Mapping[str, str] = MappingProxyType(
    {
        "said": "(rows,) int64: the answer, a place in `said`; the threshold and novelty are applied",
        "kind": "(rows,) int64: the likeliest kind, a place in `kinds`",
        "probability": "(rows,) float64: of that kind, calibrated by the temperature, to six digits",
        "novelty": "(rows,) float64: the distance to the nearest labelled series, in limits; above 1: none of these",
        "probabilities": "(rows, kinds) float64: of each kind, calibrated",
    }
)


def of(model: ModelBundle) -> dict[str, Any]:
    """Plain values. The regimes are null where no series has to be looked up by its features: see docs/model.md."""
    facts, contract = model.facts, model.facts.feature_contract
    return {
        "format": FORMAT, "version": VERSION, "model": facts.id, "classifier": facts.classifier,
        "kinds": list(facts.kinds), "verdicts": dict(facts.verdicts),
        "said": [*facts.kinds, DONT_KNOW, NONE_OF_THESE],
        "threshold": facts.threshold, "temperature": facts.temperature, "novelty_limit": model.novelty.limit,
        "rows_at_most": ROWS, "inputs": dict(INPUTS), "outputs": dict(OUTPUTS),
        "features": [
            {"name": one.name, "unit": one.unit, "meaning": one.meaning, "formula": one.formula}
            for one in contract.catalogue if one.clustered
        ],
        "peak": contract.peak, "normal": _normal(model),
        "rules": [{"name": rule.name, "when": rule.when, "reason": rule.reason} for rule in contract.rules],
    }  # fmt: skip


def _normal(model: ModelBundle) -> dict[str, Any]:
    """keys: of each baseline the values of its columns, [] for all series; its place in them is its row."""
    scaler, contract = model.scaler, model.facts.feature_contract
    columns = contract.compared_by.baseline
    return {
        "columns": [{"name": name, "type": (contract.carried or {}).get(name, "")} for name in columns],
        "keys": [key.split(BETWEEN) if columns and at else [] for at, key in enumerate(scaler.keys.tolist())],
        "centers": scaler.centers.tolist(), "spreads": scaler.spreads.tolist(), "regimes": _regimes(model),
    }  # fmt: skip


def _regimes(model: ModelBundle) -> dict[str, Any] | None:
    scaler = model.scaler
    if scaler.regimes is None:
        return None
    found = {name: value.tolist() for name, value in vars(scaler.regimes).items()}
    beside = {name: getattr(scaler, name) for name in ("offsets", "cells")}
    return found | {"clip": CLIP} | {name: None if v is None else v.tolist() for name, v in beside.items()}
