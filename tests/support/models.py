"""What the manifest of a trained model holds, without training one."""

from __future__ import annotations

from typing import Any

from tsclust.stages.model.facts import MODEL, ModelFacts
from tsclust.stages.reports import model_page
from tsclust.stages.reports.model_page import ModelData
from tsclust.workspace.manifest import Manifest

COVERAGE = {
    "threshold": [0.0, 0.6, 0.9, 0.99],
    "answered": [1.0, 0.997, 0.9, 0.5],
    "left": [1.0, 0.5, 0.125, 0.0],
    "wrong": [0.04, 0.02, 0.006, 0.0],
}


SAME = {
    "catalogue": [], "peak": "max", "rules": [{"name": "flat", "when": "p95 = p05", "reason": "-"}], "typical": {},
    "made": "",
    "compared_by": {"scaling": "exceedance", "baseline": [], "regimes": True},
}  # fmt: skip


def learned(**changes: Any) -> ModelData:
    """What the page of that model says."""
    return model_page.of(manifest(**changes))


def manifest(**changes: Any) -> Manifest[ModelFacts]:
    """A classifier of two kinds that takes 3 of 100 normal series for an obstacle, and 1 of 10 obstacles for normal."""
    facts: Any = {
        "classifier": "trees", "losses": {"trees": 0.1}, "machine": "m", "machines": 3, "assumed": 0, "too_few": {},
        "kinds": ["normal", "obstacle"], "counts": {"normal": 1_100, "obstacle": 10}, "threshold": 0.9,
        "confusion": [[1067.0, 33.0], [1.0, 9.0]], "coverage": COVERAGE, "same": SAME, "features": ["p50"], "folds": 3,
        "verdicts": {"normal": "normal", "obstacle": "malfunction"}, "rejected": 0.0, "refused": 0.0, "limit": 1.0,
        "temperature": 1.0, "reject_errors": "80%", "answer": "90%",
    }  # fmt: skip
    about: Any = {
        "stage": "model", "settings": "", "inputs": {}, "outputs": {}, "versions": {}, "seed": 1, "rows": 20,
        "parts": 1, "seconds": 1.0, "peak_mb": 1.0, "made_at": "2026-03-04T05:06:07Z", "facts": facts | changes,
    }  # fmt: skip
    found: Manifest[ModelFacts] = MODEL.manifest.model_validate(about)
    return found
