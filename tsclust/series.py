"""SeriesBlock: many series as flat arrays; and what the columns of a table of series are called.

Odd series are settled here and in `features`, never by a list of arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.arrays import Bools, Floats, Int64s, Keys, Values

ID, VALUES = "series_id", "values"  # the columns of a table of series; all others are carried along
PIECE = 4_096  # series that are held as float64 at a time
BETWEEN = "\x1f"  # between the columns of a key: cannot stand in text that people type


def carried(names: Sequence[str]) -> list[str]:
    """Those of the columns of a table of series that are carried along: all but the id and the values."""
    return [name for name in names if name not in (ID, VALUES)]


def is_in(ids: pa.Array | pa.ChunkedArray, known: pa.Array) -> Bools:
    """(n,) which of the ids are known."""
    found: Bools = pc.is_in(ids, value_set=known).to_numpy(zero_copy_only=False)
    return found


def nameless(ids: pa.Array | pa.ChunkedArray) -> Bools:
    """(n,) which of the ids name nothing: null, or text of nothing but spaces."""
    missing = pc.is_null(ids)
    if pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type):
        blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(ids)), 0)
        missing = pc.or_(missing, pc.fill_null(blank, False))
    found: Bools = missing.to_numpy(zero_copy_only=False)
    return found


def keys(columns: pl.DataFrame) -> Keys:
    """(n,) the columns of each row as one text, a missing value as "": what tells the series of a baseline apart."""
    text = columns.select(pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator=BETWEEN)).to_series()
    return text.to_numpy().astype(str)


@dataclass(frozen=True)
class SeriesBlock:
    """The series of one part.

    ids      (n,) Arrow array, integers or text
    offsets  (n + 1,) int64: series i is values[offsets[i]:offsets[i + 1]]
    values   (total,) float64 or float32, in the recorder's unit; a missing value is NaN
    """

    ids: pa.Array
    offsets: Int64s
    values: Values

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, i: int) -> Values:
        """The values of series i: a view, not a copy."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def pieces(self) -> Iterator[tuple[slice, Int64s, Floats]]:
        """Some thousand series at a time, for kernels: which they are, their offsets, and their values as float64, not
        to be written to. numba compiles a kernel for each type of array: one is enough."""
        for first in range(0, len(self), PIECE):
            rows = slice(first, min(first + PIECE, len(self)))
            offsets = self.offsets[first : rows.stop + 1]
            values = self.values[offsets[0] : offsets[-1]].astype(np.float64, copy=False).view()
            values.flags.writeable = False
            yield rows, offsets - offsets[0], values

    def take(self, rows: Int64s) -> SeriesBlock:
        """These series, in this order."""
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        places = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
        return SeriesBlock(self.ids.take(pa.array(rows)), offsets, self.values[places])

    @classmethod
    def from_arrow(cls, table: pa.Table) -> SeriesBlock:
        """A block over a table with `series_id` and `values` (list<double> or list<float>). A NULL list is empty."""
        lists = table[VALUES].combine_chunks()
        lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
        if lists.null_count:  # an Arrow list that is null may still span values: rebuild it without
            lists = lists.fill_null([])
        offsets = lists.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
        flat = lists.values
        values = np.asarray(flat.to_numpy(zero_copy_only=False), dtype=flat.type.to_pandas_dtype())
        ids = table[ID].combine_chunks()
        return cls(ids.chunk(0) if isinstance(ids, pa.ChunkedArray) else ids, offsets, values)
