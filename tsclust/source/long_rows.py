"""Long rows -> series: a row a series, its values in their order, and what may not be among them.

Two values at one place of a series' order, or two machines in one series, mean that different series have one id. They
are refused: put together they would be a curve that nobody recorded.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.arrays import Int64s
from tsclust.errors import BadSeriesError
from tsclust.source import checks
from tsclust.source.ends import with_ends
from tsclust.source.layouts import FILE
from tsclust.source.pauses import Pauses

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
COUNTS = b"tsclust counts"  # metadata of a table of series: how many rows or series are odd, by the words of `checks`
_FAR = 10  # times the longest step of a series: what goes on in another file only after that is another series


@dataclass(frozen=True)
class Sameness:
    """What the rows of one series have in common, and how messages call it.

    ids       the columns of the id, order  that which orders the rows ("" for a row a series)
    constant  columns of the spill with one value in all rows of a series -> what the source calls them
    others    columns of the source that may tell series apart, and are not in the spill
    files     what the numbers in the column FILE stand for
    tells     columns of the source whose names say which machine or sensor a row is from
    """

    ids: tuple[str, ...]
    order: str
    constant: Mapping[str, str]
    others: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tells: frozenset[str] = frozenset()

    def apart(self, *more: str) -> str:
        """The next step where rows of one id are of different series, which the columns `more` tell apart."""
        if not more:
            return "Give each series an id of its own: several columns may be one, --id COLUMN,COLUMN" + self._or_one
        return f"If these are different series, use --id {','.join([*more, *self.ids])}{self._or_one}"

    @property
    def called(self) -> tuple[str, ...]:
        """What the source calls the constant columns."""
        return tuple(self.constant.values())

    @property
    def _or_one(self) -> str:
        return "; if they are one series, --merge keeps all rows" if self.order else ""


def grouped(rows: pa.Table, same: Sameness | None = None, pauses: Pauses | None = None) -> pa.Table:
    """Long rows (series_id, order, carried ..., values) -> a row a series, its values in their order.

    Rows of one place stay as they came where `same` is None; else those that repeat a value are left out, series that
    pause are noted in `pauses`, and BadSeriesError is raised where `same` does not hold. How many there are of these is
    in the metadata of the table, COUNTS. A carried column gives what the first row of the series has; the column MOMENT
    becomes two, that of the first row and that of the last, named by `moment`.
    """
    order = rows.schema.names[1]
    keys = ["series_id", order, *([FILE] if FILE in rows.schema.names else [])]
    rows = rows.take(pc.sort_indices(rows, [(key, "ascending") for key in keys]))
    repeats = 0
    if same is not None:
        _refuse_contradictions(rows, same)
        kept = _once(rows, same)
        repeats, rows = rows.num_rows - kept.num_rows, kept
        _refuse_pieces(rows, same)
    ids, values = rows["series_id"].combine_chunks(), rows["values"].combine_chunks()
    firsts = np.concatenate([[0], np.flatnonzero(~_alike(ids)) + 1])[: len(rows)]
    lists = pa.ListArray.from_arrays(pa.array([*firsts, len(rows)], pa.int32()), values)
    series = rows.drop_columns([n for n in (order, FILE, "values") if n in rows.schema.names]).take(pa.array(firsts))
    series = with_ends(series, rows, np.append(firsts[1:], len(rows)) - 1)
    paused = pauses.add(ids, _steps(rows[order].combine_chunks()), firsts) if same and pauses and len(rows) else 0
    counts = {checks.REPEATED: repeats, checks.PAUSING: paused}
    return with_counts(series.append_column("values", lists), counts)


def with_counts(table: pa.Table, counts: Mapping[str, int]) -> pa.Table:
    """`table` with what was counted on the way: rows that it leaves out, as they were there twice, ..."""
    some = {name: n for name, n in counts.items() if n}
    return table.replace_schema_metadata({COUNTS: json.dumps(some).encode()} if some else None)


def counts_of(schema: pa.Schema) -> Counter[str]:
    """What was counted of a table of series."""
    return Counter(json.loads((schema.metadata or {}).get(COUNTS, b"{}")))


def without_counts(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same without the counts, which are not for the disk."""
    return batch.replace_schema_metadata(None) if batch.schema.metadata else batch


def two_values(id_: object, order: str, place: object, values: tuple[object, object], apart: str) -> BadSeriesError:
    """The error for two values at one place of a series."""
    where = f"at {order} {place}" if place is not None else f"without a place ({order} is empty)"
    return BadSeriesError(
        f"series {id_} has two values {where}: {_shown(values[0])} and {_shown(values[1])}, expected one", apart
    )


