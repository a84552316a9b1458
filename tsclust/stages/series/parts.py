"""The files of series/: series_id, carried columns, values."""

from __future__ import annotations

import polars as pl
import pyarrow.parquet as pq

from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace


def type_of_ids(workspace: Workspace) -> pl.DataType:
    """What a series_id is in series/."""
    schema = pq.read_schema(workspace.parts(SERIES)[0])
    return pl.DataFrame(schema.empty_table())["series_id"].dtype
