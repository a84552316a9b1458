"""What folders say of the files in them: columns (machine_id=1/), what is no data, whether a table format decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from urllib.parse import unquote

import pyarrow as pa

from tsclust.errors import SourceFileError
from tsclust.source.files.objects import FilePath, ObjectPath, has

_COLUMN = re.compile(r"([^=]+)=(.*)")  # machine_id=1
_NULL = ("__HIVE_DEFAULT_PARTITION__", "__null__")
# Files that Spark, Databricks, Dask and EMR leave beside those with the rows.
_BESIDE = re.compile(r"_SUCCESS|_(?:common_)?metadata|_(?:started|committed)_\d+|.*_\$folder\$")
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})")  # 007 is a name
# What lies beside the files of a table: they hold rows that were replaced or removed, or that were never committed.
_ABOVE = 4  # folders, from the one that is read on up, where the log may be
_EXPORT = "Export its current rows, and read that file: "
_DUCKDB = _EXPORT + "duckdb -c \"COPY (SELECT * FROM {}('{}')) TO 'cycles.parquet'\""  # noqa: S608
_TABLES = (
    ("_delta_log", "a Delta table", _DUCKDB.format("delta_scan", "{}")),
    ("metadata/*.metadata.json", "an Iceberg table", _DUCKDB.format("iceberg_scan", "{}")),
    (".hoodie", "a Hudi table", _EXPORT + "spark.read.format('hudi').load('{}').write.parquet('cycles')"),
    ("_spark_metadata", "a stream of Spark", _EXPORT + "spark.read.parquet('{}').write.parquet('cycles')"),
)  # fmt: skip


def columns(root: FilePath, paths: Sequence[FilePath]) -> dict[str, pa.Array]:
    """The columns that folders below `root` name (machine_id=1/), each with a value for every file; {} for none."""
    named = [_named(path.parent.relative_to(root)) if path.parent.is_relative_to(root) else {} for path in paths]
    names = dict.fromkeys(name for of in named for name in of)
    return {name: _typed([of.get(name) for of in named]) for name in names}


def is_beside_data(name: PurePath) -> bool:
    """Whether a file, named from the folder that is read on, holds no rows, or those of a job that is not done yet."""
    return "_temporary" in name.parts or _BESIDE.fullmatch(name.name) is not None


def is_hidden(name: PurePath) -> bool:
    """Whether a name on the way to a file is hidden from globs."""
    return any(part.startswith(".") for part in name.parts)


def is_set_aside(name: PurePath) -> bool:
    """Whether Spark and Hive pass over a file in a folder that they read: _raw/a.csv, but not _day=1/a.csv."""
    return is_hidden(name) or any(part.startswith("_") and "=" not in part for part in name.parts)


def refuse_tables(root: FilePath, paths: Iterable[FilePath], where: str) -> None:
    """Raises SourceFileError where the files are those of a table whose log says which of them count.

    A file that is named itself is read: it is meant.
    """
    if isinstance(root, Path) and (not root.is_dir() or (root / "toc.dat").exists()):
        return
    above = (root, *root.parents)[:_ABOVE]
    own = () if isinstance(root, ObjectPath) else (path.parent for path in paths)  # a request for each would take long
    for folder in dict.fromkeys((*above, *own)):
        for sign, what, step in _TABLES:
            if _has(folder, sign):
                raise SourceFileError(
                    f"{where} belongs to {what} ({folder.name}/{sign.split('/')[0]}): expected files of which every"
                    " row counts, and some of these may have been replaced",
                    step.format(folder.url if isinstance(folder, ObjectPath) else folder),
                )


def _has(folder: FilePath, sign: str) -> bool:
    """Whether there is something of this name, or glob, in a folder."""
    if isinstance(folder, ObjectPath):
        return has(folder, sign)
    return next(folder.glob(sign), None) is not None


def _named(folder: PurePath) -> dict[str, str | None]:
    found = [m for part in folder.parts if (m := _COLUMN.fullmatch(part))]
    return {unquote(m[1]): None if m[2] in _NULL else unquote(m[2]) for m in found}


def _typed(values: Sequence[str | None]) -> pa.Array:
    there = [value for value in values if value is not None]
    if all(_INTEGER.fullmatch(value) for value in there):
        return pa.array([None if value is None else int(value) for value in values], pa.int64())
    return pa.array(values, pa.string())
