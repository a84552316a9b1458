"""One pass over the parts: the few series that the report draws, and what it counts over all of them.

Which series are drawn is decided by a hash of their id: the same ones for any order of rows and any number of parts.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tsclust.arrays import Bools, Floats, Int64s, UInt64s
from tsclust.config import Cluster
from tsclust.engine.base import map_parts
from tsclust.hashing import hash_ids, limit, order_of
from tsclust.series import SeriesBlock, keys
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.membership import inside_of
from tsclust.stages.clusters.parts import GroupRef
from tsclust.stages.clusters.scope import described_by, fit_scaler
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels.group_state import Labelled
from tsclust.stages.reports.groups import counts as counted
from tsclust.stages.reports.groups.counts import Counts
from tsclust.stages.reports.groups.unusual import NormalReference
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

Strings = npt.NDArray[np.str_]


PER_GROUP = 2_000  # members that stand for a group: its band, its medians


NORMAL = 60_000  # series that say what is normal, of each baseline too


EXAMPLES = 6  # series shown of those a rule rejects


SEED = 1


WORKERS = 1  # Arrow and Polars use all cores within a part; two parts at a time cost memory and win nothing


@dataclass(frozen=True)
class Asked:
    """What to look for.

    groups    the members of each group shown
    normal    (groups,) which of them make up the normal mass; all series do where none is
    kept      series that the rules keep
    baseline  carried columns within which series are compared
    features  (d,) names of the clustered ones
    labelled  what series were called before; None where nothing is labelled yet
    """

    groups: tuple[GroupRef, ...]
    normal: Bools
    kept: int
    baseline: tuple[str, ...]
    features: tuple[str, ...]
    labelled: Labelled | None

    @property
    def limits(self) -> UInt64s:
        """(groups,) the largest hash that is drawn of each group, about PER_GROUP members."""
        return np.array([limit(PER_GROUP, group.size) for group in self.groups], np.uint64)


@dataclass(frozen=True)
class Drawn:
    """The series drawn, in the order of their hashes, and counts over all. n series, g groups.

    table     (n rows) series_id, carried columns, values
    hashes    (n,)
    starts    (n,) int64: where the run starts, 0 where that is not known
    x         (n, d) the clustered features
    keys      (n,) baseline key, "" without a baseline
    inside    (n, g) drawn as a member of the group
    normal    (n,) drawn as a member of the normal mass
    rejected  (n,) name of the rule, "" = kept
    counts    over all series, not only those drawn
    """

    table: pa.Table
    hashes: UInt64s
    starts: Int64s
    x: Floats
    keys: Strings
    inside: Bools
    normal: Bools
    rejected: Strings
    counts: Counts

    @cached_property
    def block(self) -> SeriesBlock:
        return SeriesBlock.from_arrow(self.table)


def draw(workspace: Workspace, asked: Asked) -> Drawn:
    """Go through all parts once."""
    return joined(list(map_parts(partial(_draw, workspace, asked), workspace.parts(FEATURES), WORKERS)))


def normal_reference(workspace: Workspace, asked: Cluster) -> NormalReference:
    """What is normal for a sweep with these settings: its scaler is the same whenever it is fitted to the features."""
    features = tuple(feature for feature in described_by(workspace) if feature.clustered)
    return NormalReference(features, fit_scaler(workspace, asked))


def joined(parts: Sequence[Drawn]) -> Drawn:
    """The parts as one, in the order of the hashes."""
    order = order_of([p.hashes for p in parts])
    drawn: dict[str, Any] = {
        name: np.concatenate([getattr(p, name) for p in parts])[order]
        for name in ("hashes", "starts", "x", "keys", "inside", "normal", "rejected")
    }
    return Drawn(
        table=pa.concat_tables([p.table for p in parts]).take(order).combine_chunks(),
        counts=reduce(operator.add, (p.counts for p in parts)),
        **drawn,
    )


def _draw(workspace: Workspace, asked: Asked, path: Path) -> Drawn:
    """What `draw` wants of one part."""
    features = feature_parts.read(path, ["start", *asked.features])
    series = series_parts.read_table(workspace.stage(SERIES) / path.name)
    rejected, kept = texts(pl.Series(features.rejected_by)), features.kept
    hashes = hash_ids(features.ids, SEED)
    inside = inside_of(workspace.stage(CLUSTERS), path.name, asked.groups, features.ids, kept)
    normal = _normal(asked, inside, kept)
    keys = keys_of(series, asked.baseline)
    members = inside & (hashes[:, None] <= asked.limits)
    usual = normal & (hashes <= limit(NORMAL, asked.kept))
    rows = np.flatnonzero(members.any(axis=1) | usual | examples(rejected, hashes))
    return Drawn(
        series.take(rows), hashes[rows], whole(features.x[rows, 0]), features.x[rows, 1:], keys[rows], members[rows],
        usual[rows], rejected[rows], counted.count(series, kept, inside, asked.labelled),
    )  # fmt: skip


def _normal(asked: Asked, inside: Bools, kept: Bools) -> Bools:
    """(n,) the series of the normal mass."""
    mass: Bools = np.any(inside[:, asked.normal], axis=1)
    return mass if asked.normal.any() else kept


def examples(rejected: Strings, hashes: UInt64s) -> Bools:
    """(n,) the few rows of each rule with the smallest hashes."""
    chosen = np.zeros(len(rejected), bool)
    for rule in np.unique(rejected[rejected != ""]):
        rows = np.flatnonzero(rejected == rule)
        chosen[rows[np.argsort(hashes[rows], kind="stable")[:EXAMPLES]]] = True
    return chosen


def keys_of(series: pa.Table, baseline: Sequence[str]) -> Strings:
    """(n,) the baseline key of each row of a part of series/, "" without a baseline."""
    return keys(pl.DataFrame(series.select(list(baseline)))) if baseline else np.full(len(series), "")


def texts(column: pl.Series) -> Strings:
    """(n,) a column of text, "" for null."""
    return column.fill_null("").to_numpy().astype(str)


def whole(column: Floats) -> Int64s:
    """(n,) a column of whole numbers, 0 for NaN."""
    whole: Int64s = np.nan_to_num(column).astype(np.int64)
    return whole
