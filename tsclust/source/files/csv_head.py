"""Where the rows of a CSV begin and what its columns are called.

There may be lines before the header, units below it, and columns without a name that only count or hold nothing.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tsclust.errors import BadSeriesError, SourceFileError
from tsclust.source.columns import shortened
from tsclust.source.files import no_header
from tsclust.source.files.csv_text import DELIMITERS

_ROWS = 60  # that are looked at
_TEXT = 1 << 22  # bytes that are
_NUMBER = r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?"
_ARRAY = r"\{[^{}]*\}|\[[^\[\]]*\]"
_TIME = r"\d[\d\s:./,TZ+-]*[:./-][\d\s:./,TZ+-]*"
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_NO_UNIT = ("", "-", "--", "[-]", "text", "string", "name")  # what stands for the unit of a column of texts
_ERRORS = re.compile(r"#.*|.*(?:err|nan|fail|bad|fault|overflow|inval).*", re.IGNORECASE)


@dataclass(frozen=True)
class Head:
    """columns    all columns as the file spells them, "" for those without a name that say nothing
    delimiter  between cells
    start      the byte of the text where the rows begin;  first_row: the line that they begin in
    skipped    lines that are neither header nor rows, as the file has them
    has_names  are the columns called so by the file?
    """

    columns: tuple[str, ...]
    delimiter: str
    start: int
    first_row: int
    skipped: tuple[str, ...] = ()
    has_names: bool = True


@dataclass(frozen=True)
class _Row:
    cells: list[str]
    first: int  # of its lines, from 0
    end: int  # the line behind it


def head(data: bytes, label: str, *, whole: bool) -> Head:
    """The head of a CSV that begins with `data`, which is all of it if `whole`.

    Raises SourceFileError where it is not UTF-8, BadSeriesError where it has no header.
    """
    bom = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    all_there = whole and len(data) <= _TEXT
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data[bom:_TEXT], final=all_there)
    except UnicodeDecodeError as error:
        raise not_utf8(label, f"byte {bom + error.start + 1}", data) from None
    lines = list(io.StringIO(text, newline=""))
    if len(lines) > 2 and not all_there:  # the last one may be cut off
        lines.pop()
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    named = _SEP.fullmatch(lines[first]) if lines else None
    skip = first + 1 if named else _comments(lines, first)
    delimiter, rows, header = _table(lines, skip, named[1] if named else "", label)
    names, rows_below = rows[header].cells, rows[header + 1 :]
    before = tuple(line.strip() for line in lines[: rows[header].first] if line.strip())
    if _is_data([name.strip() for name in names], [row.cells for row in rows_below]) and (
        made := no_header.names([names, *(row.cells for row in rows_below)])
    ):
        begin = rows[header].first
        return Head(made, delimiter, bom + len("".join(lines[:begin]).encode()), begin + 1, before, has_names=False)
    units = _units(rows_below)
    columns = _columns(names, rows_below[units:], label, delimiter)
    _check(columns, names, rows_below[units:], label, delimiter)
    end = rows_below[units - 1].end if units else rows[header].end
    skipped = [*before, *("".join(lines[row.first : row.end]).strip() for row in rows_below[:units])]
    return Head(tuple(columns), delimiter, bom + len("".join(lines[:end]).encode()), end + 1, tuple(skipped))


def not_utf8(label: str, where: str, data: bytes = b"") -> SourceFileError:
    """The error for text in another encoding, with the likeliest one, if there is one."""
    from charset_normalizer import from_bytes  # it takes a while, and mostly nobody needs it

    best = from_bytes(data[: 1 << 16]).best() if data else None
    encoding = best.encoding.upper().replace("_", "-") if best else "WINDOWS-1252"
    name = shlex.quote(label)
    return SourceFileError(
        f"{label} is not UTF-8 text ({where}){'; it looks like ' + encoding if best else ''}",
        f"Save it as UTF-8 if that is so: iconv -f {encoding} -t UTF-8 {name} > utf8.csv, and read that file",
    )


def _comments(lines: Sequence[str], first: int) -> int:
    """The line behind those that begin with #, if what follows has another shape than the last of them."""
    end = first
    while end < len(lines) and (lines[end].startswith("#") or not lines[end].strip()):
        end += 1
    if end == first or end >= len(lines):
        return first
    last, next_ = lines[end - 1], lines[end]
    return end if end - first > 1 or all(last.count(d) != next_.count(d) for d in DELIMITERS if d in next_) else first


