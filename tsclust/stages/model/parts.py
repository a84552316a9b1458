"""The files of model/ that hold rows, and parts of features/ as the model sees them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.arrays import Bools, Floats, UInt64s
from tsclust.hashing import among, hash_ids
from tsclust.series import ID
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.model import abstention
from tsclust.stages.model.classifier import Examples
from tsclust.stages.model.deviations import Deviations, Yardstick
from tsclust.stages.series import parts as series_parts
from tsclust.workspace.integrity import whole

OUT_OF_FOLD = "out_of_fold.parquet"
TRAINED = "trained.parquet"  # hash: of the id of each series that the profile is of, ascending
TRAINED_SEED = 0


@dataclass(frozen=True)
class DeviationReader:
    """Reads parts of features/ as deviations. series: the folder of the parts with the carried columns."""

    series: Path
    yardstick: Yardstick

    def __call__(self, path: Path) -> Deviations:
        """The part of features/ at `path`."""
        rows = feature_parts.read(path, self.yardstick.features)
        carried = series_parts.read_carried(self.series / path.name, self.yardstick.carried)
        return self.yardstick.measure(rows, carried)


def trained(hashes: UInt64s) -> pa.Table:
    """TRAINED, of the hashes (n,) of ids."""
    return pa.table({"hash": np.sort(hashes)})


def hash_trained(ids: pa.Array) -> UInt64s:
    """(n,) what stands for these ids in TRAINED."""
    return hash_ids(ids, TRAINED_SEED)


def read_trained(folder: Path) -> UInt64s | None:
    """(n,) the hashes of the series that the model in this folder was trained on, ascending; None where an earlier
    version has made it. Raises DamagedError."""
    path = whole(folder / TRAINED)
    if not path.exists():
        return None
    hashes: UInt64s = pq.read_table(path)["hash"].to_numpy()
    return hashes


def was_trained(ids: pa.Array, hashes: UInt64s | None) -> Bools:
    """(n,) which of the series the model was trained on, by TRAINED; none where that is not known."""
    known = np.zeros(0, np.uint64) if hashes is None else hashes
    return among(hash_trained(ids), known)


def out_of_fold(ids: pl.Series, examples: Examples, probability: Floats) -> pa.Table:
    """OUT_OF_FOLD, a row for each example: the prediction of a classifier that had not seen its machine.

    ids (n,), probability (n, kinds) of the examples.
    """
    kind, sure = abstention.confidence(probability)
    kinds = np.array(examples.kinds)
    frame = pl.DataFrame(
        {ID: ids, "kind": kinds[examples.kind], "said": kinds[kind], "probability": sure,
         "weight": examples.weight, "machine": examples.machine}
    )  # fmt: skip
    return frame.sort(ID).to_arrow()
