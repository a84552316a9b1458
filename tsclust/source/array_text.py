"""Arrays of numbers written as text -> Arrow: as PostgreSQL writes them ({1,2.5,NULL,NaN}) or JSON ([1, 2.5, null])."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_BOUNDS = r"^(?:\[[-+0-9]+:[-+0-9]+\])+="  # [0:2]={1,2,3}: PostgreSQL's way to say that the first index is not 1
_SNIFFED = 10  # texts that show whether blanks follow the commas


class NotAnArrayError(ValueError):
    """A text that is no flat array of numbers: `row` counts from 0, `text` is its beginning, `why` what it is."""

    def __init__(self, row: int, text: str) -> None:
        self.row, self.text = row, text[:60]
        self.why = "a 2-D array" if "".join(text.split())[:2] in ("{{", "[[") else "not an array of numbers"
        super().__init__(f"row {row}: {self.text} is {self.why}")


def parse(texts: pa.Array) -> pa.Array:
    """Texts (string or large_string) -> list<double>, a null text -> a null list, NULL and null in it -> null.

    Raises NotAnArrayError at the first text that is no flat array of numbers.
    """
    for careful in (False, True):  # most texts hold neither blanks nor NULL: looking for them takes longer than trying
        try:
            return _lists(texts, careful=careful)
        except pa.ArrowInvalid:
            pass
    row = _first_bad(texts)
    raise NotAnArrayError(row, texts[row].as_py())


def looks_like_arrays(texts: pa.Array) -> bool:
    """Does every text that is not null begin with { or [ and end with its partner? False where all are null."""
    return texts.null_count < len(texts) and bool(pc.all(bracketed(texts)).as_py())


def bracketed(texts: pa.Array) -> pa.Array:
    """Which texts begin with { or [ and end with its partner."""
    return _bracketed(_trimmed(texts))


def _lists(texts: pa.Array, *, careful: bool) -> pa.Array:
    texts = _trimmed(texts)
    if pc.any(pc.invert(_bracketed(texts))).as_py():
        raise pa.ArrowInvalid("no brackets")
    inner = pc.utf8_slice_codeunits(texts, 1, -1)
    if pc.any(pc.match_substring(inner[:_SNIFFED], ", ")).as_py():  # JSON: faster gone at once than word for word
        inner = pc.replace_substring(inner, ", ", ",")
    lists = pc.split_pattern(inner, ",")
    empty = pc.equal(pc.ascii_trim_whitespace(inner), "")
    if pc.any(empty).as_py():  # split gives them one empty text
        lists = pc.if_else(empty, pa.scalar([], lists.type), lists)
    words = _cleaned(lists.values) if careful else lists.values
    return pa.ListArray.from_arrays(pc.cast(lists.offsets, pa.int32()), words.cast(pa.float64()), mask=lists.is_null())


def _cleaned(words: pa.Array) -> pa.Array:
    words = pc.ascii_trim_whitespace(words)
    return pc.if_else(pc.equal(pc.ascii_lower(words), "null"), None, words)


def _trimmed(texts: pa.Array) -> pa.Array:
    """Texts without blanks around them and without PostgreSQL's bounds in front."""
    texts = pc.ascii_trim_whitespace(texts)
    if pc.any(pc.and_(pc.starts_with(texts, "["), pc.ends_with(texts, "}"))).as_py():
        texts = pc.replace_substring_regex(texts, _BOUNDS, "", max_replacements=1)
    return texts


def _bracketed(texts: pa.Array) -> pa.Array:
    curly = pc.and_(pc.starts_with(texts, "{"), pc.ends_with(texts, "}"))
    return pc.or_(curly, pc.and_(pc.starts_with(texts, "["), pc.ends_with(texts, "]")))


def _first_bad(texts: pa.Array) -> int:
    """The first row that cannot be read, found by halving: some row cannot."""
    first, last = 0, len(texts) - 1
    while first < last:
        middle = (first + last) // 2
        try:
            _lists(texts[first : middle + 1], careful=True)
            first = middle + 1
        except pa.ArrowInvalid:
            last = middle
    return first
