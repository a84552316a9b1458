"""What is read once, from beginning to end: a file, a dump, a table that no index opens by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import pyarrow as pa

Tell = Callable[[int], None]  # tell(n): n more bytes of `size` have been read


class Rows(Protocol):
    """Rows of one table in no order that means anything, in memory that does not grow with their number.

    label   what messages call it: "cycles.csv.gz", "machine.cycles in dump.sql"
    schema  every column with its type. Arrays written as text ({1,2} or [1,2]) count as list<double> already
    size    bytes to be read, compressed as they lie there; 0 = not known
    """

    @property
    def label(self) -> str: ...

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def size(self) -> int: ...

    def read(self, types: Mapping[str, pa.DataType], tell: Tell) -> Iterator[pa.RecordBatch]:
        """Batches with these columns in this order and these types, about 16 MB at a time; from the first row on.

        A NULL or missing value is null, NaN and infinities stay what they are. `types` may ask for another type than
        `schema` has (float64 for a column of whole numbers). Raises SourceFileError where the place cannot be read to
        its end, BadSeriesError where a value does not fit its type.
        """
        ...