def two_names(id_: object, column: str, values: tuple[object, object], apart: str) -> BadSeriesError:
    """The error for a column that has two values in one series."""
    return BadSeriesError(
        f"series {id_} has two values of {column}: {_shown(values[0])} and {_shown(values[1])}, expected one", apart
    )


def unique(rows: pa.Table, same: Sameness | None) -> pa.Table:
    """Rows of a whole series each, without the column FILE; those that repeat another one wholly are left out (their
    number is in the metadata of the table, COUNTS). Raises BadSeriesError where an id has two different rows."""
    plain = rows.drop_columns([FILE]) if FILE in rows.schema.names else rows
    if pc.count_distinct(rows["series_id"]).as_py() == rows.num_rows:
        return plain
    return _once_each(rows.take(pc.sort_indices(rows, [("series_id", "ascending")])), same)


def once(batch: pa.RecordBatch, before: pa.RecordBatch | None) -> pa.RecordBatch:
    """Series that are in the order of their ids, without those that repeat the one before: see `unique`.

    before: the last row of the batch before.
    """
    ids = batch.column(0)
    in_it = pc.any(pc.equal(ids[1:], ids[:-1])).as_py()
    if not in_it and not (before is not None and len(ids) and ids[0] == before.column(0)[0]):
        return batch
    kept = _once_each(pa.Table.from_batches([*([before] if before is not None else []), batch]), None)
    new = kept.slice(0 if before is None else 1)  # the first row of equal ones stays
    (found,) = new.combine_chunks().to_batches() or [batch.slice(0, 0)]
    return found.replace_schema_metadata(kept.schema.metadata)


def _once_each(rows: pa.Table, same: Sameness | None) -> pa.Table:
    rows = rows.combine_chunks()
    plain = rows.drop_columns([FILE]) if FILE in rows.schema.names else rows
    again = np.flatnonzero(_alike(rows["series_id"].combine_chunks()))
    differ = np.flatnonzero(~_same_rows(plain.take(pa.array(again)), plain.take(pa.array(again + 1))))
    if len(differ):
        more = _ways_apart(rows.slice(again[differ[0]], 2), same) if same else ()
        raise checks.twice(rows["series_id"][again[differ[0]]], same.apart(*more) if same and more else "")
    kept = np.ones(rows.num_rows, bool)
    kept[again + 1] = False
    return with_counts(plain.filter(pa.array(kept)), {checks.REPEATED: len(again)})


def _same_rows(one: pa.Table, other: pa.Table) -> Bools:
    """(n,) Are the rows of two tables the same in all columns, the last of which has lists?"""
    found = _same_lists(one.columns[-1].combine_chunks(), other.columns[-1].combine_chunks())
    for a, b in zip(one.columns[:-1], other.columns[:-1], strict=True):
        found &= (
            _same_lists(a.combine_chunks(), b.combine_chunks())
            if pa.types.is_list(a.type)
            else _equal(a.combine_chunks(), b.combine_chunks())
        )
    return found


def _same_lists(one: pa.ListArray, other: pa.ListArray) -> Bools:
    lengths = [pc.fill_null(pc.list_value_length(lists), -1).to_numpy() for lists in (one, other)]
    found: Bools = lengths[0] == lengths[1]
    alike = pa.array(found)
    differ = ~_equal(one.filter(alike).flatten(), other.filter(alike).flatten())
    ends = np.cumsum(np.maximum(lengths[0][found], 0))
    before = np.concatenate([[0], np.cumsum(differ)])  # how many differ before each place
    found[found] = before[ends] == before[ends - np.maximum(lengths[0][found], 0)]
    return found


def _ways_apart(rows: pa.Table, same: Sameness) -> tuple[str, ...]:
    """What may tell rows of one id apart: a column that differs, one that is not here, or their files."""
    differ = [called for name, called in same.constant.items() if pc.count_distinct(rows[name], "all").as_py() > 1]
    if differ or same.others:
        return tuple(differ) or same.others
    return ("file",) if FILE in rows.schema.names and pc.count_distinct(rows[FILE]).as_py() > 1 else ()


