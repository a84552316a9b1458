"""Rows in any order -> series, part by part, in bounded memory: through one file on disk, sorted by a hash of the id.

What has no index is read once, from beginning to end, and a series' rows may lie anywhere in it. Every batch is sorted
by a hash of the id into BUCKETS slices and written away; then a bucket at a time is read back, which holds all rows of
its series. Which series share a part depends on their ids alone, not on the order they came in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.hashing import hash_ids
from tsclust.source import checks
from tsclust.source.long_rows import Sameness, counts_of, grouped, unique, with_counts
from tsclust.source.pauses import Pauses

BUCKETS = 256
SORTED_BYTES = 16 * 2**20  # that are sorted and written at a time
PART_BYTES = 64 * 2**20  # of a part, where series are long


@dataclass
class Spill:
    """The file between: `add` every batch, then read `series`.

    Columns are series_id, carried ones and values: a list each (`long` is False); or series_id, order, carried ones and
    values: one number each (`long`), of which a series may have `longest`. `same` is what the rows of a series have in
    common; the column FILE may stand before the carried ones.
    """

    schema: pa.Schema
    long: bool
    same: Sameness | None
    longest: int
    has_text: str  # the source's condition for a column that is not blank
    _writer: pa.ipc.RecordBatchFileWriter
    _path: Path
    _slices: list[list[int]] = field(default_factory=lambda: [[] for _ in range(BUCKETS)])  # of each bucket
    _sizes: list[int] = field(default_factory=list)  # rows of each slice
    _waiting: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = field(default=0)
    pauses: Pauses = field(default_factory=Pauses)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch. Raises BadSeriesError where an id is NULL or blank."""
        checks.refuse_nameless(batch.column(0), self.rows, self.same.ids if self.same else (), self.has_text)
        self.rows += batch.num_rows
        self._waiting.append(batch)
        if sum(b.nbytes for b in self._waiting) >= SORTED_BYTES:
            self._write_away()

    def _write_away(self) -> None:
        """Write what waits, a slice for each bucket: many at a time, as a slice has a head of its own."""
        table = pa.Table.from_batches(self._waiting, self.schema).combine_chunks()
        self._waiting = []
        if not table.num_rows:
            return
        buckets = hash_ids(table["series_id"].combine_chunks(), 0) >> np.uint64(56)
        order = np.argsort(buckets, kind="stable")
        ends = np.searchsorted(buckets[order], np.arange(BUCKETS + 1))
        (by_bucket,) = table.take(pa.array(order)).combine_chunks().to_batches()
        written = sum(map(len, self._slices))
        for bucket in np.flatnonzero(np.diff(ends)):  # few rows fill few buckets
            self._writer.write_batch(by_bucket.slice(ends[bucket], ends[bucket + 1] - ends[bucket]))
            self._slices[bucket].append(written)
            self._sizes.append(int(ends[bucket + 1] - ends[bucket]))
            written += 1

    def series(self, part_rows: int) -> Iterator[pa.Table]:
        """Tables of about part_rows series or PART_BYTES, ascending by series_id; each series once and whole.

        Raises BadSeriesError where an id of array rows is there twice, a series of long rows has more values than
        `longest`, or they are not what `same` says.
        """
        self._write_away()
        self._writer.close()
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            waiting: list[pa.Table] = []
            for slices in filter(None, self._slices):
                waiting.append(self._bucket(reader, slices))
                if sum(t.num_rows for t in waiting) >= part_rows or sum(t.nbytes for t in waiting) >= PART_BYTES:
                    yield _sorted(waiting)
            if self.same is not None:
                self.pauses.check(self.same.order, self.same.apart())
            if waiting:
                yield _sorted(waiting)

    def _bucket(self, reader: pa.ipc.RecordBatchFileReader, slices: list[int]) -> pa.Table:
        if self.long and sum(self._sizes[number] for number in slices) > self.longest:
            self._refuse_longer(slices)
        table = pa.Table.from_batches(map(reader.get_batch, slices), self.schema)
        return grouped(table, self.same, self.pauses) if self.long else unique(table, self.same)

    def _refuse_longer(self, slices: list[int]) -> None:
        """Raises BadSeriesError where one series is the reason that the bucket is large; only its ids are read."""
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=[0]))
            ids = pa.chunked_array(reader.get_batch(number).column(0) for number in slices)
        counted = ids.value_counts()
        checks.refuse_longer(counted.field("values"), counted.field("counts"), self.longest)


@contextmanager
def spilling(
    folder: Path,
    schema: pa.Schema,
    long: bool,
    same: Sameness | None = None,
    longest: int = 5_000_000,
    has_text: str = checks.HAS_TEXT,
) -> Iterator[Spill]:
    """A Spill whose file lies in `folder` and goes with the context."""
    path = folder / "spill.arrow"
    try:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            yield Spill(schema, long, same, longest, has_text, writer, path)
    finally:
        path.unlink(missing_ok=True)


def _sorted(tables: list[pa.Table]) -> pa.Table:
    """All of them in one, ascending by series_id. They are taken out of the list: memory holds a part once less."""
    counts = sum((counts_of(t.schema) for t in tables), Counter[str]())
    table = pa.concat_tables([with_counts(t, {}) for t in tables]).combine_chunks()
    tables.clear()
    return with_counts(table.take(pc.sort_indices(table["series_id"])), counts)
