"""The files of features/: part-*.parquet with series_id, a column for each feature, rejected_by (null: kept).

typical.arrow, which no pattern of Parquet files finds, has typical_<feature> and spread_<feature>, a row for each
baseline or regime, the first for all series.

Row i of a part describes row i of the part of series/ of the same name. Whoever reads or makes one asks here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tsclust.arrays import Bools, Floats
from tsclust.series import ID
from tsclust.stages.features.typical import Kinds, Typical
from tsclust.workspace.atomic import beside_of
from tsclust.workspace.integrity import whole

REJECTED_BY = "rejected_by"
TYPICAL_FILE, BASELINE = "typical.arrow", "baseline"
_PLAIN: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_statistics": False}


@dataclass(frozen=True)
class FeatureRows:
    """Rows of a part of features/.

    ids          (n,) series_id
    x            (n, d) the features that were asked for, NaN where one is not known
    rejected_by  (n,) text: the rule that rejects a series, null where it is kept
    """

    ids: pa.Array
    x: Floats
    rejected_by: pa.Array

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def kept(self) -> Bools:
        """(n,) whether no rule rejects the series."""
        kept: Bools = pc.is_null(self.rejected_by).to_numpy(zero_copy_only=False)
        return kept

    def where(self, keep: Bools) -> FeatureRows:
        """The rows that are to `keep` (n,)."""
        mask = pa.array(keep)
        return FeatureRows(self.ids.filter(mask), self.x[keep], self.rejected_by.filter(mask))


def scan(paths: Sequence[Path]) -> pl.LazyFrame:
    """All these parts as one frame: series_id, a column for each feature, rejected_by."""
    return pl.scan_parquet(list(map(whole, paths)), glob=False)  # a folder may be called [a]


def scan_kept(paths: Sequence[Path]) -> pl.LazyFrame:
    """The same of the series that no rule rejects, without rejected_by."""
    return scan(paths).filter(pl.col(REJECTED_BY).is_null()).drop(REJECTED_BY)


def read(path: Path, features: Sequence[str] = ()) -> FeatureRows:
    """The rows of a part with these features, in this order."""
    table = pq.read_table(whole(path), columns=[ID, *features, REJECTED_BY])
    x = np.column_stack([np.empty((len(table), 0)), *(table[name].to_numpy() for name in features)])
    return FeatureRows(table[ID].combine_chunks(), x, table[REJECTED_BY].combine_chunks())


def read_frame(path: Path, features: Sequence[str]) -> tuple[pa.Array, pl.DataFrame]:
    """(ids (n,), these features (n, d): null where one is not known) of a part: what rules are applied to."""
    table = pq.read_table(whole(path), columns=[ID, *features])
    return table[ID].combine_chunks(), pl.DataFrame(table.select(list(features)))


def table_of(ids: pa.Array, features: pl.DataFrame, rejected_by: pl.Series) -> pa.Table:
    """A part, to be written: (n,) ids, (n, d) features, (n,) the rule that rejects each."""
    table = features.to_arrow().add_column(0, ID, ids)
    return table.append_column(REJECTED_BY, rejected_by.to_arrow().cast(pa.string()))


def write_for_now(path: Path, features: Sequence[str], rows: FeatureRows) -> None:
    """A part that no stage keeps, for `read` in the same run: neither compressed nor forced to the disk."""
    columns = dict(zip(features, rows.x.T, strict=True))
    beside = beside_of(path)
    pq.write_table(pa.table({ID: rows.ids, **columns, REJECTED_BY: rows.rejected_by}), beside, **_PLAIN)
    beside.replace(path)


def typical_bytes(typical: Typical) -> bytes:
    """typical.arrow, but for the regimes: they are facts of the stage."""
    normal = typical.normal
    both = {f"typical_{name}": normal.centers[:, at] for at, name in enumerate(typical.names)}
    both |= {f"spread_{name}": normal.spreads[:, at] for at, name in enumerate(typical.names)}
    table, out = pa.table({BASELINE: pa.array(normal.keys.tolist(), pa.string()), **both}), pa.BufferOutputStream()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    content: bytes = out.getvalue().to_pybytes()
    return content


def read_typical(path: Path, kinds: Kinds) -> Typical:
    """What is typical, from its file and the facts of the stage."""
    with pa.ipc.open_file(whole(path).read_bytes()) as file:
        table = file.read_all()
    names = [name.removeprefix("typical_") for name in table.column_names if name.startswith("typical_")]
    centers, spreads = (
        np.column_stack([table[f"{kind}_{name}"].to_numpy() for name in names]) for kind in ("typical", "spread")
    )
    return Typical.restore(names, table[BASELINE].to_pylist(), centers, spreads, kinds)