def _rows(lines: Sequence[str], start: int, delimiter: str) -> list[_Row]:
    found: list[_Row] = []
    reader = csv.reader(iter(lines[start:]), delimiter=delimiter)
    before = start
    try:
        for cells in reader:
            if cells:
                found.append(_Row(cells, before, start + reader.line_num))
            before = start + reader.line_num
            if len(found) == _ROWS:
                break
    except csv.Error:  # a cell that is too long for the csv module: an array
        if not found:
            raise
    return found


def _table(lines: Sequence[str], start: int, named: str, label: str) -> tuple[str, list[_Row], int]:
    """The delimiter, the rows by it, and which of them is the header."""
    try:
        rows = {d: _rows(lines, start, d) for d in (named or DELIMITERS)}
    except csv.Error as error:
        raise BadSeriesError(f"{label}: the header cannot be read ({error})", "Check its first line") from None
    rows = {d: found or [_Row([], start, start)] for d, found in rows.items()}
    sizes = {d: [len(row.cells) for row in found] for d, found in rows.items()}
    best = max(rows, key=lambda d: (sizes[d][0], sizes[d][0] == sizes[d][min(1, len(sizes[d]) - 1)]))
    if rows[best][0].cells[:1] == ["TOA5"] and len(rows[best]) > 2:
        return best, rows[best], 1
    width = _width(sizes[best])
    if sizes[best][0] > 1 and width in (0, sizes[best][0], sizes[best][0] + 1):
        return best, rows[best], 0
    starts = {d: at for d in rows if (at := _title_ends(rows[d]))}
    if not starts:
        return best, rows[best], 0
    best = max(starts, key=lambda d: (-starts[d], sizes[d][-1]))
    return best, rows[best], starts[best]


def _width(sizes: Sequence[int]) -> int:
    """The number of cells of most rows below the first; 0 where there are none."""
    return Counter(sizes[1:]).most_common(1)[0][0] if len(sizes) > 1 else 0


def _title_ends(rows: Sequence[_Row]) -> int:
    """Where rows of more cells begin that are all alike, three at the least; 0 where nothing of less is before them."""
    sizes = [len(row.cells) for row in rows]
    width = 0 if len(sizes) < 4 or any(_torn(cell) for row in rows for cell in row.cells) else sizes[-2]
    at = sizes.index(width) if width in sizes else 0
    alike = width > 1 and all(size == width for size in sizes[at:-1]) and len(sizes) - at >= 3
    return at if alike and at <= 20 and all(size < width for size in sizes[:at]) else 0


def _units(rows: Sequence[_Row]) -> int:
    """How many rows below the header are no data but units, types and the like."""
    return next((n for n in (2, 1) if len(rows) > n and all(_is_unit(rows[i].cells, rows[n:]) for i in range(n))), 0)


def _is_unit(cells: Sequence[str], below: Sequence[_Row]) -> bool:
    columns = [[row.cells[i].strip() for row in below if i < len(row.cells)] for i in range(len(cells))]
    values = [i for i, column in enumerate(columns) if _mostly_values(column)]
    own = [cell.strip() for cell in cells]
    return (
        bool(values)
        and not any(_is_value(cell) or _ERRORS.fullmatch(cell) for cell in own)
        and any(own[i] not in ("", "-", "--") for i in values)
        and all(own[i].casefold() in _NO_UNIT for i in range(len(own)) if i not in values)
        and not any(re.fullmatch(_ARRAY, cell) and re.search(r"\d|,", cell) for cell in own)
    )


