"""The numbers of the groups over runs: what two runs on disk have in common, counted exactly and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tsclust.arrays import Floats, Int64s
from tsclust.errors import DamagedError
from tsclust.series import ID
from tsclust.stages.clusters import matching, parts
from tsclust.stages.clusters.matching import Likeness, Outcome
from tsclust.stages.clusters.parts import OF_SHAPES, SHAPES

BUCKET = 2_000_000  # series of a run that are held at a time
CHUNK = 16_384  # rows counted at a time; float32 counts exactly up to 2**24
SEED = 1  # of the hash that deals series out to buckets
# Missing, damaged, or of another make.
UNREADABLE = (OSError, KeyError, DamagedError, pa.ArrowInvalid, pl.exceptions.PolarsError)


@dataclass(frozen=True)
class Common:
    """Counts over the series that both runs have; g groups of the old run, h of the new one.

    shared    (g, h) series that two groups have in common
    old_size  (g,) and new_size (h,) series of each group
    rows      series that both runs have
    """

    shared: Int64s
    old_size: Int64s
    new_size: Int64s
    rows: int

    def __add__(self, other: Common) -> Common:
        return Common(
            self.shared + other.shared,
            self.old_size + other.old_size,
            self.new_size + other.new_size,
            self.rows + other.rows,
        )


@dataclass(frozen=True)
class Renumbered:
    """The groups of a new run under the numbers that experts know.

    groups    in the order given, columns `group` and `parent` renumbered
    compared  False where there was no earlier run to compare with: then all groups are new
    kept      how many groups of earlier runs are (nearly) the same sets now
    changed, new  numbers of groups that changed, or were not there
    gone      numbers of the last run that no group has now
    highest   number ever given: the next run's `highest`
    """

    groups: pl.DataFrame
    compared: bool
    kept: int
    changed: list[int]
    new: list[int]
    gone: list[int]
    highest: int


@dataclass(frozen=True)
class _Run:
    """The assignments of a run, of the sweep over features and, in other files with the same rows, of that over shapes;
    for each group the `column` that it stands in, counted over both, and its `cluster` there, (g,)."""

    side: str
    paths: list[Path]
    of_shapes: list[Path]
    ks: list[int]
    ks_of_shapes: list[int]
    column: Int64s
    cluster: Int64s

    @classmethod
    def of(cls, side: str, folder: Path, groups: pl.DataFrame) -> _Run:
        paths = parts.assignments(folder)
        if not paths:
            raise FileNotFoundError(f"no assignments in {folder}")
        shapes = groups["within"].eq_missing(SHAPES).to_numpy()
        k, column = groups["k"].to_numpy(), np.zeros(len(groups), np.int64)
        ks, column[~shapes] = np.unique(k[~shapes], return_inverse=True)
        more, column[shapes] = np.unique(k[shapes], return_inverse=True)
        column[shapes] += len(ks)
        of_shapes = parts.assignments(folder, SHAPES) if shapes.any() else []
        return cls(side, paths, of_shapes, ks.tolist(), more.tolist(), column, groups["cluster"].to_numpy())

    @property
    def columns(self) -> list[str]:
        """What the columns are called when they are read, one after the other."""
        return [f"{self.side}{at}" for at in range(len(self.ks) + len(self.ks_of_shapes))]

    @property
    def rows(self) -> int:
        return parts.count_rows(self.paths)

    @property
    def ids(self) -> pl.DataType:
        return parts.type_of_ids(self.paths[0])

    def read(self, ids: pl.DataType, bucket: int, buckets: int) -> pl.DataFrame:
        """The rows of one bucket: series_id as `ids`, and the columns of labels, named after the side."""
        mine = pl.col(ID).hash(SEED) % buckets == bucket
        return pl.concat(frame.with_columns(pl.col(ID).cast(ids)).filter(mine) for frame in self._parts())

    def _parts(self) -> Iterator[pl.DataFrame]:
        for at, path in enumerate(self.paths):
            frame = pl.DataFrame(parts.read_assignments(path, self.ks))
            if self.of_shapes:
                more = pl.DataFrame(parts.read_assignments(self.of_shapes[at], self.ks_of_shapes)).drop(ID)
                frame = pl.concat([frame, more.rename(lambda name: f"shapes {name}")], how="horizontal")
            yield frame.rename(dict(zip(frame.columns[1:], self.columns, strict=True)))

    def members(self, rows: pl.DataFrame) -> npt.NDArray[np.float32]:
        """(n, g) 1 where a row is a member of a group, else 0."""
        labels = rows.select(self.columns).to_numpy()
        labels = labels.reshape(len(rows), len(self.columns))  # also where there are no groups
        member: npt.NDArray[np.bool_] = labels[:, self.column] == self.cluster
        return member.astype(np.float32)


def renumber(
    old_folder: Path,
    new_folder: Path,
    new_groups: pl.DataFrame,
    highest: int,
    spread: Floats,
    names: tuple[str, ...],
    within: int | None = None,
    seen: Sequence[Path] = (),
    seen_last: bool = False,
) -> Renumbered:
    """Give the groups of a new run in `new_folder`, the main sweep or `within` a group, the numbers of their like in
    the last one, in `old_folder`, or in those that experts have `seen`. seen_last: they have seen the last one, too.

    `names` are the features that centers are compared by, spread (d,) is one of each in its own unit, `highest` the
    highest number ever given, 0 before the first run. An earlier run that cannot be read stops nothing: where none can
    all groups are new.
    """
    how = _Comparison(new_folder, new_groups, spread, names, within)
    found = {folder: how.with_run(folder) for folder in (old_folder, *seen)}
    runs = [one for one in found.values() if one]
    last = found[old_folder]
    highest = max([highest, *(one.highest for one in runs)])
    numbers = np.unique(np.concatenate([np.zeros(0, np.int64), *(one.numbers for one in runs)]))
    shown = [(one.numbers, one.like, seen_last or one is not last) for one in runs]
    like = matching.of_numbers(numbers, shown, len(new_groups))
    done = matching.numbers(matching.match(like), numbers, highest)
    by_outcome: dict[Outcome, list[int]] = {"kept": [], "changed": [], "new": []}
    for number, outcome in zip(done.numbers.tolist(), done.outcomes, strict=True):
        by_outcome[outcome].append(number)
    gone = sorted(set(last.numbers.tolist()) & set(done.gone)) if last else []
    return Renumbered(
        _renamed(new_groups, done.numbers), bool(runs), len(by_outcome["kept"]), by_outcome["changed"],
        by_outcome["new"], gone, done.highest,
    )  # fmt: skip


@dataclass(frozen=True)
class _Compared:
    """An earlier run: the numbers (g,) of its groups, their likeness to the new ones, its highest number."""

    numbers: Int64s
    like: Likeness
    highest: int


@dataclass(frozen=True)
class _Comparison:
    """The new run, and what it is compared by: see `renumber`."""

    folder: Path
    groups: pl.DataFrame
    spread: Floats
    names: tuple[str, ...]
    within: int | None

    def with_run(self, folder: Path) -> _Compared | None:
        """The earlier run in `folder`; None where it cannot be read."""
        try:
            known = _groups(folder)
            old = parts.of_sweep(known, self.within)
            like = _likeness(folder, old, self.folder, self.groups, self.spread, self.names)
        except UNREADABLE:
            return None
        highest = max([0, *known["group"]])  # drill-downs have numbers too
        return _Compared(old["group"].to_numpy().astype(np.int64), like, highest)


def _groups(folder: Path) -> pl.DataFrame:
    """What tells the groups of a run: group, k, cluster, within."""
    return parts.read_groups(folder).select(pl.col("group", "k", "cluster", "within").cast(pl.Int64))


def count_common(
    old: Path, old_groups: pl.DataFrame, new: Path, new_groups: pl.DataFrame, bucket: int = BUCKET
) -> Common:
    """Who is a member of what in both runs. Neither parts nor order nor the number of rows need be the same.

    Series are dealt out to buckets of about `bucket` by the hash of their id, the same in both runs: what is held at
    a time does not grow with the data. Ids whose type changed between the runs are compared as text.
    """
    a, b = _Run.of("old ", old, old_groups), _Run.of("new ", new, new_groups)
    ids = a.ids if a.ids == b.ids else pl.String()
    buckets = -(-max(a.rows, b.rows, 1) // bucket)
    g, h = len(old_groups), len(new_groups)
    total = Common(np.zeros((g, h), np.int64), np.zeros(g, np.int64), np.zeros(h, np.int64), 0)
    for i in range(buckets):
        both = a.read(ids, i, buckets).join(b.read(ids, i, buckets), on=ID)
        for rows in both.iter_slices(CHUNK):
            total += _counted(a.members(rows), b.members(rows))
    return total


def _counted(old: npt.NDArray[np.float32], new: npt.NDArray[np.float32]) -> Common:
    """Counts of a chunk of rows: old (n, g), new (n, h)."""
    counts = (old.T @ new, old.sum(axis=0), new.sum(axis=0))
    shared, old_size, new_size = (count.astype(np.int64) for count in counts)
    return Common(shared, old_size, new_size, len(old))


def _likeness(
    old_folder: Path, old: pl.DataFrame, new_folder: Path, new: pl.DataFrame, spread: Floats, names: tuple[str, ...]
) -> Likeness:
    """By members and by the features that the centers of both runs have."""
    common = count_common(old_folder, old, new_folder, new)
    tables = [parts.read_centers(folder) for folder in (old_folder, new_folder)]
    have = np.array([all(name in table.columns for table in tables) for name in names], bool)
    both = list(compress(names, have))
    centers = (_centers(tables[0], old, both), _centers(tables[1], new, both))
    close = matching.closeness(*centers, spread[have])
    return matching.likeness(common.shared, common.old_size, common.new_size, close)


def _centers(table: pl.DataFrame, groups: pl.DataFrame, names: list[str]) -> Floats:
    """(g, d) centers of the groups in the features' own units, NaN where there is none, and where groups are told apart
    by their shapes too: two kinds may differ in nothing else, so their members decide."""
    jointly = any(name.startswith(OF_SHAPES) for name in table.columns)
    of_shapes = pl.col("within").eq_missing(SHAPES) | jointly
    groups = groups.with_columns(k=pl.when(of_shapes).then(None).otherwise("k"))
    rows = groups.select("k", "cluster").join(table, on=["k", "cluster"], how="left", maintain_order="left")
    found: Floats = rows.select(pl.col(name).cast(pl.Float64).fill_null(np.nan) for name in names).to_numpy()
    return found.reshape(len(groups), len(names))  # also where no feature is left


def _renamed(groups: pl.DataFrame, numbers: Int64s) -> pl.DataFrame:
    before = groups["group"].to_list()
    return groups.with_columns(pl.col("group", "parent").replace_strict(before, numbers, return_dtype=pl.Int64))