def _once(rows: pa.Table, same: Sameness) -> pa.Table:
    """The sorted rows without those that repeat the place and the value of the one before."""
    ids, order, values = (rows[i].combine_chunks() for i in (0, 1, rows.num_columns - 1))
    again = _alike(order)
    again &= _alike(ids) if again.any() else again
    if not again.any():
        return rows
    clash = np.flatnonzero(again & ~_alike(values))
    if len(clash):
        at = int(clash[0])
        pair = (values[at].as_py(), values[at + 1].as_py())
        more = _ways_apart(rows.slice(at, 2), same)
        raise two_values(ids[at], same.order, order[at].as_py(), pair, same.apart(*more))
    return rows.filter(pa.array(np.concatenate([[True], ~again])))


def _refuse_contradictions(rows: pa.Table, same: Sameness) -> None:
    inside = None
    for name in same.constant:
        column = rows[name].combine_chunks()
        differs = ~_alike(column)
        if not differs.any():
            continue
        inside = _alike(rows["series_id"].combine_chunks()) if inside is None else inside
        at = np.flatnonzero(differs & inside)
        if len(at):
            pair = (column[at[0]].as_py(), column[at[0] + 1].as_py())
            called = same.constant[name]
            raise two_names(rows["series_id"][at[0]], called, pair, same.apart(called))


def _refuse_pieces(rows: pa.Table, same: Sameness) -> None:
    """Raises BadSeriesError where the rows of a series in two files are not one piece behind the other."""
    if FILE not in rows.schema.names:
        return
    inside = _alike(rows["series_id"].combine_chunks())
    same_file = _alike(rows[FILE].combine_chunks())
    joints = np.flatnonzero(inside & ~same_file)  # the last row before another file's
    if not len(joints):
        return
    series, files = np.concatenate([[0], np.cumsum(~inside)]), rows[FILE].to_numpy()
    back = _came_back(series, files, joints)
    odd = np.flatnonzero(back | _leaps(series, _steps(rows[1].combine_chunks()), inside & same_file, joints))
    if len(odd):
        at = int(joints[odd[0]])
        how = "their rows alternate" if back[odd[0]] else f"{same.order} leaps from one to the other"
        where = " and in ".join(same.files[file] for file in files[at : at + 2])
        raise BadSeriesError(
            f"series {rows['series_id'][at]} is in {where}, and {how}: expected a series in one piece",
            same.apart("file"),
        )


def _came_back(series: Int64s, files: npt.NDArray[np.int32], joints: Int64s) -> Bools:
    """(joints,) Does the series return at this joint to a file that it has been in?"""
    place = series * (int(files.max()) + 1) + files  # a number for each series in each file
    entered = place[joints + 1]
    firsts = place[np.flatnonzero(np.diff(series, prepend=-1))]
    fresh = np.zeros(len(entered), bool)
    fresh[np.unique(entered, return_index=True)[1]] = True
    back: Bools = ~fresh | np.isin(entered, firsts)
    return back


def _leaps(series: Int64s, steps: Floats, within: Bools, joints: Int64s) -> Bools:
    """(joints,) Is the step into the other file far longer than any other step of the series?"""
    longest = np.zeros(series[-1] + 1)
    np.maximum.at(longest, series[:-1][within], steps[within])
    usual = longest[series[joints]]
    found: Bools = (usual > 0) & (steps[joints] > _FAR * usual)
    return found


def _steps(order: pa.Array) -> Floats:
    """(rows - 1,) From each row to the next, in whatever the order counts; 0 where that is not known."""
    if pa.types.is_temporal(order.type):
        order = order.cast(pa.int32() if order.type.bit_width == 32 else pa.int64())
    if pa.types.is_decimal(order.type):
        order = order.cast(pa.float64())
    steps: Floats = np.diff(order.fill_null(0).to_numpy(zero_copy_only=False)).astype(float)
    return np.nan_to_num(steps)


def _alike(column: pa.Array) -> Bools:
    """(rows - 1,) Is each row's value that of the row before?"""
    return _equal(column[:-1], column[1:])


def _equal(one: pa.Array, other: pa.Array) -> Bools:
    """(n,) Are two values equal? NULL is NULL's like here, and NaN is NaN's."""
    equal = pc.equal(one, other)
    if one.null_count or other.null_count:
        equal = pc.or_(pc.fill_null(equal, False), pc.and_(one.is_null(), other.is_null()))
    if pa.types.is_floating(one.type):
        equal = pc.or_(equal, pc.fill_null(pc.and_(pc.is_nan(one), pc.is_nan(other)), False))
    found: Bools = equal.to_numpy(zero_copy_only=False)
    return found.astype(bool)


def _shown(value: object) -> str:
    return "NULL" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
