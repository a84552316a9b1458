"""The files of clusters/, and of the drill-downs in it: the only place that spells their names and their columns.

Readers take the folder, clusters/ itself or one that was archived, and give frames; a table of a sweep within a group
stands in that sweep's own folder, see `sweep_folder`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.arrays import Floats
from tsclust.series import ID
from tsclust.workspace.integrity import parts_in, whole

if TYPE_CHECKING:  # they load scikit-learn and numba, which readers do not need
    from tsclust.stages.clusters.quality import Diagnosis
    from tsclust.stages.clusters.sweep import Models

SHAPES = -1  # in the place of a group's number: all series once more, swept by the shape of their curves
UNLABELLED_GROUP = 0  # in the place of a group's number: the series without a name, which `cluster --unlabelled` sweeps

SAME_SET = 0.7  # two sets of series that share more of their union than this are one group

GROUPS: dict[str, type] = {  # groups.parquet: a row per group, most worth looking at first
    "group": int, "k": int, "cluster": int, "size": int, "share": float, "first_k": int,
    "last_k": int, "parent": int, "within": int, "silhouette": float, "worth": float,
    "normal": bool, "proposed": bool,
}  # fmt: skip
QUALITY = ("inertia", "silhouette", "davies_bouldin", "calinski_harabasz", "smallest")  # of sweep.parquet
ASSIGNMENTS, GROUPS_FILE = "assignments", "groups.parquet"
TRAITS_FILE = "traits.parquet"  # of each sweep over all series, where their shapes were measured
OF_SHAPES = "shape_"  # in centers.parquet, before the name of a measure of shape
SWEEP_FILE, CENTERS_FILE, MAP_FILE = "sweep.parquet", "centers.parquet", "map.parquet"


@dataclass(frozen=True)
class GroupRef:
    """Where a group's members stand: rows whose `column` is `cluster`, in the main sweep or `within` a group."""

    within: int | None
    k: int
    cluster: int
    size: int

    @property
    def column(self) -> str:
        return column_of(self.k)

    @property
    def members(self) -> pl.Expr:
        """Whether a row of the assignments is a member."""
        return pl.col(self.column) == self.cluster


@dataclass(frozen=True)
class ClusterRow:
    """A set of series that may get a card: the members of cluster `cluster` of the model with `k` clusters.

    group       its number, the same over runs; None for a cluster that is shown as such
    size        series;  share: of all kept series, 0 to 1
    first_k, last_k  the smallest and largest k at which (nearly) this set is a cluster
    parent      the group it came out of at the k before first_k; None for the first
    within      the group whose sweep found it, UNLABELLED_GROUP, or SHAPES; None for the sweep over features
    normal      part of the normal mass
    """

    group: int | None
    k: int
    cluster: int
    size: int
    share: float
    first_k: int
    last_k: int
    parent: int | None
    within: int | None
    normal: bool

    @property
    def of_all(self) -> bool:
        """Whether a sweep over all series found it: by their features or by their shapes."""
        return self.within in (None, SHAPES)

    @property
    def ref(self) -> GroupRef:
        """Where its members stand."""
        return GroupRef(self.within, self.k, self.cluster, self.size)


@dataclass(frozen=True)
class GroupRow(ClusterRow):
    """A row of groups.parquet: a distinct set of series.

    silhouette  mean over its members, over all rows, -1 to 1
    worth       what the order goes by, in scaled units: far from normal, tight and lasting; 0 for the normal mass
    proposed    to be looked at
    """

    group: int
    silhouette: float
    worth: float
    proposed: bool


GroupPlace = tuple[int | None, int, int]  # within, k, cluster


@dataclass(frozen=True)
class Trait:
    """In what the shape of a group differs most from normal.

    measure  of the whole, or of_stretch, as `shapes.view` names them;  more: than normal, or less
    first, last  samples after the start between which normal series have that stretch; None for the whole, and where
                 the members run along several curves
    """

    k: int
    cluster: int
    measure: str
    of_stretch: bool
    more: bool
    first: int | None = None
    last: int | None = None


