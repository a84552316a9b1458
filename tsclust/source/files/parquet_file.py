"""A Parquet file as rows, in memory that does not grow with its row groups."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tsclust.config import MISSING
from tsclust.errors import BadSeriesError, SourceFileError
from tsclust.source.columns import shortened
from tsclust.source.files.columns import hold_arrays, lists_of, unreadable
from tsclust.source.files.objects import FilePath, ObjectPath
from tsclust.source.number_text import numbers_of
from tsclust.source.protocols import Batches, OnBytes

BATCH = 1 << 24  # bytes of memory of one batch
_WITH_TEXT = 1 << 16  # rows of one batch, where a dictionary hides how long the texts are
_FIRST = 100  # rows that show whether a column of texts holds arrays
_BUFFER = 1 << 20  # bytes of a column that are read at once: without it Arrow reads all of a row group's column
_OF_OBJECT = 1 << 22  # the same for objects, each a request
_UUID = 16  # bytes
_WHOLE = 18  # digits that surely fit into int64


@dataclass(frozen=True)
class ParquetFile:
    """One Parquet file; the protocol is `Rows`.

    left_out  the columns that are not in `schema`: name -> why
    orders    the types of columns that hold more than their type in `schema` keeps, or that are not in it
    int96     columns with the old type of Impala and Spark, whose nanoseconds may be more than int64 counts
    """

    label: str
    schema: pa.Schema
    size: int
    path: FilePath
    left_out: Mapping[str, str]
    orders: Mapping[str, pa.DataType]
    int96: frozenset[str]
    missing: tuple[str, ...]
    first_row: int = 1

    def read(self, types: Mapping[str, pa.DataType], tell: OnBytes) -> Batches:
        """See `Rows.read`."""
        for name in types:
            if name in self.left_out and types[name] != self.orders.get(name):
                raise BadSeriesError(f"{self.label}: {self.left_out[name]}", "Name another column, or convert this one")
        self._check_int96([n for n, t in types.items() if n in self.int96 and _is_nanoseconds(t)])
        with _file(self.path, self.label, "ns" if any(map(_is_nanoseconds, types.values())) else "us") as file:
            rows = told = 0
            for batch in file.iter_batches(_batch_rows(file.metadata, types), columns=list(types)):
                yield self._converted(batch, types, rows)
                rows += batch.num_rows
                passed = self.size * rows // file.metadata.num_rows
                tell(passed - told)
                told = passed
            tell(self.size - told)

    def _check_int96(self, names: list[str]) -> None:
        """Raises BadSeriesError where a time is beyond 2262: Arrow would turn it into another one and say nothing."""
        if not names:
            return
        with _file(self.path, self.label) as file:
            for batch in file.iter_batches(columns=names):
                for name in names:
                    years = pc.min_max(pc.year(batch.column(name))).as_py()
                    if years["min"] is not None and not (years["min"] > 1677 and years["max"] < 2262):
                        raise BadSeriesError(
                            f"{self.label}: column {name} has a time in the year {years['max']}: expected 1678 to 2261",
                            "Name another column with --order, or write this one as timestamp(us)",
                        )

    def _converted(self, batch: pa.RecordBatch, types: Mapping[str, pa.DataType], rows: int) -> pa.RecordBatch:
        arrays = [self._column(name, batch.column(name), wanted, rows) for name, wanted in types.items()]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(list(types.items())))

    def _column(self, name: str, array: pa.Array, wanted: pa.DataType, rows: int) -> pa.Array:
        what = f"{self.label}: column {name}"
        array = _plain(array)
        if pa.types.is_string(array.type) and pa.types.is_list(wanted):
            return lists_of(array, wanted, what, rows + 1)
        if pa.types.is_string(array.type) and pa.types.is_floating(wanted):
            return numbers_of(array, wanted, self.missing, what, rows + 1)
        try:
            return array.cast(wanted, safe=_is_nanoseconds(wanted) or not _may_round(wanted))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise BadSeriesError(
                f"{what} ({array.type}) cannot be read as {wanted}: {shortened(str(error), 150)}",
                f"Correct it in rows {rows + 1} to {rows + len(array)}, or name another column",
            ) from None


def opened(path: FilePath, label: str, missing: tuple[str, ...] = MISSING) -> ParquetFile:
    """The file with the columns that can be used. Raises SourceFileError where it is damaged or encrypted."""
    with _file(path, label) as file:
        arrow = file.schema_arrow
        twice = [name for name, times in Counter(arrow.names).items() if times > 1]
        if twice:
            raise BadSeriesError(f"{label}: column {twice[0]} occurs twice", "Give every column a different name")
        shown = {f.name: _shown(f.type) for f in arrow}
        usable = {name: type_ for name, type_ in shown.items() if type_ is not None}
        usable |= dict.fromkeys(_arrays_as_text(file, usable), pa.list_(pa.float64()))
        left_out = {f.name: _why_left_out(f) for f in arrow if shown[f.name] is None}
        int96 = frozenset(
            c.name for c in map(file.schema.column, range(len(file.schema))) if c.physical_type == "INT96"
        )
        orders = {f.name: t for f in arrow if (t := _exact(f.type, f.name in int96)) is not None}
        schema = pa.schema(list(usable.items()))
        return ParquetFile(label, schema, path.stat().st_size, path, left_out, orders, int96, missing)


def _exact(type_: pa.DataType, int96: bool) -> pa.DataType | None:
    """The type that orders the values of a column exactly, where the one that is shown does not."""
    if pa.types.is_timestamp(type_) and (type_.unit == "ns" or int96):
        return pa.timestamp("ns", "UTC" if type_.tz else None)
    if pa.types.is_duration(type_):
        return pa.int64()
    return type_ if pa.types.is_decimal128(type_) and not pa.types.is_integer(_shown(type_)) else None


def _is_nanoseconds(type_: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(type_) and type_.unit == "ns")


@contextmanager
def _file(path: FilePath, label: str, int96: str = "us") -> Iterator[pq.ParquetFile]:
    """The open file; what Arrow says against it becomes SourceFileError."""
    try:
        where, buffer = (path.raw(), _OF_OBJECT) if isinstance(path, ObjectPath) else (path, _BUFFER)
        with pq.ParquetFile(where, pre_buffer=False, buffer_size=buffer, coerce_int96_timestamp_unit=int96) as file:
            yield file
    except (pa.ArrowException, UnicodeError) as error:  # a column's name may be no text
        raise _damaged(label, str(error)) from None
    except OSError as error:
        raise (unreadable(label, error) if error.errno else _damaged(label, str(error))) from None


def _damaged(label: str, why: str) -> SourceFileError:
    if "ncrypt" in why or "ecrypt" in why:
        return SourceFileError(
            f"{label} is encrypted: expected Parquet without encryption", "Write it again without encryption"
        )
    return SourceFileError(
        f"{label} is damaged: expected a Parquet file ({shortened(why, 150)})", "Copy it again, or create it again"
    )


def _arrays_as_text(file: pq.ParquetFile, types: Mapping[str, pa.DataType]) -> list[str]:
    """The columns of texts that hold arrays, by the first rows."""
    names = [name for name, type_ in types.items() if pa.types.is_string(type_)]
    first = next(file.iter_batches(_FIRST, columns=names), None) if names else None
    if first is None:
        return []
    texts = {name: _plain(first.column(name)) for name in names}
    return [name for name, a in texts.items() if pa.types.is_string(a.type) and hold_arrays(a)]


def _batch_rows(metadata: pq.FileMetaData, names: Mapping[str, pa.DataType]) -> int:
    """How many rows make about BATCH bytes in that row group that has the longest ones."""
    widest = max((_row_bytes(metadata.row_group(i), names) for i in range(metadata.num_row_groups)), default=1.0)
    most = _WITH_TEXT if any(pa.types.is_string(t) for t in names.values()) else BATCH
    return max(1, min(most, int(BATCH / widest)))


def _row_bytes(group: pq.RowGroupMetaData, names: Mapping[str, pa.DataType]) -> float:
    """Bytes of memory of a row: a list has more values than rows, and an encoding may hide how many bytes they take."""
    columns = [group.column(i) for i in range(group.num_columns)]
    used = [c for c in columns if c.path_in_schema in names or c.path_in_schema.split(".")[0] in names]
    return float(sum(max(c.total_uncompressed_size, 8 * c.num_values) for c in used) / max(1, group.num_rows)) or 1.0


def _may_round(wanted: pa.DataType) -> bool:
    inner = wanted.value_type if pa.types.is_list(wanted) else wanted
    return bool(pa.types.is_floating(inner) or pa.types.is_timestamp(inner))


def _plain(array: pa.Array) -> pa.Array:
    """`array` without dictionaries, extensions and bytes that are texts."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_fixed_size_binary(array.type) and array.type.byte_width == _UUID:
        return pa.array([None if b is None else str(uuid.UUID(bytes=b)) for b in array.to_pylist()], pa.string())
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    return array


