"""The files of scores/ and scores_new/: part-*.parquet, a row for each series. Whoever reads or makes one asks here.

series_id    as in series/
said         the answer: a kind, or one of DONT_KNOW, NONE_OF_THESE, IMPOSSIBLE
kind         the likeliest kind, null for an impossible series
probability  of that kind, calibrated;  novelty: above 1 it is none of the kinds;  null for an impossible series
rejected_by  the rule that makes it impossible, null where none does
model        the id of the model, which is in models/ID/ or model/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.arrays import Bools, Floats, Int64s
from tsclust.series import ID
from tsclust.stages.features.parts import REJECTED_BY
from tsclust.stages.labels.kinds import DONT_KNOW, IMPOSSIBLE, NONE_OF_THESE
from tsclust.workspace.integrity import whole

SAID, KIND = "said", "kind"
COLUMNS = (ID, SAID, KIND, "probability", "novelty", REJECTED_BY, "model")
SCORED_AT = "scored_at"  # a column of tables in a database alone: the files are the same bytes whenever they are made


def table_of(
    ids: pa.Array, rejected_by: pa.Array, keep: Bools, kinds: Sequence[str], threshold: float,
    kind: Int64s, probability: Floats, novelty: Floats, model: str,
) -> pa.Table:  # fmt: skip
    """A part: ids, rejected_by and keep (all,); of the n kept ones kind (index into kinds), probability, novelty."""
    names = pa.array([*kinds, DONT_KNOW, NONE_OF_THESE, IMPOSSIBLE], pa.string())
    dont_know, none, impossible = range(len(names) - 3, len(names))
    said = np.where(novelty > 1, none, np.where(probability < threshold, dont_know, kind))
    all_said = np.full(len(keep), impossible)
    all_said[keep] = said
    columns = [
        ids, names.take(pa.array(all_said)), names.take(_spread(kind, keep)), _spread(probability, keep),
        _spread(novelty, keep), rejected_by, pa.repeat(model, len(keep)),
    ]  # fmt: skip
    return pa.table(dict(zip(COLUMNS, columns, strict=True)))


def scan(paths: Sequence[Path]) -> pl.LazyFrame:
    """All these parts as one frame."""
    return pl.scan_parquet(list(map(whole, paths)), glob=False)  # a folder may be called [a]


def read(path: Path, columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
    """These columns of a part."""
    return pl.DataFrame(pq.read_table(whole(path), columns=list(columns)))


def read_all(paths: Iterable[Path], scored_at: datetime) -> pa.Table:
    """All parts as one table, and in each row when it was scored."""
    table = pa.concat_tables(pq.read_table(whole(path)) for path in paths)
    return table.append_column(SCORED_AT, pa.repeat(pa.scalar(scored_at, pa.timestamp("us", "UTC")), len(table)))


def _spread(values: Int64s | Floats, keep: Bools) -> pa.Array:
    """(all,) the values (n,) of the rows that are kept, null for the others."""
    spread = np.zeros(len(keep), values.dtype)
    spread[keep] = values
    return pa.array(spread, mask=~keep)
