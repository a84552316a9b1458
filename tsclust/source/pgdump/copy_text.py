"""COPY text of PostgreSQL -> Arrow: rows are lines, tabs separate the columns, \\N is NULL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from tsclust.source import array_text
from tsclust.source.compressed import Read

_LONGEST = 1 << 28  # bytes in one row
_INTEGER = r"^-?(0|[1-9]\d*)$"  # 007 is a name
_FLOAT = r"^(-?(0|[1-9]\d*)(\.\d+)?(e[-+]\d+)?|NaN|-?Infinity)$"
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ODD_ZONE = r"^(?P<time>.*[+-]\d\d:\d\d):(?P<seconds>\d\d)$"  # +02:30:17, which was Moscow's time before 1916


def pieces(read: Read, size: int) -> Iterator[bytes]:
    """COPY text up to the line that ends it, in pieces of whole rows of about `size` bytes.

    Raises EOFError where this line does not come, or a row takes too much memory.
    """
    kept, new = b"", b"-"
    while new and len(kept) < _LONGEST:
        new = read(max(size, len(kept)))  # as much again: a row of many pieces is looked through a few times only
        rows, kept, ended = _whole_rows(kept + new, last=not new)
        if rows:
            yield rows
        if ended:
            read(1 << 10)  # the end of a compressed stream, where its checksum is
            return
    too_long = f"a row is longer than {_LONGEST >> 20} MB"
    raise EOFError(too_long if len(kept) >= _LONGEST else "the line that ends the rows is missing")


def columns(text: bytes, names: Sequence[str], types: Mapping[str, pa.DataType]) -> dict[str, pa.Array]:
    """The columns `types` of whole lines of COPY text; those that are no plain numbers or booleans come as string.

    `names` are those of all columns of the text. Raises pa.ArrowInvalid.
    """
    plain = {name: type_ if _is_plain(type_) else pa.string() for name, type_ in types.items()}
    if not text or not types:
        return {name: pa.array([], type_) for name, type_ in plain.items()}
    reading = csv.ReadOptions(column_names=list(names), block_size=len(text))
    parsing = csv.ParseOptions(delimiter="\t", quote_char=False, escape_char=False, ignore_empty_lines=False)
    table = csv.read_csv(pa.BufferReader(text), reading, parsing, _converting(plain))
    return {name: pa.concat_arrays(table[name].chunks) for name in types}


def guessed_type(texts: pa.Array, *, is_text: bool) -> pa.DataType:
    """The type that texts look like: int64, double, list<double> or string; one of the latter two where `is_text`."""
    if array_text.looks_like_arrays(texts):
        try:
            return array_text.parse(texts).type
        except array_text.NotAnArrayError:
            return pa.string()
    if is_text or texts.null_count == len(texts):
        return pa.string()
    return _guessed_number(texts)


def typed(texts: pa.Array, type_: pa.DataType) -> pa.Array:
    """A column of `columns` in its type. Raises array_text.NotAnArrayError, pa.ArrowInvalid."""
    if _is_plain(type_):
        return texts
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return _unescaped(texts).cast(type_)
    if pa.types.is_list(type_):
        return array_text.parse(texts).cast(type_)
    if pa.types.is_temporal(type_):
        return _times(texts, type_)
    return texts.cast(type_)


def _whole_rows(text: bytes, *, last: bool) -> tuple[bytes, bytes, bool]:
    """Whole rows, the text behind them, and whether that is the line that ends all rows; nothing follows the `last`."""
    end = 0 if text.startswith(b"\\.") else text.find(b"\n\\.") + 1 or len(text)
    behind = text[end + 2 : end + 4]
    ended = end < len(text) and (behind.startswith((b"\n", b"\r\n")) or (last and not behind))
    rows = end if end < len(text) else text.rfind(b"\n") + 1
    return text[:rows], text[rows:], ended


def _converting(types: Mapping[str, pa.DataType]) -> csv.ConvertOptions:
    return csv.ConvertOptions(
        column_types=types, include_columns=list(types), null_values=["\\N"], strings_can_be_null=True,
        true_values=["t"], false_values=["f"],
    )  # fmt: skip


def _guessed_number(texts: pa.Array) -> pa.DataType:
    pattern, type_ = (_INTEGER, pa.int64()) if _all_match(texts, _INTEGER) else (_FLOAT, pa.float64())
    try:
        return texts.cast(type_).type if _all_match(texts, pattern) else pa.string()
    except pa.ArrowInvalid:  # more digits than int64 has
        return pa.string()


def _all_match(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def _is_plain(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_))


def _unescaped(texts: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring(texts, "\\")).as_py():
        return texts
    texts = pc.replace_substring(texts, "\\\\", "\0")  # no text of PostgreSQL's holds a NUL
    for letter, meaning in _ESCAPES.items():
        texts = pc.replace_substring(texts, f"\\{letter}", meaning)
    return pc.replace_substring(texts, "\0", "\\")


def _times(texts: pa.Array, type_: pa.DataType) -> pa.Array:
    """Dates and times; Arrow has no infinite ones: they become null."""
    texts = pc.if_else(pc.match_substring(texts, "infinity"), None, texts)
    if not pc.any(pc.match_substring_regex(texts, _ODD_ZONE)).as_py():
        return texts.cast(type_)
    odd = pc.extract_regex(texts, _ODD_ZONE)
    times = pc.coalesce(pc.struct_field(odd, "time"), texts).cast(type_)
    seconds = pc.fill_null(pc.struct_field(odd, "seconds").cast(pa.int64()), 0).cast(pa.duration("s"))
    east = pc.match_substring_regex(texts, r"\+[\d:]*$")
    return pc.if_else(east, pc.subtract(times, seconds), pc.add(times, seconds)).cast(type_)
