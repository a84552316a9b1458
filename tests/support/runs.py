"""Recordings of a mechanism with plateaus, made one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsclust.arrays import Floats

Rng = np.random.Generator


def run(rng: Rng, levels: Sequence[float] = (3.0, 1.0, 2.0), samples: Sequence[float] = (6, 20, 12)) -> Floats:
    """A recording: rest, plateaus of these levels, rest, its times a sample off, its size by a tenth, noise."""
    long = [max(round(n + rng.normal(0, 0.4)), 2) for n in samples]
    plateaus = [np.full(n, level) for n, level in zip(long, levels, strict=True)]
    whole = np.concatenate([np.zeros(rng.integers(4, 10)), *plateaus, np.zeros(rng.integers(4, 10))])
    return rng.lognormal(0, 0.1) * whole + rng.normal(0, 0.02, len(whole))
