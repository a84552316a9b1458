"""Features and measures of shape side by side, for one sweep of some of the series: those without a name.

Two sweeps in one list find more (see `views`), but that list is the one of all series. What is normal, in features as
in shapes, is what is so among all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tsclust.arrays import Floats, Grid, Keys
from tsclust.stages.clusters.parts import OF_SHAPES
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.clusters.scope import Scope, ScopedRows
from tsclust.stages.clusters.shapes.scaling import ShapeScaler
from tsclust.stages.clusters.shapes.view import ShapeScope, ShapeView
from tsclust.stages.features.reference import Reference


@dataclass(frozen=True, kw_only=True)
class JointScope(Scope):
    """A scope whose series have the d `features` and the measures that `whole`, of all series, has of them."""

    features: tuple[str, ...]
    whole: ShapeScope

    def read(self, path: Path, columns: Sequence[str], baseline: Sequence[str]) -> ScopedRows:
        """The rows of the part: x (n, d and measures), see `JointScaler.transform`; of a part the columns are all."""
        rows = super().read(path, self.features, baseline)
        inside = np.isin(self.whole.places(path), self.places(path))
        measures = self.whole.read(path, (), ()).x[inside]
        return ScopedRows(rows.ids, np.hstack([rows.x, measures]), rows.keys)


@dataclass(frozen=True, kw_only=True)
class JointScaler(Reference):
    """What counts of features, and beside them of shapes. As a Reference it has the whole alone."""

    features: Scaler
    shapes: ShapeScaler

    @classmethod
    def of(cls, features: Scaler, shapes: ShapeScaler) -> JointScaler:
        return cls(
            keys=features.keys[:1], centers=_whole(features.centers, shapes.centers),
            spreads=_whole(features.spreads, shapes.spreads), too_few=features.too_few, features=features,
            shapes=shapes,
        )  # fmt: skip

    def transform(self, x: Floats, keys: Keys) -> Grid:
        """(n, d and measures) and (n,) keys of baselines -> the same shape, int16: what exceeds normal, times GRID."""
        d = self.features.centers.shape[1]
        return np.hstack([self.features.transform(x[:, :d], keys), self.shapes.transform(x[:, d:], keys)])


def names(features: Sequence[str], view: ShapeView) -> tuple[str, ...]:
    """Of what is read of a series."""
    return (*features, *(f"{OF_SHAPES}{name}" for name in view.names))


def _whole(features: Floats, shapes: Floats) -> Floats:
    return np.hstack([features[:1], shapes[:1]])
