"""SeriesBlock: many series as flat arrays. Odd series are settled here and in `features`, never by a list of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tsclust.arrays import Int64s, Values


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

    @classmethod
    def from_arrow(cls, table: pa.Table) -> SeriesBlock:
        """A block over a table with `series_id` and `values` (list<double> or list<float>). A NULL list is empty."""
        lists = table["values"].combine_chunks()
        lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
        if lists.null_count:  # an Arrow list that is null may still span values: rebuild it without
            lists = lists.fill_null([])
        offsets = lists.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
        flat = lists.values
        values = np.asarray(flat.to_numpy(zero_copy_only=False), dtype=flat.type.to_pandas_dtype())
        ids = table["series_id"].combine_chunks()
        return cls(ids.chunk(0) if isinstance(ids, pa.ChunkedArray) else ids, offsets, values)
