"""What a report was made from: the models of the sweep, and the stages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """What the diagnosis says of one k."""

    k: int
    inertia: float
    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float
    smallest: int


@dataclass(frozen=True)
class Stage:
    """What a stage was made from and what it cost; settings, inputs and output are hashes."""

    name: str
    made_at: str
    rows: int
    parts: int
    seconds: float
    peak_mb: float
    seed: int
    settings: str
    output: str
    inputs: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