def column_of(k: int) -> str:
    """The column of the assignments that holds the clusters of the model with k."""
    return f"k{k:02d}"


def folder_within(group: int) -> str:
    """The name of the folder in clusters/ of the drill-down into a group, or of the sweep over shapes."""
    return "shapes" if group == SHAPES else f"within-{group:03d}"


def is_within(name: str) -> bool:
    """Whether a file of clusters/, named relative to it, belongs to a drill-down."""
    return name.startswith("within-")


def sweep_folder(clusters: Path, within: int | None = None) -> Path:
    """The folder of a sweep's files: of the main sweep, or of the drill-down into a group."""
    return clusters if within is None else clusters / folder_within(within)


def assignments(clusters: Path, within: int | None = None) -> list[Path]:
    """The parts of a sweep's assignments in order; none where there is no such sweep."""
    return parts_in(sweep_folder(clusters, within) / ASSIGNMENTS)


def assignments_part(clusters: Path, within: int | None, part: str) -> Path:
    """The part of that name: it holds those series of the part of features/ of that name that the sweep is about."""
    return sweep_folder(clusters, within) / ASSIGNMENTS / part


def scan_assignments(clusters: Path, within: int | None = None) -> pl.LazyFrame:
    """series_id, k02, k03, ... of all series of a sweep."""
    return pl.scan_parquet(assignments(clusters, within), glob=False)  # a folder may be called [a]


def read_assignments(path: Path, ks: Iterable[int]) -> pa.Table:
    """series_id and, for each of the ks ascending, the cluster of the series in that model, of one part.

    Raises KeyError for a k that the sweep does not have.
    """
    columns = [column_of(k) for k in sorted(set(ks))]
    with pq.ParquetFile(whole(path)) as file:
        if missing := set(columns) - set(file.schema_arrow.names):
            raise KeyError(f"{', '.join(sorted(missing))} in {path}")
        return file.read(columns=[ID, *columns])


def type_of_ids(path: Path) -> pl.DataType:
    """What a series_id is in a part of the assignments."""
    return pl.DataFrame(pq.read_schema(whole(path)).empty_table())[ID].dtype


def count_rows(paths: Sequence[Path]) -> int:
    """How many series there are in these parts."""
    return sum(pq.read_metadata(whole(path)).num_rows for path in paths)


def read_groups(folder: Path) -> pl.DataFrame:
    """groups.parquet: the columns of GROUPS. That of clusters/ has the groups of all sweeps, that of a drill-down its
    own."""
    return _read(folder / GROUPS_FILE)


def read_group_rows(folder: Path) -> tuple[GroupRow, ...]:
    """groups.parquet, row by row."""
    return group_rows(read_groups(folder))


def group_rows(groups: pl.DataFrame) -> tuple[GroupRow, ...]:
    """These rows of groups.parquet, one by one."""
    return tuple(GroupRow(**row) for row in groups.select(*GROUPS).iter_rows(named=True))


def groups_table(groups: Sequence[GroupRow]) -> pl.DataFrame:
    """groups.parquet, to be written."""
    return pl.DataFrame([asdict(group) for group in groups], schema=GROUPS)


def of_sweep(groups: pl.DataFrame, within: int | None = None) -> pl.DataFrame:
    """Of these rows of groups.parquet those of the main sweep, by features or shapes, or those found within a group."""
    of_all = pl.col("within").is_null() | (pl.col("within") == SHAPES)
    return groups.filter(of_all if within is None else pl.col("within") == within)


def to_review(groups: pl.DataFrame) -> pl.DataFrame:
    """Of these rows of groups.parquet those that people are asked about: proposed, and no part of the normal mass."""
    return groups.filter("proposed", ~pl.col("normal"))


def read_sweep(folder: Path) -> pl.DataFrame:
    """sweep.parquet: a row per k with QUALITY, silhouette_sampled and stability."""
    return _read(folder / SWEEP_FILE)


