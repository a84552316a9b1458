"""What every source offers, whether ranges of it can be read or only all of it from end to end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True)
class Range:
    """Series with low <= id < high. None is an open end; `rows` is an estimate."""

    low: str | None  # as the server writes an id as text
    high: str | None
    rows: int


RowFilter = Callable[[pa.RecordBatch], pa.RecordBatch]  # leaves the rows out that are not wanted
# identity -> the ranges planned for it before, None = none were
PlannedRanges = Callable[[str], tuple[Range, ...] | None]
Batches = Generator[pa.RecordBatch, None, None]
Tables = Generator[pa.Table, None, None]
OnBytes = Callable[[int], None]  # tell(n): n more bytes of `size` have been read


@dataclass(frozen=True)
class SourceInfo:
    """What is to be read. Plain values, none of them secret."""

    origin: str  # "machine.cycles on PostgreSQL 18.1, database demo"
    location_hash: str  # a hash of where it lies: the database, the files
    identity: str  # a hash of its place and what is selected: the same one means that reading can go on
    layout: str  # in words
    settings: dict[str, str]  # the layout as keys of [source]
    schema: pa.Schema  # series_id, carried columns, values: list<double | float>
    snapshot: str  # "" for files
    ranges: tuple[Range, ...]  # () where there is only one way through it
    rows: int  # series as far as is known before, 0 = not known
    # How far this reading comes, for the next --update: the highest id, or that of the watermark.
    high_watermark: str | None
    size: int = 0  # bytes to read in one pass, 0 = not known


class Reader(Protocol):
    """A source that is open."""

    info: SourceInfo

    def batches(self, range_: Range) -> Iterator[pa.RecordBatch]:
        """The series of one range, ascending by id, a few MB at a time. Any number of threads may call it."""
        ...

    def parts(self, folder: Path, keep: RowFilter, tell: OnBytes) -> Tables:
        """All series in one pass, a part at a time; what does not fit in memory waits on disk in `folder`."""
        ...

    def prepare(self, say: Callable[[str], None]) -> None:
        """What is done once before reading; `say` is told what takes a while."""
        ...

    def cancel(self) -> None:
        """End the reading of all `batches`: those who wait for them get an error."""
        ...


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

    def read(self, types: Mapping[str, pa.DataType], tell: OnBytes) -> Batches:
        """Batches with these columns in this order and these types, about 16 MB at a time; from the first row on.

        A NULL or missing value is null, NaN and infinities stay what they are. `types` may ask for another type than
        `schema` has (float64 for a column of whole numbers). Whoever does not take all of them closes it. Raises
        SourceFileError where the place cannot be read to its end, BadSeriesError where a value does not fit its type.
        """
        ...


def first_batch(rows: Rows, types: Mapping[str, pa.DataType]) -> pa.RecordBatch | None:
    """The first rows; None where there are none. Nothing reads on behind them."""
    with closing(rows.read(types, lambda _: None)) as batches:
        return next(batches, None)
