"""The files of series/: part-*.parquet with series_id, the carried columns and values. Whoever reads one asks here."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.arrays import Bools, Int64s, Keys
from tsclust.errors import SettingsError
from tsclust.series import ID, VALUES, SeriesBlock, carried, keys
from tsclust.stages.series.facts import SERIES, SeriesFacts
from tsclust.times import drop_out_of_range
from tsclust.workspace.folder import Workspace
from tsclust.workspace.integrity import whole
from tsclust.workspace.manifest import Manifest


@dataclass(frozen=True)
class SeriesFiles:
    """series/ as its readers need it, looked up once.

    manifest  what it was made from;  folder: where its parts are;  paths: of the parts, in order
    """

    manifest: Manifest[SeriesFacts]
    folder: Path
    paths: tuple[Path, ...]

    @classmethod
    def of(cls, workspace: Workspace) -> SeriesFiles:
        """Raises StageMissingError where there is no series/."""
        return cls(workspace.manifest(SERIES), workspace.stage(SERIES), tuple(workspace.parts(SERIES)))

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns with their types: the id, what is carried along, the values."""
        return read_schema(self.paths[0])

    @property
    def carried(self) -> list[str]:
        """The names of the carried columns."""
        return carried(self.schema.names)

    @property
    def id_type(self) -> pl.DataType:
        """What a series_id is."""
        return pl.DataFrame(self.schema.empty_table())[ID].dtype

    @property
    def time_column(self) -> str | None:
        """The first carried column of times, or else of days, which may be those of anything; None for neither."""
        kinds = (pa.types.is_timestamp, pa.types.is_date)
        return next((f.name for is_time in kinds for f in self.schema if is_time(f.type)), None)

    def empty_block(self) -> SeriesBlock:
        """No series, with ids and values of the types that there are."""
        return SeriesBlock.from_arrow(self.schema.empty_table())


def read_schema(path: Path) -> pa.Schema:
    """The columns of a part with their types."""
    return pq.read_schema(whole(path))


def check_carried(carried: Sequence[str], baseline: Sequence[str]) -> None:
    """Raises SettingsError where a column of the baseline is not carried along."""
    for name in baseline:
        if name not in carried:
            near = difflib.get_close_matches(name, carried, n=3) or carried or ["none: set [source] carry"]
            raise SettingsError(
                f"[cluster] baseline: no carried column {name!r} (there are: {', '.join(near)})",
                "Correct baseline in tsclust.toml, or carry that column and run: tsclust extract",
            )


def scan(paths: Sequence[Path]) -> pl.LazyFrame:
    """All these parts as one frame: series_id, carried columns, values."""
    return pl.scan_parquet(list(map(whole, paths)), glob=False)  # a folder may be called [a]


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A whole part, or these columns of it: ids, carried columns, values."""
    return pq.read_table(whole(path), columns=None if columns is None else list(columns))


def read_block(path: Path, rows: Int64s | None = None) -> SeriesBlock:
    """The series of a part, or these rows of it."""
    table = pq.read_table(whole(path), columns=[ID, VALUES])
    return SeriesBlock.from_arrow(table if rows is None else table.take(pa.array(rows)))


def read_ids(path: Path) -> pa.Array:
    """(n,) the ids of a part."""
    return pq.read_table(whole(path), columns=[ID])[ID].combine_chunks()


def read_carried(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """(n, len(columns)) these carried columns of a part; (0, 0) for no columns."""
    return pl.DataFrame(pq.read_table(whole(path), columns=list(columns))) if columns else pl.DataFrame()


def read_all_carried(path: Path) -> pl.DataFrame:
    """(n, c) all carried columns of a part."""
    return read_carried(path, carried(pq.read_schema(whole(path)).names))


def read_keys(path: Path, columns: Sequence[str], keep: Bools) -> Keys:
    """(n,) these carried columns of the n rows of a part that are to `keep`, as one text; "" for no columns."""
    if not columns:
        return np.full(np.count_nonzero(keep), "")
    return keys(read_carried(path, columns).filter(pl.Series(keep)))


def read_times(path: Path, column: str) -> pl.Series:
    """(n,) when the series of a part were recorded, null where that is not known."""
    return drop_out_of_range(read_carried(path, [column])[column])


def by_part(chosen: pl.DataFrame) -> tuple[list[tuple[str, Int64s]], Int64s]:
    """Of chosen rows (part, row): (part, its rows ascending), and where each of the chosen ones stands in them, put one
    after the other."""
    there = chosen.select("part", "row").unique().sort("part", "row").with_row_index("at")
    places = chosen.join(there, on=["part", "row"], how="left", maintain_order="left")["at"].to_numpy()
    return [(one["part"][0], one["row"].to_numpy()) for one in there.partition_by("part", maintain_order=True)], places


def read_rows(path: Path, rows: Int64s, columns: Sequence[str] | None = None) -> pa.Table:
    """These rows of a part (columns: all, if None); of its row groups only those that hold them are read.

    Raises FileNotFoundError where there is no such part, IndexError where it has fewer rows.
    """
    with pq.ParquetFile(whole(path)) as file:
        if rows.max() >= file.metadata.num_rows:
            raise IndexError(rows.max())
        sizes = np.array([file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)])
        ends = np.cumsum(sizes)
        groups, group = np.unique(np.searchsorted(ends, rows, side="right"), return_inverse=True)
        table = file.read_row_groups(groups.tolist(), columns=columns)
    left_out = (ends - sizes)[groups] - (np.cumsum(sizes[groups]) - sizes[groups])
    return table.take(pa.array(rows - left_out[group]))
