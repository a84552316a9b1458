"""What CSV and Parquet files have in common: texts that hold arrays or nulls, and what messages say of them."""

from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.compute as pc

from tsclust.errors import BadSeriesError, SourceFileError
from tsclust.source import array_text
from tsclust.source.columns import shortened


def hold_arrays(texts: pa.Array) -> bool:
    """Do all texts look like arrays, and is the first one with something in it an array of numbers? JSON is not."""
    if not array_text.looks_like_arrays(texts):
        return False
    filled = texts.filter(pc.greater(pc.utf8_length(texts), len("{}")))
    try:
        return len(array_text.parse(filled.slice(0, 1))) <= 1
    except array_text.NotAnArrayError as error:
        return "2-D" in error.why  # reading it says so


def lists_of(texts: pa.Array, wanted: pa.DataType, what: str, first_row: int) -> pa.Array:
    """Texts of arrays as lists; a bad one is named as `what` and by its row, counted from `first_row`."""
    try:
        return array_text.parse(texts).cast(wanted, safe=False)
    except array_text.NotAnArrayError as error:
        raise BadSeriesError(
            f"{what}, row {first_row + error.row}: {shortened(error.text)} is not an array of numbers ({error.why})",
            "Write arrays as {1.5,2,NULL} or [1.5, 2, null], in quotes where commas separate the columns",
        ) from None


def unreadable(label: str, error: OSError) -> SourceFileError:
    """What is said where the system refuses a file."""
    return SourceFileError(
        f"{label} cannot be read ({os.strerror(error.errno) if error.errno else error})",
        "Check that it still exists and may be read",
    )