def _mostly_values(column: Sequence[str]) -> bool:
    there = [cell for cell in column if cell]
    return bool(there) and 2 * sum(map(_is_value, there)) >= len(there)


def _is_value(cell: str) -> bool:
    return bool(
        re.fullmatch(_TIME, cell) or re.fullmatch(_NUMBER, cell) or re.fullmatch(r"nan|[+-]?inf(inity)?", cell, re.I)
    )


def _columns(names: list[str], below: Sequence[_Row], label: str, delimiter: str) -> list[str]:
    """The columns of the rows; one that has no name is "" where it counts rows or holds nothing."""
    rows = [row.cells for row in below]
    if (
        len(rows) > 1
        and all(len(cells) == len(names) + 1 for cells in rows)
        and not any(_torn(c) for r in rows for c in r)
    ):
        if all(not cells[-1].strip() for cells in rows):
            return [*names, ""]
        if _counts([cells[0] for cells in rows]):
            return ["", *names]
    for i, name in enumerate(names):
        if name.strip():
            continue
        column = [cells[i] for cells in rows if i < len(cells)]
        empty = not any(cell.strip() for cell in column) and i == len(names) - 1
        if not rows or not (empty or (i == 0 and _counts(column))):
            raise BadSeriesError(f"{label}: column {i + 1} has no name", "Name every column in line 1")
    return [name if name.strip() else "" for name in names]


def _counts(cells: Sequence[str]) -> bool:
    """0, 1, 2, ... or 1, 2, 3, ..., whatever it begins with; one alone is 0 or 1."""
    if not all(re.fullmatch(r"\d{1,15}", cell.strip()) for cell in cells) or (len(cells) == 1 and int(cells[0]) > 1):
        return False
    return bool(cells) and [int(cell) for cell in cells] == list(range(int(cells[0]), int(cells[0]) + len(cells)))


def _torn(cell: str) -> bool:
    """Is it a piece of an array that stands in no quotes?"""
    text = cell.strip()
    return text[:1] in ("{", "[") or text[-1:] in ("}", "]")


def _check(columns: Sequence[str], names: Sequence[str], below: Sequence[_Row], label: str, delimiter: str) -> None:
    cells = [name.strip() for name in names]
    if _is_data(cells, [row.cells for row in below]):
        named = shlex.quote(f"1i {delimiter.join(_likely_names(cells))}".replace("\t", "\\t"))
        raise BadSeriesError(
            f"{label}: its first line is data ({shortened(','.join(cells))}): expected the names of the columns",
            "Put a line with names before it, for example series_id,idx,value"
            f" (sed {named} {shlex.quote(label)} > named.csv)",
        )
    twice = [name for name, times in Counter(c.strip() for c in columns if c).items() if times > 1]
    if twice:
        raise BadSeriesError(f"{label}: column {twice[0]} occurs twice", "Give every column a different name")


def _is_data(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Is the first line no header? Numbers may be names (0, 1, 2, ...) where they ascend beside a name of letters."""
    values = [c for c in cells if re.fullmatch(rf"{_NUMBER}|\d{{4}}-\d\d-\d\d.*", c)]
    if any(re.fullmatch(_ARRAY, c) for c in cells) or (values and len(values) == sum(map(bool, cells))):
        return True
    numeric = [
        i
        for i in range(len(cells))
        if below and all(i < len(r) and re.fullmatch(_NUMBER, r[i].strip()) for r in below[:1])
    ]
    if not numeric or not all(re.fullmatch(_NUMBER, cells[i]) for i in numeric):
        return False
    numbers = [float(cells[i].replace(",", ".")) for i in numeric]
    return len(numbers) < 3 or any(b <= a for a, b in pairwise(numbers))


def _likely_names(cells: Sequence[str]) -> Iterator[str]:
    arrays = any(re.fullmatch(_ARRAY, cell) for cell in cells)
    usual = ["series_id", "values"] if arrays or len(cells) == 2 else ["series_id", "idx", "value"]
    for i in range(len(cells)):
        yield usual[i] if i < len(usual) else f"column_{i + 1}"
