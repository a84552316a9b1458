"""Which series are members of which groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.arrays import Bools
from tsclust.series import is_in
from tsclust.stages.clusters.parts import Members, assignments
from tsclust.workspace.folder import Workspace


def inside_of(workspace: Workspace, part: str, groups: Sequence[Members], ids: pa.Array, kept: Bools) -> Bools:
    """(n, g) whether the rows of a part are members of the groups; assignments have the rows that they are about."""
    inside = np.zeros((len(kept), len(groups)), bool)
    for within in {group.within for group in groups}:
        mine = [j for j, group in enumerate(groups) if group.within == within]
        columns = sorted({groups[j].column for j in mine})
        labels = pq.read_table(assignments(workspace, within) / part, columns=["series_id", *columns])
        whole = len(labels) == np.count_nonzero(kept)  # of the kept rows a sweep has all, or some
        rows = kept if whole else is_in(ids, labels["series_id"].combine_chunks())
        for j in mine:
            inside[rows, j] = labels[groups[j].column].to_numpy() == groups[j].cluster
    return inside
