"""The series that a sweep is about, as cluster reads them part by part: what the rules keep, or one group's members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from tsclust.arrays import Bools, Floats, Int64s, Keys, UInt64s
from tsclust.config import Cluster
from tsclust.engine.base import map_parts
from tsclust.hashing import hash_ids, order_of
from tsclust.series import is_in
from tsclust.stages.clusters import membership, scaling
from tsclust.stages.clusters.parts import GroupRef
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.features import catalogue
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.features.parts import FeatureRows
from tsclust.stages.series import parts as series_parts

SAMPLE = 200_000  # series that medians are taken from


@dataclass(frozen=True)
class ScopedRows:
    """The rows of one part that a sweep is about: ids (n,), x (n, d) features, baseline keys (n,), "" without one."""

    ids: pa.Array
    x: Floats
    keys: Keys

    def hashes(self, seed: int) -> UInt64s:
        return hash_ids(self.ids, seed)


@dataclass(frozen=True)
class Scope:
    """Which series of features/ a sweep is about: all that are kept, or one group's `members`, or all but the `known`.

    paths    of the parts of features/, in order;  series: the folder of the parts with the carried columns
    kept     how many series the rules keep, in the scope or not;  rows: how many are in the scope
    members  name of a part -> ids of the group's members in it;  known: ids
    """

    paths: tuple[Path, ...]
    series: Path
    kept: int
    rows: int
    members: Callable[[str], pa.Array] | None = None
    known: pa.Array | None = None

    @classmethod
    def of(cls, files: FeatureFiles) -> Scope:
        """All that the rules keep."""
        return cls(files.paths, files.series.folder, files.facts.kept, files.facts.kept)

    def within(self, clusters: Path, group: GroupRef) -> Scope:
        """The members of a group of the sweep in the folder `clusters`."""
        return replace(self, rows=group.size, members=partial(membership.member_ids, clusters, group=group))

    def without(self, known: pa.Array, rows: int) -> Scope:
        """All but the `known` ones (ids), which leaves `rows` of them."""
        return replace(self, rows=rows, known=known)

    def read(self, path: Path, columns: Sequence[str], baseline: Sequence[str]) -> ScopedRows:
        """The rows of the features part at `path`, with keys from the carried columns of its series part."""
        rows = feature_parts.read(path, columns)
        keep = self._holds(path, rows)
        keys = series_parts.read_keys(self.series / path.name, baseline, keep)
        rows = rows.where(keep)
        return ScopedRows(rows.ids, rows.x, keys)

    def places(self, path: Path) -> Int64s:
        """(n,) which rows of the part at `path` the sweep is about."""
        return np.flatnonzero(self._holds(path, feature_parts.read(path)))

    def _holds(self, path: Path, rows: FeatureRows) -> Bools:
        """(n,) whether the sweep is about each row of the features part at `path`."""
        keep = rows.kept
        if self.known is not None:
            keep &= ~is_in(rows.ids, self.known)
        return keep if self.members is None else keep & is_in(rows.ids, self.members(path.name))


def fit_scaler(files: FeatureFiles, asked: Cluster) -> Scaler:
    """What is normal, from a sample of all that is kept, drawn by the hash of series_id: the same for any order of
    rows and parts."""
    series_parts.check_carried(files.series.carried, asked.baseline_columns)
    scope = Scope.of(files)
    chance = min(1.0, SAMPLE / max(scope.rows, 1))  # in floats, as ever: hashing.limit rounds otherwise

    known = {feature.name for feature in files.facts.catalogue}
    sizes = [name for name in catalogue.SIZES if {*catalogue.SIZES} <= known]
    columns = tuple(dict.fromkeys((*files.clustered, *sizes)))
    pieces = list(map_parts(partial(_draw, scope, asked, columns, chance), scope.paths))
    order = order_of([hashes for hashes, _, _ in pieces])
    drawn = np.concatenate([x for _, x, _ in pieces])[order]
    keys = np.concatenate([keys for _, _, keys in pieces])[order]
    del pieces  # as much again
    x = np.ascontiguousarray(drawn[:, : len(files.clustered)])
    of_sizes = drawn[:, [columns.index(name) for name in sizes]] if sizes else None
    least = catalogue.least_spreads(files.facts.catalogue, x, of_sizes)
    return scaling.fit(x, keys, asked.scaling, least, look=asked.regimes)


def _draw(
    scope: Scope, asked: Cluster, names: Sequence[str], chance: float, path: Path
) -> tuple[UInt64s, Floats, Keys]:
    """Hashes, features and keys of the sample's rows of one part."""
    part = scope.read(path, names, asked.baseline_columns)
    hashes = part.hashes(asked.seed)
    taken = np.flatnonzero(hashes.astype(np.float64) <= chance * 2.0**64)
    return hashes[taken], part.x[taken], part.keys[taken]
