"""A CSV file as rows: with a header, in UTF-8, plain or gzip, separated by comma, semicolon, tab or bar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from tsclust.config import MISSING
from tsclust.errors import BadSeriesError, SourceFileError, TsclustError
from tsclust.source.columns import shortened
from tsclust.source.files import csv_head
from tsclust.source.files.columns import hold_arrays, lists_of
from tsclust.source.files.csv_head import Head
from tsclust.source.files.csv_text import Text, in_arrow
from tsclust.source.files.objects import FilePath
from tsclust.source.number_text import needs_decimals, not_missing, with_nulls
from tsclust.source.protocols import Batches, OnBytes
from tsclust.source.time_text import NUMBER

BLOCK = 1 << 24  # bytes of text in one batch, and the longest line that can be read
_NUMBER = r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?"
_BAD_VALUE = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to (.*?): (.*)", re.DOTALL)
_BAD_ROW = re.compile(r"CSV parse error: (?:Row #(\d+): )?Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)
_NUMBERS = ("double", "float")
_NAMES = {"int64": "a whole number", "double": "a number", "bool": "true or false", "date32[day]": "a date"}


@dataclass(frozen=True)
class CsvFile:
    """One CSV file; the protocol is `Rows`."""

    label: str
    schema: pa.Schema
    size: int
    path: FilePath
    head: Head
    decimal: str
    header: dict[str, str]  # name -> the name as the file spells it, blanks around it included
    missing: tuple[str, ...]  # texts that mean a missing value in columns of numbers and times
    orders: Mapping[str, pa.DataType]  # the types of columns that hold more than their type in `schema` keeps

    @property
    def first_row(self) -> int:
        """The line of the first row."""
        return self.head.first_row

    def read(self, types: Mapping[str, pa.DataType], tell: OnBytes) -> Batches:
        """See `Rows.read`."""
        with Text(self.path, self.label, self.head.start) as text:
            told = rows = 0
            for batch in self._parsed(text, types):
                yield self._converted(batch, types, rows)
                rows += batch.num_rows
                text.room.release()
                passed, told = text.passed - told, text.passed
                tell(passed)
            if text.open_quote:
                raise BadSeriesError(f"{self.label}: a quote is opened but never closed", "Is its end cut off?")
            tell(max(0, self.size - told))

    def _parsed(self, text: Text, types: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        """Batches with what Arrow makes of the columns; arrays are still text."""
        convert = _convert(self.decimal, self.missing)
        convert.include_columns = [self.header[name] for name in types]
        convert.column_types = {self.header[name]: self._parsed_type(name, t) for name, t in types.items()}
        try:
            parsing = pacsv.ParseOptions(delimiter=self.head.delimiter, newlines_in_values=True)
            with text.lent() as ahead:
                reader = pacsv.open_csv(ahead(), _reading(BLOCK, self.head), parsing, convert)
                try:
                    with reader:
                        yield from reader
                finally:
                    del reader
        except pa.ArrowInvalid as error:
            if "Empty CSV" not in str(error):  # a header and no rows
                raise _refused(self.label, self.head, str(error)) from None

    def _parsed_type(self, name: str, wanted: pa.DataType) -> pa.DataType:
        if pa.types.is_list(wanted):
            return pa.string()
        fine = self.orders.get(name)
        if fine is not None and pa.types.is_timestamp(fine) and pa.types.is_timestamp(wanted):
            return pa.timestamp("ns", wanted.tz)
        return wanted

    def _converted(self, batch: pa.RecordBatch, types: Mapping[str, pa.DataType], rows: int) -> pa.RecordBatch:
        arrays = [
            self._column(name, array, wanted, rows)
            for (name, wanted), array in zip(types.items(), batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(list(types.items())))

    def _column(self, name: str, array: pa.Array, wanted: pa.DataType, rows: int) -> pa.Array:
        if pa.types.is_string(array.type):
            is_text = pa.types.is_string(self.schema.field(name).type) and not pa.types.is_list(wanted)
            array = with_nulls(array, () if is_text else self.missing)
        if pa.types.is_list(wanted):
            return lists_of(array, wanted, f"{self.label}: column {name}", rows + self.first_row)
        return array.cast(wanted, safe=False)


def opened(path: FilePath, label: str, sample: int = BLOCK, missing: tuple[str, ...] = MISSING) -> CsvFile:
    """The file with the columns of its header, their types found in its first `sample` bytes.

    Raises SourceFileError where it is no readable text, BadSeriesError where its header or its cells are no table.
    """
    with Text(path, label) as text:
        data = text.read(sample)
        if data.count(b"\n") < 3:  # too few to show a whole row
            data += text.read(2 * BLOCK)
        cut, size = bool(text.read(1)), path.stat().st_size
    head = csv_head.head(data, label, whole=not cut)
    cells, decimal, inferred = _sampled(data[head.start :], head, cut, label, missing)
    header = {name.strip(): name for name in head.columns if name}
    found = {name: _found(inferred[own].type, cells[own]) for name, own in header.items()}
    fine = {n: wide for n, t in found.items() if (wide := _fine(t, cells[header[n]])) is not None}
    return CsvFile(label, pa.schema(list(found.items())), size, path, head, decimal, header, missing, fine)


def _fine(found: pa.DataType, texts: pa.Array) -> pa.DataType | None:
    """The type that keeps every digit of a column, where the one that was found does not."""
    if pa.types.is_timestamp(found) and _any(texts, r"[.,]\d{7}"):
        return pa.timestamp("ns", found.tz)
    return NUMBER if pa.types.is_float64(found) and needs_decimals(texts) else None


def _reading(block: int, head: Head) -> pacsv.ReadOptions:  # threads are no faster, and lose the row's number
    names = [name or f"\0{i}" for i, name in enumerate(head.columns)]
    return pacsv.ReadOptions(block_size=block, use_threads=False, column_names=names)


def _convert(decimal: str, missing: Sequence[str]) -> pacsv.ConvertOptions:
    return pacsv.ConvertOptions(null_values=["", *missing], strings_can_be_null=False, decimal_point=decimal)


def _sampled(
    data: bytes, head: Head, cut: bool, label: str, missing: Sequence[str]
) -> tuple[dict[str, pa.Array], str, pa.Table]:  # fmt: skip
    """The cells of the first rows that are not null, the decimal point, and the same rows as Arrow infers them."""
    if cut:
        data = data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1]
    as_text = _convert(".", missing)
    as_text.column_types = dict.fromkeys(filter(None, head.columns), pa.string())
    texts = _parsed_head(data, head, as_text, label)
    rows = texts.num_rows - (cut and texts.num_rows > 1)  # a quoted cell of the last row may go on behind the sample
    texts = texts.slice(0, rows)
    cells = {name: _cells(texts[name], missing) for name in texts.column_names}
    decimal = _decimal(list(cells.values()), head.delimiter)
    return cells, decimal, _parsed_head(data, head, _convert(decimal, missing), label).slice(0, rows)


def _decimal(columns: Sequence[pa.Array], delimiter: str) -> str:
    """A comma where a column of numbers has one; beside other delimiters than ; it may also be between thousands."""
    commas = [column for column in columns if _has_comma(column)]
    if delimiter == ";":
        return "," if commas else "."
    clear = any(_any(column, r"^\s*[+-]?(?:0+,\d*|\d*,(?:\d{1,2}|\d{4,}))\s*$") for column in commas)
    points = clear and any(_all(column, f"^(?:{_NUMBER})$") and _any(column, r"\.") for column in columns)
    return "," if clear and not points else "."


def _parsed_head(data: bytes, head: Head, convert: pacsv.ConvertOptions, label: str) -> pa.Table:
    """Rows of another length than the header are left out: `read` will refuse them by their number."""
    parsing = pacsv.ParseOptions(
        delimiter=head.delimiter, newlines_in_values=True, invalid_row_handler=lambda row: "skip"
    )
    convert.include_columns = list(filter(None, head.columns))
    if not data.strip():  # a header and no rows
        return pa.table({n: pa.nulls(0, convert.column_types.get(n, pa.null())) for n in convert.include_columns})
    try:
        return pacsv.read_csv(pa.BufferReader(in_arrow(data + b"\n")), _reading(len(data) + 2, head), parsing, convert)
    except pa.ArrowInvalid as error:
        raise _refused(label, head, str(error)) from None


def _cells(texts: pa.ChunkedArray, missing: Sequence[str]) -> pa.Array:
    """Those that are not null, as one array."""
    return with_nulls(texts.combine_chunks(), missing).drop_null()


def _all(texts: pa.Array, pattern: str) -> bool:
    return len(texts) > 0 and bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def _any(texts: pa.Array, pattern: str) -> bool:
    return pc.any(pc.match_substring_regex(texts, pattern)).as_py() is True


def _has_comma(texts: pa.Array) -> bool:
    there = pc.any(pc.match_substring(texts, ",")).as_py() is True  # a look that costs little, and mostly is enough
    return there and _all(texts, f"^(?:{_NUMBER})$")


def _found(inferred: pa.DataType, texts: pa.Array) -> pa.DataType:
    """The type of a column by what Arrow infers and what the cells look like."""
    if pa.types.is_int64(inferred):  # 007 is a name
        return pa.string() if _any(texts, r"^\s*[+-]?0\d") else inferred
    if pa.types.is_float64(inferred):  # whole numbers that are too long for int64: ids
        return pa.string() if _all(texts, r"^\s*[+-]?\d+\s*$") and _any(texts, r"\d{19}") else inferred
    if pa.types.is_timestamp(inferred):
        return pa.timestamp("us", inferred.tz)
    if pa.types.is_boolean(inferred) or pa.types.is_date32(inferred) or pa.types.is_null(inferred):
        return inferred
    return pa.list_(pa.float64()) if len(texts) and hold_arrays(texts) else pa.string()


def _refused(label: str, head: Head, message: str) -> TsclustError:
    """What Arrow says about a file, as an error of ours."""
    value, row = _BAD_VALUE.fullmatch(message), _BAD_ROW.fullmatch(message)
    place = f"row {_line(head, (value and value[2]) or (row and row[1]))}"
    if "UTF8" in message:
        return csv_head.not_utf8(label, place if value or row else message)
    if value:
        return _bad_value(label, head.columns[int(value[1])], place, value[3], value[4])
    if row:
        return BadSeriesError(
            f"{label}, {place}: {row[3]} instead of {row[2]} cells ({shortened(row[4])})",
            "It may be cut off; a cell that contains the delimiter, such as an array, must be in quotes",
        )
    if "straddl" in message:
        return BadSeriesError(
            f"{label}: a line is longer than {BLOCK >> 20} MB", "Look for a quote that is not closed, or write Parquet"
        )
    return SourceFileError(f"{label} cannot be read as CSV ({message})", "Open it in an editor and look at its lines")


def _line(head: Head, row: str | None) -> int:
    """The line of a row that Arrow counts from 1."""
    return int(row or 1) + head.first_row - 1


def _bad_value(label: str, name: str, place: str, type_: str, why: str) -> BadSeriesError:
    value = re.search(r"'(.*)'", why, re.DOTALL)
    text = shortened(value[1]) if value else why
    problem = f"{label}: column {name} has {text} in {place}: expected {_NAMES.get(type_, type_)}, as before"
    if value and type_ in _NUMBERS:
        return not_missing(problem, value[1])
    return BadSeriesError(
        problem, "Correct it or leave it empty; if it is right, move its row up: the first rows decide the type"
    )
