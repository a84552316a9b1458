"""A model as a page scores by it: plain values, and arrays one after the other in bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Floats, Int64s
from tsclust.errors import SettingsError
from tsclust.series import BETWEEN
from tsclust.stages.clusters.scaling import GRID, LIMIT
from tsclust.stages.features.catalogue import NAMES, START
from tsclust.stages.features.reference import Reference
from tsclust.stages.features.regimes import CLIP
from tsclust.stages.model import decision
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.decision import Forest, Linear
from tsclust.stages.model.describer import BundleDescriber
from tsclust.stages.model.flat_forest import FlatForest, to_grid
from tsclust.stages.model.novelty import References
from tsclust.stages.reports.scoring import rules


@dataclass
class Arrays:
    """Arrays in one sequence of bytes, each of which begins at a multiple of 8; places: name -> [type, at, length]."""

    places: dict[str, list[Any]] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)

    def add(self, name: str, array: npt.ArrayLike, kind: str) -> None:
        """An array, flat and row by row, of the type that JavaScript calls so: Float64, Int16, ..."""
        flat = np.ascontiguousarray(np.asarray(array), np.dtype(kind.lower())).ravel().astype(f"<{_CODES[kind]}")
        self.content += bytes(-len(self.content) % 8)
        self.places[name] = [kind, len(self.content), len(flat)]
        self.content += flat.tobytes()


_CODES = {"Float64": "f8", "Float32": "f4", "Int32": "i4", "Int16": "i2", "Uint16": "u2", "Int8": "i1"}


def plain(model: ModelBundle, arrays: Arrays) -> dict[str, Any]:
    """What is no array. Raises SettingsError for a model of features or rules that a page cannot compute."""
    facts, contract = model.facts, model.facts.feature_contract
    if model.feature_text or len(contract.catalogue) > len(NAMES):
        own = ", ".join(feature.name for feature in contract.catalogue[len(NAMES) :])[:200]
        raise SettingsError(
            f"export --page: the model has features of your own ({own}), which are Python: a page cannot compute them",
            rules.INSTEAD,
        )
    describer = BundleDescriber.of_model(model, allow_features=False)
    arrays.add("weights", model.scaler.weights, "Float64")
    return {
        "id": facts.id, "kinds": list(facts.kinds), "verdicts": dict(facts.verdicts),
        "threshold": facts.threshold, "warmth": 1.0 / facts.temperature, "sign": contract.sign,
        "names": list(NAMES), "start": NAMES.index(START), "compared": list(describer.clustered),
        "features": [[one.name, one.unit] for one in contract.catalogue if one.clustered],
        "method": model.scaler.method, "band": model.scaler.band, "grid": GRID, "limit": LIMIT,
        "normal": _reference(model.scaler, contract.compared_by.baseline, "normal", arrays),
        "rules": rules.plain(contract.rules), "typical": _typical(describer, arrays),
        "types": contract.carried or {}, "classifier": _classifier(model, arrays), "novelty": _novelty(model, arrays),
        "between": BETWEEN, "clip": CLIP,
    }  # fmt: skip


def _typical(describer: BundleDescriber, arrays: Arrays) -> dict[str, Any]:
    """What the rules ask for: of each column which of the features it is of."""
    typical = describer.screen.typical
    places = {f"{kind}_{name}": [kind, at] for at, name in enumerate(typical.names) for kind in ("typical", "spread")}
    return {
        **_reference(typical.normal, typical.baseline, "typical", arrays),
        "compared": [NAMES.index(name) for name in typical.compared], "places": places,
        "width": len(typical.names),
    }  # fmt: skip


def _reference(normal: Reference, columns: tuple[str, ...], name: str, arrays: Arrays) -> dict[str, Any]:
    """A middle and a spread for each baseline, (g, d); by what a series finds its own."""
    for part in ("centers", "spreads"):
        arrays.add(f"{name}.{part}", getattr(normal, part), "Float64")
    found = normal.regimes
    if found is not None:
        for part in ("center", "spread", "weights", "places"):
            arrays.add(f"{name}.regimes.{part}", getattr(found, part), "Float64")
    beside = normal.offsets is not None and normal.cells is not None
    if beside:
        arrays.add(f"{name}.offsets", normal.offsets, "Float64")  # type: ignore[arg-type]
        arrays.add(f"{name}.cells", normal.cells, "Int32")  # type: ignore[arg-type]
    regimes = 0 if found is None else len(found.places)
    return {
        "name": name, "columns": list(columns), "keys": normal.keys.tolist() if columns else [""],
        "regimes": regimes, "beside": beside,
    }  # fmt: skip


def _classifier(model: ModelBundle, arrays: Arrays) -> dict[str, Any]:
    decide, classes = decision.of_pipeline(model.estimator), np.asarray(model.estimator.classes_, np.int64)
    if isinstance(decide, Linear):
        for name in ("mean", "scale", "weights", "intercept"):
            arrays.add(f"linear.{name}", getattr(decide, name), "Float64")
        return {"form": "linear", "classes": classes.tolist()}
    assert isinstance(decide, Forest)
    _add_forest(FlatForest.of(decide, classes, len(model.kinds)), arrays)
    return {"form": "forest", "classes": classes.tolist()}


def _add_forest(forest: FlatForest, arrays: Arrays) -> None:
    """Children by how far behind their parent they are: small numbers, which pack well. Of a leaf the row of shares."""
    at: Int64s = np.arange(len(forest.feature))
    inner = forest.feature >= 0
    arrays.add("forest.roots", forest.roots, "Int32")
    arrays.add("forest.feature", forest.feature, "Int8")
    arrays.add("forest.limit", forest.limit, "Int16")
    arrays.add("forest.left", np.where(inner, forest.left - at, forest.leaf), "Int32")
    arrays.add("forest.right", np.where(inner, forest.right - at, 0), "Int32")
    arrays.add("forest.shares", forest.shares, "Float64")


def _novelty(model: ModelBundle, arrays: Arrays) -> dict[str, Any]:
    """Distinct references alone: most normal ones are the same."""
    points: Floats = np.unique(to_grid(model.novelty.reference), axis=0)
    arrays.add("references", points, "Int16")
    return {"limit": model.novelty.limit, "innermost": References(model.novelty.reference).innermost}
