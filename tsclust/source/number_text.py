"""Numbers written as text -> Arrow, and the texts that mean a missing value."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tsclust.errors import BadSeriesError
from tsclust.source.columns import for_shell, shortened

NUMBER = r"^\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[nN][aA][nN]|[iI][nN][fF](?:inity)?)\s*$"
# What people take for a number too: with a decimal comma, or with points or blanks between thousands.
ALMOST = r"^\s*[+-]?(?:\d*[.,]?\d+(?:[eE][+-]?\d+)?|\d+[.,]|\d{1,3}(?:[., '\x{A0}\x{202F}]\d{3})+(?:[.,]\d+)?)\s*$"

_EXACT = r"^\s*[+-]?\d{1,20}(?:[.,]\d{1,15})?\s*$"
_KEPT = 15  # digits that a float64 surely keeps
_MANY = r"\d{8}[.,]?\d{8}"  # more digits than a float64 keeps: 1706745597.000000100


def needs_decimals(texts: pa.Array) -> bool:
    """Do these numbers have more digits than float64 keeps, and does a decimal keep them all?"""
    there = texts.drop_null()
    if (pc.max(pc.binary_length(there)).as_py() or 0) <= _KEPT:
        return False
    many, exact = (pc.match_substring_regex(there, pattern) for pattern in (_MANY, _EXACT))
    return bool(pc.any(many).as_py() and pc.all(exact).as_py())


def numbers_of(texts: pa.Array, wanted: pa.DataType, missing: Sequence[str], what: str, first_row: int) -> pa.Array:
    """Texts as numbers, those in `missing` as null; a bad one is named as `what` and by its row."""
    texts = with_nulls(texts, missing)
    try:
        return texts.cast(wanted)
    except pa.ArrowInvalid:
        row = _first_bad(texts, wanted)
        text = texts[row].as_py()
        raise not_missing(f"{what} has {shortened(text)} in row {first_row + row}: expected a number", text) from None


def not_missing(problem: str, text: str) -> BadSeriesError:
    """The error for a cell that is no number, where `text` may be a way to write that there is none."""
    return BadSeriesError(problem, f"Correct it, or add {for_shell(f'--missing={text}')} if it means a missing value")


def with_nulls(texts: pa.Array, missing: Sequence[str]) -> pa.Array:
    """`texts` with nulls for those in `missing`, and for empty ones."""
    words = ("", *missing)
    found = pc.is_in(texts, pa.array(words, pa.string())) if missing else pc.equal(texts, "")
    return pc.if_else(found, pa.scalar(None, pa.string()), texts) if pc.any(found).as_py() else texts


def _first_bad(texts: pa.Array, wanted: pa.DataType) -> int:
    """The first row that cannot be cast, found by halving: some row cannot."""
    first, last = 0, len(texts) - 1
    while first < last:
        middle = (first + last) // 2
        try:
            texts[first : middle + 1].cast(wanted)
            first = middle + 1
        except pa.ArrowInvalid:
            last = middle
    return first
