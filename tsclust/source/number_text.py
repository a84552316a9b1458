"""Numbers written as text -> Arrow, and the texts that mean a missing value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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

_BLANKS = r" \x{A0}\x{202F}"
_QUOTES = "'’"


@dataclass(frozen=True)
class NumberForm:
    """Numbers with something between their thousands, or with a decimal comma.

    between  the characters that may stand between thousands, for a class of RE2; "" for none
    decimal  the decimal sign
    """

    between: str
    decimal: str

    @property
    def _thousands(self) -> str:
        return rf"\d{{1,3}}(?:[{self.between}]\d{{3}})*" if self.between else r"\d+"

    def fits(self, texts: pa.Array) -> pa.Array:
        """Which texts are numbers written so; null for null."""
        return pc.match_substring_regex(texts, rf"^\s*[+-]?{self._thousands}(?:[{self.decimal}]\d+)?\s*$")

    def shows(self, texts: pa.Array) -> bool:
        """Does a text leave no doubt? 1,234 may be either."""
        several = rf"[{self.between}]\d{{3}}[{self.between}]|[{self.between}]\d{{3}}[{self.decimal}]"
        clear = several if self.between in (",", ".") else f"[{self.between}]"
        if not self.between:
            clear = r"^\s*[+-]?(?:0*,|\d*,(?:\d{1,2}|\d{4,})\s*$)"
        return bool(pc.any(pc.match_substring_regex(texts, clear)).as_py())

    def parse(self, texts: pa.Array) -> pa.Array:
        """float64, null for null. Raises pa.ArrowInvalid where a text does not fit."""
        if pc.any(pc.invert(self.fits(texts))).as_py():
            raise pa.ArrowInvalid("not such a number")
        plain = pc.replace_substring_regex(texts, rf"[\s{self.between}]", "")
        return pc.replace_substring(plain, self.decimal, ".").cast(pa.float64())

    def sql(self, name: str) -> str:
        """The SQL that makes a number of the texts of a column."""
        plain = {"": name, ",": f"replace({name}, ',', '')", ".": f"replace({name}, '.', '')"}.get(
            self.between, rf"regexp_replace({name}, '[^0-9.,eE+-]', '', 'g')"
        )
        return f"{plain}::float8" if self.decimal == "." else f"replace({plain}, ',', '.')::float8"


_FORMS = (NumberForm("", ","), NumberForm(",", "."), NumberForm(".", ","),
          *(NumberForm(between, decimal) for between in (_BLANKS, _QUOTES) for decimal in ".,"))  # fmt: skip


def number_form(columns: Iterable[pa.Array]) -> NumberForm | None:
    """The one form that all texts of a column have, a piece at a time, where it is clear."""
    left, shown = list(_FORMS), set[NumberForm]()
    for texts in columns:
        left = [form for form in left if pc.all(form.fits(texts)).as_py() is not False]
        shown |= {form for form in left if form.shows(texts)}
    clear = [form for form in left if form in shown]
    return clear[0] if clear and len({form.between for form in clear}) == 1 else None


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
