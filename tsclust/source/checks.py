"""Odd series: counted on the way, so that the output can say how many there are. The policy is in docs/sources.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.errors import BadSeriesError
from tsclust.series import nameless
from tsclust.source.columns import for_shell

LONG = 10_000  # values: a series of more is hardly one operation of a mechanism
# what is counted -> in words
WORDS = {
    "without_values": "without values (NULL or empty)",
    "one_value": "of one value",
    "with_missing": "with missing values (NULL or NaN)",
    "with_infinite": "with infinite values",
    "very_long": f"of more than {LONG:,} values",
    "pausing": "that pause for more than 1,000 times their usual step",
}
PAUSING = "pausing"
HAS_TEXT = 'length(trim("{}")) > 0'  # the condition for a column {}; a NULL has no length
REPEATED = "repeated_rows"  # the only one that counts rows; in words of its own, as nothing is left to decide
_NONE = np.empty(0, np.int64)


def refuse_longer(ids: pa.Array, lengths: pa.Array, longest: int) -> None:
    """Raises BadSeriesError where a series has more values than the setting allows. lengths may have nulls."""
    most = pc.max(lengths).as_py() or 0
    if most > longest:
        id_ = ids[pc.index(lengths, most).as_py()]
        raise BadSeriesError(
            f"series {id_} has {most:,} values: expected at most {longest:,} in one series",
            "Where one id stands for several recordings, name the columns that tell them apart (--id machine,cycle); or"
            f" set longest = {most} under [source] in tsclust.toml, which takes {most * 120 / 1e9:.1f} GB of memory",
        )


def count(batch: pa.RecordBatch) -> Counter[str]:
    """How many series of the batch are odd, and in which way."""
    lists = batch.column(batch.num_columns - 1)
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    found = {"without_values": lengths == 0, "one_value": lengths == 1, "very_long": lengths > LONG}
    counts = Counter({name: int(which.sum()) for name, which in found.items()})
    flat = lists.flatten()
    values = np.frombuffer(flat.buffers()[1] or b"", flat.type.to_pandas_dtype())[flat.offset : flat.offset + len(flat)]
    with np.errstate(over="ignore", invalid="ignore"):  # a sum is one look at all, and mostly enough
        odd = np.flatnonzero(~np.isfinite(values)) if not np.isfinite(values.sum()) else _NONE
    infinite = odd[np.isinf(values[odd])]
    missing = odd[np.isnan(values[odd])]
    if flat.null_count:  # what lies under a NULL may be anything
        null = flat.is_null().to_numpy(zero_copy_only=False)
        infinite, missing = infinite[~null[infinite]], np.concatenate([missing, np.flatnonzero(null)])
    ends = np.cumsum(lengths)
    counts["with_missing"] = len(np.unique(np.searchsorted(ends, missing, "right")))
    counts["with_infinite"] = len(np.unique(np.searchsorted(ends, infinite, "right")))
    return +counts


def trimmed(lists: pa.ListArray) -> pa.ListArray:
    """Lists without the NULLs at their ends: a wide row has as many columns as the longest series."""
    lists = lists.fill_null([]) if lists.null_count else lists
    offsets = lists.offsets.to_numpy().astype(np.int64)
    flat = lists.values
    there = np.flatnonzero(flat.is_valid().to_numpy(zero_copy_only=False))
    before = np.searchsorted(there, offsets)  # how many values are there before each offset
    last = np.where(before[1:] > 0, there[np.maximum(before[1:] - 1, 0)] + 1, 0) if len(there) else offsets[:-1]
    lengths = np.maximum(last - offsets[:-1], 0)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    kept = np.repeat(offsets[:-1] - ends[:-1], lengths) + np.arange(ends[-1])
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), flat.take(pa.array(kept)), type=lists.type)


class NamelessError(BadSeriesError):
    """Rows that have no id; `where` leaves them out."""

    def __init__(self, problem: str, where: str) -> None:
        super().__init__(problem, f"Exclude them: {where}")
        self.where = where


def refuse_nameless(ids: pa.Array, rows_before: int, names: Sequence[str] = (), has_text: str = HAS_TEXT) -> None:
    """Raises NamelessError where an id is NULL or blank. names: the columns that it is made of, where known; has_text:
    the source's condition for a column {} that is not blank."""
    at = np.flatnonzero(nameless(ids))
    if len(at):
        blank = ids.null_count < len(at)
        there = has_text if blank else '"{}" IS NOT NULL'
        what = "blank text" if not ids.null_count else "NULL or blank text" if blank else "NULL"
        raise NamelessError(
            f"{len(at)} of {len(ids)} rows have no id ({what}), the first is row {rows_before + at[0] + 1}: expected"
            " one in each",
            "--where " + for_shell(" AND ".join(there.format(name) for name in names or ("ID",))),
        )


def twice(id_: pa.Scalar, apart: str = "") -> BadSeriesError:
    """The error for an id that is there twice; `apart` is the next step where other columns tell series apart."""
    return BadSeriesError(
        f"series_id {id_} occurs more than once: expected one row for each series",
        apart or 'Name a unique column as source.id; where each row holds one value, set source.layout = "long"',
    )
