"""How the groups of a sweep stand to the labels there are: new, changed, contradicted, or named already."""

from __future__ import annotations

from functools import partial, reduce
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tsclust.engine import map_parts
from tsclust.report import known, sample
from tsclust.report.choice import THE_SWEEP, Chosen, choose
from tsclust.report.known import Known, Labelled
from tsclust.series import Int64s
from tsclust.workspace import Workspace

WORKERS = 2


def standing(workspace: Workspace, labelled: Labelled) -> dict[int, Known]:
    """Of each group that a report would show. Raises StageMissingError for a workspace without clusters."""
    chosen = choose(workspace, THE_SWEEP)
    one_part = partial(_tally, workspace, chosen, labelled)
    counts = reduce(np.add, map_parts(one_part, workspace.parts("features"), WORKERS))
    rows = chosen.cards
    return {row["group"]: known.known(labelled, counts[:, j], row) for j, row in enumerate(rows)}


def _tally(workspace: Workspace, chosen: Chosen, labelled: Labelled, path: Path) -> Int64s:
    features = pq.read_table(path, columns=["series_id", "rejected_by"])
    kept = pc.is_null(features["rejected_by"]).to_numpy()
    inside = sample.inside_of(workspace, path.name, chosen.members, features["series_id"], kept)
    return known.tally(labelled, features["series_id"], inside)
