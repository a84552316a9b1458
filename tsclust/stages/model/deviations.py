"""Features -> deviations from what is normal, with the machine each series belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Bools, Floats, Int64s, Keys
from tsclust.series import keys
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.features.parts import FeatureRows


@dataclass(frozen=True)
class Deviations:
    """Series held against what is normal for them, of which the rules keep n.

    ids          (all,) series_id;  rejected_by (all,): the rule that rejects a series, null where it is kept
    keep         (all,) whether it is kept
    z            (n, d) spreads from the center of its baseline
    machine      (n,) of the kept ones;  rejected: (all - n,) machine of the others; "" where no column names one
    """

    ids: pa.Array
    rejected_by: pa.Array
    keep: Bools
    z: Floats
    machine: Keys
    rejected: Keys

    @property
    def kept_ids(self) -> pa.Array:
        """(n,) series_id of the kept ones."""
        return self.ids.filter(pa.array(self.keep))


@dataclass(frozen=True)
class Yardstick:
    """What series are held against: d features, the carried columns that name their baseline and their machine."""

    features: tuple[str, ...]
    baseline: tuple[str, ...]
    machine: str
    scaler: Scaler

    @property
    def carried(self) -> tuple[str, ...]:
        """The carried columns that it needs."""
        return tuple(dict.fromkeys((*self.baseline, *filter(None, [self.machine]))))

    def keys(self, carried: pl.DataFrame, rows: int) -> Keys:
        """(rows,) the baseline of each series with these carried columns."""
        return _keys(carried, self.baseline, rows)

    def measure(self, rows: FeatureRows, carried: pl.DataFrame, only: Int64s | None = None) -> Deviations:
        """The deviations of series with these features and these carried columns, row by row the same ones; `only`: of
        these rows, ascending."""
        if only is not None:
            rows = rows.where(np.isin(np.arange(len(rows)), only))
            carried = carried[only] if carried.width else carried
        keep, machine = rows.kept, tuple(filter(None, [self.machine]))
        baseline = self.keys(carried, len(rows))
        machines = baseline if self.baseline == machine else _keys(carried, machine, len(rows))
        z = self.scaler.deviations(rows.x[keep], baseline[keep])
        return Deviations(rows.ids, rows.rejected_by, keep, z, machines[keep], machines[~keep])


def _keys(carried: pl.DataFrame, columns: Sequence[str], rows: int) -> Keys:
    """(rows,) these columns as one text; "" for no columns."""
    return keys(carried.select(columns)) if columns else np.full(rows, "")
