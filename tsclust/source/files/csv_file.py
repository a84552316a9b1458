"""A CSV file as rows: with a header, in UTF-8, plain or gzip, separated by comma, semicolon, tab or bar."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import threading
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from tsclust.config import MISSING
from tsclust.errors import BadSeriesError, SourceFileError, TsclustError
from tsclust.source.columns import shortened
from tsclust.source.files.columns import hold_arrays, lists_of, unreadable
from tsclust.source.number_text import not_missing, with_nulls
from tsclust.source.protocols import OnBytes
from tsclust.source.time_text import NUMBER

BLOCK = 1 << 24  # bytes of text in one batch, and the longest line that can be read
GZIP = b"\x1f\x8b"
_DELIMITERS = "\t;|,"  # a comma last: texts between the others hold it more often
_NUMBER = r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?"
_ARRAY = r"\{[^{}]*\}|\[[^\[\]]*\]"
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
    path: Path
    delimiter: str
    decimal: str
    header: dict[str, str]  # name -> the name as the file spells it, blanks around it included
    missing: tuple[str, ...]  # texts that mean a missing value in columns of numbers and times
    orders: Mapping[str, pa.DataType]  # the types of columns that hold more than their type in `schema` keeps
    first_row: int = 2  # the line of the first row

    def read(self, types: Mapping[str, pa.DataType], tell: OnBytes) -> Iterator[pa.RecordBatch]:
        """See `Rows.read`."""
        with Text(self.path, self.label) as text:
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
            parsing = pacsv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True)
            reader = pacsv.open_csv(text, _reading(BLOCK), parsing, convert)
            with reader:
                yield from reader
        except pa.ArrowInvalid as error:
            if "Empty CSV" not in str(error):  # a header and no rows
                raise _refused(self.label, list(self.header), str(error)) from None

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


class Text(io.RawIOBase):
    """The bytes of a file, unpacked where it is a gzip."""

    def __init__(self, path: Path, label: str) -> None:
        """Raises SourceFileError where it cannot be opened; so does `read` where it cannot be read."""
        self._label, self._before_quote, self._quotes, self._last = label, b"", 0, b"\n"
        self.room = threading.Semaphore(6)  # how many blocks may be read before one is released
        try:
            self._file = path.open("rb")
            is_gzip = self._file.peek(2)[:2] == GZIP
        except OSError as error:
            raise unreadable(label, error) from None
        self._bytes = gzip.GzipFile(fileobj=self._file) if is_gzip else self._file

    def read(self, size: int = -1) -> bytes:
        self.room.acquire(timeout=5)  # Arrow would read 32 blocks ahead; if it waits for one of them, so be it
        try:
            data = self._bytes.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            what = "is cut off" if isinstance(error, EOFError) else f"is damaged ({error})"
            raise SourceFileError(f"{self._label}: the gzip file {what}", "Copy it again, or create it again") from None
        except OSError as error:
            raise unreadable(self._label, error) from None
        self._note(data)
        return data

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.room.release(100)
        for file in filter(None, (getattr(self, "_bytes", None), getattr(self, "_file", None))):
            file.close()
        super().close()

    @property
    def passed(self) -> int:
        """How many bytes of the disk have been read."""
        return self._file.tell()

    @property
    def open_quote(self) -> bool:
        """The last quote of what was read begins a cell that never ends."""
        return self._quotes % 2 == 1 and self._before_quote in (b"\n", b"\r", *(d.encode() for d in _DELIMITERS))

    def _note(self, data: bytes) -> None:
        """Arrow takes the rest of a file for one cell where a quote is not closed, and says nothing."""
        count, last = data.count(b'"'), data.rfind(b'"')
        if count:
            self._quotes += count
            self._before_quote = data[last - 1 : last] if last else self._last
        self._last = data[-1:] or self._last


def opened(path: Path, label: str, sample: int = BLOCK, missing: tuple[str, ...] = MISSING) -> CsvFile:
    """The file with the columns of its header, their types found in its first `sample` bytes.

    Raises SourceFileError where it is no readable text, BadSeriesError where its header or its cells are no table.
    """
    with Text(path, label) as text:
        data = text.read(sample)
        if data.count(b"\n") < 3:  # too few to show a whole row
            data += text.read(2 * BLOCK)
        cut, size = bool(text.read(1)), path.stat().st_size
    names, delimiter = _header(data, label)
    texts, decimal, inferred = _head(data, names, delimiter, cut, label, missing)
    found = {name.strip(): _found(inferred[name].type, _cells(texts[name], missing)) for name in names}
    header = {name.strip(): name for name in names}
    fine = {n: wide for n, t in found.items() if (wide := _fine(t, texts[header[n]])) is not None}
    return CsvFile(label, pa.schema(list(found.items())), size, path, delimiter, decimal, header, missing, fine)


def _fine(found: pa.DataType, texts: pa.ChunkedArray) -> pa.DataType | None:
    """The type that keeps every digit of a column, where the one that was found does not."""
    if pa.types.is_timestamp(found) and _any(texts, r"[.,]\d{7}"):
        return pa.timestamp("ns", found.tz)
    return NUMBER if pa.types.is_float64(found) and _any(texts, r"\d{7}.*[.,]\d.*\d{5}|\d{17}") else None


def _reading(block: int) -> pacsv.ReadOptions:  # threads are no faster, and lose the row's number
    return pacsv.ReadOptions(block_size=block, use_threads=False)


def _convert(decimal: str, missing: Sequence[str]) -> pacsv.ConvertOptions:
    return pacsv.ConvertOptions(null_values=["", *missing], strings_can_be_null=False, decimal_point=decimal)


def _header(data: bytes, label: str) -> tuple[list[str], str]:
    """The names of the columns and the delimiter: that which gives most of them."""
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(data[: 1 << 22])
        rows = {d: _first_rows(text, d) for d in _DELIMITERS}
    except UnicodeDecodeError as error:
        raise _not_utf8(label, f"byte {error.start + 1}") from None
    except csv.Error as error:
        raise BadSeriesError(f"{label}: the header cannot be read ({error})", "Check its first line") from None
    delimiter = max(_DELIMITERS, key=lambda d: (len(rows[d][0]), len(rows[d][0]) == len(rows[d][1])))
    _check_header(rows[delimiter][0], label)
    return rows[delimiter][0], delimiter


def _first_rows(text: str, delimiter: str) -> tuple[list[str], list[str]]:
    reader = filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    header = next(reader, [])
    try:
        return header, next(reader, header)
    except csv.Error:  # a cell that is too long for the csv module: an array
        return header, header


def _check_header(names: list[str], label: str) -> None:
    cells = [name.strip() for name in names]
    numbers = [c for c in cells if re.fullmatch(rf"{_NUMBER}|\d{{4}}-\d\d-\d\d.*", c)]
    if any(re.fullmatch(_ARRAY, c) for c in cells) or (numbers and len(numbers) == sum(map(bool, cells))):
        raise BadSeriesError(
            f"{label}: its first line is data ({shortened(','.join(cells))}): expected the names of the columns",
            "Put a line with names before it, for example: series_id,idx,value",
        )
    if not all(cells):
        raise BadSeriesError(f"{label}: column {cells.index('') + 1} has no name", "Name every column in line 1")
    twice = [name for name, times in Counter(cells).items() if times > 1]
    if twice:
        raise BadSeriesError(f"{label}: column {twice[0]} occurs twice", "Give every column a different name")


def _head(
    data: bytes, names: list[str], delimiter: str, cut: bool, label: str, missing: Sequence[str]
) -> tuple[pa.Table, str, pa.Table]:
    """The first rows as text, the decimal point, and the same rows as Arrow infers them."""
    if cut:
        data = data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1]
    as_text = _convert(".", missing)
    as_text.column_types = dict.fromkeys(names, pa.string())
    texts = _parsed_head(data, delimiter, as_text, label)
    rows = texts.num_rows - (cut and texts.num_rows > 1)  # a quoted cell of the last row may go on behind the sample
    texts = texts.slice(0, rows)
    decimal = "," if delimiter == ";" and any(_has_comma(_cells(c, missing)) for c in texts.columns) else "."
    return texts, decimal, _parsed_head(data, delimiter, _convert(decimal, missing), label).slice(0, rows)


def _parsed_head(data: bytes, delimiter: str, convert: pacsv.ConvertOptions, label: str) -> pa.Table:
    """Rows of another length than the header are left out: `read` will refuse them by their number."""
    parsing = pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=lambda row: "skip")
    try:
        return pacsv.read_csv(io.BytesIO(data + b"\n"), _reading(len(data) + 2), parsing, convert)
    except pa.ArrowInvalid as error:
        raise _refused(label, [], str(error)) from None


def _cells(texts: pa.ChunkedArray, missing: Sequence[str]) -> pa.Array:
    """Those that are not null, as one array."""
    return with_nulls(texts.combine_chunks(), missing).drop_null()


def _all(texts: pa.Array, pattern: str) -> bool:
    return len(texts) > 0 and bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def _any(texts: pa.Array, pattern: str) -> bool:
    return pc.any(pc.match_substring_regex(texts, pattern)).as_py() is True


def _has_comma(texts: pa.Array) -> bool:
    return _all(texts, f"^(?:{_NUMBER})$") and _any(texts, ",")


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


def _refused(label: str, names: list[str], message: str) -> TsclustError:
    """What Arrow says about a file, as an error of ours."""
    value = _BAD_VALUE.fullmatch(message)
    if "UTF8" in message:
        return _not_utf8(label, f"row {value[2]}" if value else message)
    if value:
        return _bad_value(label, names[int(value[1])], value[2], value[3], value[4])
    if row := _BAD_ROW.fullmatch(message):
        return BadSeriesError(
            f"{label}, row {row[1]}: {row[3]} instead of {row[2]} cells ({shortened(row[4])})",
            "It may be cut off; a cell that contains the delimiter, such as an array, must be in quotes",
        )
    if "straddl" in message:
        return BadSeriesError(
            f"{label}: a line is longer than {BLOCK >> 20} MB", "Look for a quote that is not closed, or write Parquet"
        )
    return SourceFileError(f"{label} cannot be read as CSV ({message})", "Open it in an editor and look at its lines")


def _bad_value(label: str, name: str, row: str | None, type_: str, why: str) -> BadSeriesError:
    value = re.search(r"'(.*)'", why, re.DOTALL)
    text = shortened(value[1]) if value else why
    problem = f"{label}: column {name} has {text} in row {row}: expected {_NAMES.get(type_, type_)}, as before"
    if value and type_ in _NUMBERS:
        return not_missing(problem, value[1])
    return BadSeriesError(
        problem, "Correct it or leave it empty; if it is right, move its row up: the first rows decide the type"
    )


def _not_utf8(label: str, where: str) -> SourceFileError:
    return SourceFileError(f"{label} is not UTF-8 text ({where})", "Save it as UTF-8: iconv -f WINDOWS-1251 -t UTF-8")