def read_centers(folder: Path) -> pl.DataFrame:
    """centers.parquet: k, cluster, size, silhouette, stability, worth and the mean features in their own units."""
    return _read(folder / CENTERS_FILE)


def clusters_of(clusters: Path, within: int | None) -> frozenset[tuple[int, int]]:
    """(k, cluster) of every cluster of a sweep. Raises FileNotFoundError where there is no such sweep."""
    return frozenset(read_centers(sweep_folder(clusters, within)).select("k", "cluster").iter_rows())


def count_clusters(clusters: Path) -> int:
    """How many clusters there are in all models of both sweeps over all series, and of the drill-downs."""
    others = [path for name in (folder_within(SHAPES), "within-*") for path in clusters.glob(f"{name}/{CENTERS_FILE}")]
    return count_rows([clusters / CENTERS_FILE, *others])


def read_traits(clusters: Path) -> dict[GroupPlace, Trait]:
    """Where a group stands, in the sweeps over all series or that over those without a name -> in what its shape
    differs; nothing where no shapes were swept."""
    found = {}
    for within in (None, SHAPES, UNLABELLED_GROUP):
        path = sweep_folder(clusters, within) / TRAITS_FILE
        rows = _read(path).iter_rows(named=True) if path.exists() else ()
        found.update({(within, row["k"], row["cluster"]): Trait(**row) for row in rows})
    return found


def traits_table(traits: Sequence[Trait]) -> pa.Table:
    """traits.parquet, to be written."""
    kinds = {"k": int, "cluster": int, "measure": str, "of_stretch": bool, "more": bool, "first": int, "last": int}
    return pl.DataFrame([asdict(trait) for trait in traits], schema=kinds).to_arrow()


def read_map(folder: Path) -> pl.DataFrame | None:
    """map.parquet: series_id, x, y, group of a sample; None where there is none, as in the first versions."""
    return _read(folder / MAP_FILE) if (folder / MAP_FILE).exists() else None


def assignments_table(ids: pa.ChunkedArray, ks: Sequence[int], labels: npt.NDArray[np.uint8]) -> pa.Table:
    """A part of the assignments: ids (n,), labels (n, models)."""
    columns = {column_of(k): pa.array(np.ascontiguousarray(labels[:, j])) for j, k in enumerate(ks)}
    return pa.table({ID: ids, **columns})


def sweep_table(ks: Sequence[int], diagnosis: Diagnosis, sampled: Floats, stability: Floats) -> pa.Table:
    """sweep.parquet: sampled and stability are (models,)."""
    columns = {"k": np.array(ks), **{name: getattr(diagnosis, name) for name in QUALITY}}
    return pa.table(columns | {"silhouette_sampled": sampled, "stability": stability})


def centers_table(
    models: Models, about: Mapping[str, npt.NDArray[Any]], names: Sequence[str], means: Floats
) -> pa.Table:
    """centers.parquet: what is known `about` each cluster (c,), and its mean features (c, d) by their names (d,)."""
    per_model = np.diff(models.offsets)
    which = {"k": np.repeat(models.ks, per_model), "cluster": np.concatenate([np.arange(n) for n in per_model])}
    return pa.table({**which, **about, **dict(zip(names, means.T, strict=True))})


def map_table(points: pl.DataFrame, place: Floats, groups: Sequence[GroupRow]) -> pa.Table:
    """map.parquet: points, rows of the assignments of features, each with its place (n, 2) and the first of the
    malfunctions proposed by features that it belongs to, or null; groups of shapes are not on this plane."""
    group = pl.lit(None, pl.Int64)
    drawn = [row for row in groups if row.proposed and not row.normal and row.within != SHAPES]
    for row in reversed(drawn):
        group = pl.when(row.ref.members).then(pl.lit(row.group, pl.Int64)).otherwise(group)
    x, y = place.T
    return points.select(ID, x=pl.Series(x), y=pl.Series(y), group=group).to_arrow()


def _read(path: Path) -> pl.DataFrame:
    return pl.DataFrame(pq.read_table(whole(path)))