def _shown(type_: pa.DataType) -> pa.DataType | None:
    """The type that a column has for those who read it; None where they cannot use it."""
    if isinstance(type_, pa.BaseExtensionType):
        return _shown(type_.storage_type)
    if pa.types.is_dictionary(type_):
        return _shown(type_.value_type)
    if pa.types.is_decimal(type_):
        return pa.int64() if type_.scale == 0 and type_.precision <= _WHOLE else pa.float64()
    if pa.types.is_timestamp(type_):
        return pa.timestamp("us", "UTC" if type_.tz else None)
    if _is_list(type_):
        inner = _number(type_.value_type)
        return inner and pa.list_(inner)
    return _simple(type_)


def _simple(type_: pa.DataType) -> pa.DataType | None:
    if pa.types.is_float16(type_):
        return pa.float32()
    if pa.types.is_date(type_):
        return pa.date32()
    if pa.types.is_nested(type_) or pa.types.is_duration(type_) or pa.types.is_interval(type_):
        return None
    kept = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
    return type_ if any(is_(type_) for is_ in kept) else pa.string()  # texts, bytes that are texts, times of day


def _is_list(type_: pa.DataType) -> bool:
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view,
             pa.types.is_large_list_view)  # fmt: skip
    return any(is_(type_) for is_ in kinds)


def _number(type_: pa.DataType) -> pa.DataType | None:
    """What the numbers of a list become; None where they are no numbers."""
    if pa.types.is_float32(type_) or pa.types.is_float16(type_):
        return pa.float32()
    if pa.types.is_floating(type_) or pa.types.is_integer(type_) or pa.types.is_decimal(type_):
        return pa.float64()
    return None


def _why_left_out(field: pa.Field) -> str:
    if _is_list(field.type) and _is_list(field.type.value_type):
        return f"column {field.name} is a list of lists ({field.type}): expected one list of numbers in a row"
    return f"column {field.name} is of type {field.type}: expected numbers, texts, times or a list of numbers"
