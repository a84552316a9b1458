"""A stage in the making: its Parquet files, written with their hashes."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tsclust.file_hash import file_hash
from tsclust.series import ID
from tsclust.workspace.atomic import beside_of, link_or_copy, sync

ROW_GROUP = 8_192  # rows of a part that are encoded at a time,
GROUP_VALUES = 1 << 20  # or as many rows as hold this many values
_FAST: dict[str, Any] = {"compression": "zstd", "compression_level": -1}  # level 1: 10 % smaller, a fifth slower


@dataclass(frozen=True)
class Written:
    """A file of a stage that was written: its name relative to the stage, the sha256 of its content."""

    name: str
    sha256: str


def write_part(folder: Path, name: str, table: pa.Table) -> Written:
    """Write one Parquet file (zstd) named `name` relative to `folder`, under its name only when it is whole.

    Nothing of the caller's changes: a function given to `map_parts` may call this, and returns what it wrote to where
    a StageWriter adds it. Whoever does the same part at the same time writes the same.
    """
    path, table = folder / name, _with_plain_texts(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = _dictionary_columns(table.schema)
    apart = {f.name: "BYTE_STREAM_SPLIT" for f in table.schema if pa.types.is_floating(f.type)}
    beside = beside_of(path)
    pq.write_table(table, beside, **_FAST, use_dictionary=texts, column_encoding=apart)
    sync(beside)  # here, where parts are made side by side: the end of a stage does not wait for the disk
    written = Written(name, file_hash(beside))
    beside.replace(path)
    return written


def write_batches(folder: Path, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> tuple[Written, int]:
    """Write one Parquet file, ROW_GROUP rows at a time, under its name only when all is on disk. Also the rows."""
    path, beside, rows = folder / name, folder / f"{name}.new", 0
    # Limits of single values serve no reader of lists; numbers whose bytes stand apart take less room and time.
    how = {
        "use_dictionary": _dictionary_columns(schema), "write_statistics": schema.names[:-1],
        "column_encoding": {f"{schema.names[-1]}.list.element": "BYTE_STREAM_SPLIT"},
    }  # fmt: skip
    with pq.ParquetWriter(beside, schema, **_FAST, **how) as writer:
        for group in _groups_of_rows(batches, schema):
            writer.write_table(group, row_group_size=ROW_GROUP)
            rows += group.num_rows
    sync(beside)
    written = Written(name, file_hash(beside))
    beside.rename(path)
    return written, rows


@dataclass
class StageWriter:
    """A stage in the making: files go to `folder`, which takes the stage's name when all is well."""

    folder: Path
    outputs: dict[str, str] = field(default_factory=dict)

    def add(self, written: Written) -> None:
        """Count a file that was written to `folder` as one of the stage."""
        self.outputs[written.name] = written.sha256

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write one Parquet file (zstd) named `name` relative to the stage."""
        self.add(write_part(self.folder, name, table))

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file as it is."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.outputs[name] = hashlib.sha256(content).hexdigest()

    def adopt(self, path: Path, sha256: str, name: str = "") -> None:
        """Take over an earlier stage's file as it is, as `name`: by a link where the disk knows them, else a copy."""
        target = self.folder / (name or path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(path, target)
        self.outputs[name or path.name] = sha256

    def remove(self, name: str) -> None:
        """Remove a folder that was only needed on the way."""
        shutil.rmtree(self.folder / name)


def _groups_of_rows(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The same rows in tables of ROW_GROUP rows or GROUP_VALUES values: they do not depend on how rows came in."""
    waiting: list[pa.RecordBatch] = []
    rows = values = 0
    for batch in batches:
        waiting.append(batch)
        rows, values = rows + batch.num_rows, values + _values(batch)
        while rows >= ROW_GROUP or values >= GROUP_VALUES:
            table = pa.Table.from_batches(waiting, schema)
            first = _first_group(table)
            yield table.slice(0, first).combine_chunks()
            rest = table.slice(first)
            waiting, rows = rest.to_batches(), rest.num_rows
            values = sum(map(_values, waiting))
    if rows:
        yield pa.Table.from_batches(waiting, schema).combine_chunks()


def _values(batch: pa.RecordBatch) -> int:
    """How many values the lists of a batch span."""
    offsets = batch.column(batch.num_columns - 1).offsets
    return int(offsets[-1].as_py() - offsets[0].as_py())


def _first_group(table: pa.Table) -> int:
    """How many rows the first group takes: as many as fit, at least one."""
    lengths = pc.fill_null(pc.list_value_length(table.column(table.num_columns - 1)), 0)
    ends = np.cumsum(lengths.to_numpy())
    return min(ROW_GROUP, int(np.searchsorted(ends, GROUP_VALUES)) + 1)


def _with_plain_texts(table: pa.Table) -> pa.Table:
    """Texts as Arrow has them first, not as Polars does: the same file for whoever reads its schema."""
    kinds = [pa.string() if pa.types.is_large_string(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema([field.with_type(kind) for field, kind in zip(table.schema, kinds, strict=True)]))


def _dictionary_columns(schema: pa.Schema) -> list[str]:
    """Text columns repeat (a machine's name): a dictionary pays there, for numbers it only costs time."""
    return [f.name for f in schema if f.name != ID and pa.types.is_string(f.type)]
