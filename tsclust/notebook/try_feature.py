"""A feature over a sample of the kept series in which every group is found again: how well it distinguishes them.

Which series are drawn is decided by a hash of their id: the same ones for any order of rows and any number of parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Floats, Int64s
from tsclust.engine.base import map_parts
from tsclust.hashing import hash_ids, limit
from tsclust.series import ID
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.membership import inside_of
from tsclust.stages.clusters.parts import ClusterRow, GroupRef
from tsclust.stages.clusters.selection import SelectedGroups
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.catalogue import Feature
from tsclust.stages.features.custom import Extra, describe_extra
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.reports.groups.sample import SEED
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

ALL = 5_000  # series that stand for all that the rules keep
EACH = 500  # members that stand for a group


def try_feature(workspace: Workspace, cards: Sequence[ClusterRow], feature: Feature | Extra) -> pl.DataFrame:
    """series_id, group, value: of about ALL kept series, and of about EACH members of every card's group.

    group is the first of the cards that the series is a member of, null for none; value is null where the feature is
    not known. Raises SettingsError with the id of a series on which one of the user's own fails.
    """
    groups = SelectedGroups(tuple(cards), ()).members

    def one_part(path: Path) -> pl.DataFrame:
        drawn = _drawn(workspace, groups, path)
        return drawn.with_columns(value=_values(workspace, feature, path, drawn["row"].to_numpy()))

    found = pl.concat(map_parts(one_part, workspace.parts(FEATURES))).sort("hash")
    numbers = pl.Series([*(row.group for row in cards), None], dtype=pl.Int64)
    return found.select(ID, group=numbers.gather(found["at"]), value=pl.col("value").fill_nan(None))


def _drawn(workspace: Workspace, groups: Sequence[GroupRef], path: Path) -> pl.DataFrame:
    """hash, row, series_id and at, which of the groups (their number: none), of the series drawn of one part."""
    features = feature_parts.read(path)
    kept = features.kept
    hashes = hash_ids(features.ids, SEED)
    inside = inside_of(workspace.stage(CLUSTERS), path.name, groups, features.ids, kept)
    members = inside & (hashes[:, None] <= np.array([limit(EACH, group.size) for group in groups], np.uint64))
    every = kept & (hashes <= limit(ALL, workspace.manifest(CLUSTERS).rows))
    rows = np.flatnonzero(members.any(axis=1) | every)
    at = np.column_stack([inside, ~inside.any(axis=1)])[rows].argmax(axis=1)
    ids = pl.Series(features.ids.take(pa.array(rows)))
    return pl.DataFrame({"hash": hashes[rows], "row": rows, ID: ids, "at": at})


def _values(workspace: Workspace, feature: Feature | Extra, path: Path, rows: Int64s) -> Floats:
    """(rows,) the feature of these rows of a part, NaN where it is not known."""
    if isinstance(feature, Feature):
        known: Floats = feature_parts.read(path, [feature.name]).x[rows, 0]
        return known
    block = series_parts.read_block(workspace.stage(SERIES) / path.name, rows)
    sign = workspace.manifest(FEATURES).facts.sign
    return describe_extra(block, sign, [feature])[:, 0]
