"""Series as objects of JSON, or of what is like it -> a table of series, and an error for each that cannot be one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tsclust.arrays import Int64s
from tsclust.errors import BadSeriesError, SettingsError
from tsclust.series import ID, VALUES
from tsclust.stages.model import carried_types

_MOST = 2**63
_NUMBERS = {float, int, type(None)}


@dataclass(frozen=True)
class Rows:
    """Of n objects: rows (m,) which can be scored; table: these, series_id being the row; errors: row -> why not."""

    rows: Int64s
    table: pa.Table
    errors: Mapping[int, str]


def rows_of(series: Sequence[Any], carried: Mapping[str, str], longest: int, limit: str) -> Rows:
    """Objects with series_id, values (a list of numbers, or an array of floats) and the carried columns.

    carried: column -> its type in training;  longest: values of one series;  limit: the name of that setting.
    Raises BadSeriesError where columns are right alone, but not of one type.
    """
    found = [_wrong(one, carried, longest, limit) for one in series]
    errors = {row: why for row, why in enumerate(found) if why}
    good = [row for row, why in enumerate(found) if not why]
    columns = {name: [series[row][name] for row in good] for name in carried}
    arrays = {name: _column(name, values, carried[name]) for name, values in columns.items()}
    for name, (_, wrong) in arrays.items():
        errors |= {good[at]: f"{name}: {why}" for at, why in wrong.items() if good[at] not in errors}
    keep = np.array([at for at, row in enumerate(good) if row not in errors], np.int64)
    table = {ID: pa.array(np.array(good, np.int64)[keep]), VALUES: _lists([series[good[at]][VALUES] for at in keep])}
    table |= {name: column.take(pa.array(keep)) for name, (column, _) in arrays.items()}
    return Rows(np.array(good, np.int64)[keep], pa.table(table), errors)


def _lists(values: list[Any]) -> pa.Array:
    """float32 where all are arrays of it."""
    single = bool(values) and all(getattr(one, "dtype", None) == np.float32 for one in values)
    return pa.array(values, pa.list_(pa.float32() if single else pa.float64()))


def _wrong(one: Any, carried: Mapping[str, str], longest: int, limit: str) -> str:
    """Why this is no series; "" for one that is."""
    if not isinstance(one, dict):
        return f"it is {_short(one)}: expected an object with series_id and values. Correct it"
    if not is_id(one.get(ID)):
        return (
            no_id()
            if one.get(ID) is None or isinstance(one[ID], str)
            else f"series_id {_short(one[ID])}: expected an integer or text. Correct it"
        )
    values = one.get(VALUES)
    if not isinstance(values, list | np.ndarray):
        return f"values {_short(values)}: expected a list of numbers. Correct it"
    if len(values) > longest:
        return too_long(len(values), longest, limit)
    if isinstance(values, list):
        kinds = set(map(type, values))
        other = next((v for v in values if type(v) not in _NUMBERS), None) if kinds - _NUMBERS else None
        if other is not None or (int in kinds and any(type(v) is int and abs(v) >= _MOST for v in values)):
            return f"values: {_short(other)} among them: expected numbers, or null for a missing one. Correct it"
    missing = next((name for name in carried if name not in one), None)
    return f"no {missing}, which the model compares by. Add it" if missing else ""


def _column(name: str, values: list[Any], trained: str) -> tuple[pa.Array, dict[int, str]]:
    """(a carried column of the series, place -> why its value is none); JSON has fewer types than training had."""
    if any(isinstance(v, str) for v in values) or trained == "string":
        values = [str(v) if type(v) is int else v for v in values]
    try:
        return _typed(name, values, trained), {}
    except SettingsError:
        wrong = {at: why for at, v in enumerate(values) if (why := _why_not(name, v, trained))}
    left = [None if at in wrong else v for at, v in enumerate(values)]
    try:
        return _typed(name, left, trained), wrong
    except SettingsError as error:  # each alone is right, but they are not of one type
        raise BadSeriesError(f"column {name}: {error.problem}", "Give all series the same type") from None


def _why_not(name: str, value: Any, trained: str) -> str:
    try:
        carried_types.as_trained(pa.table({name: _typed(name, [value], trained)}), [name], {name: trained})
    except SettingsError as error:
        return f"{_short(value)}: {error.problem}. {error.next_step}"
    return ""


def _typed(name: str, values: list[Any], trained: str) -> pa.Array:
    """Times are text in JSON. Raises SettingsError."""
    try:
        if trained.startswith(("timestamp", "date", "time")) and all(isinstance(v, str | None) for v in values):
            return pa.array(values, pa.string()).cast(carried_types.type_named(trained))
        column = pa.array(values)
        carried_types.as_trained(pa.table({name: column}), [name], {name: trained})
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise SettingsError(f"expected {trained}: {error}"[:200], "Correct it") from None
    return column


def is_id(value: Any) -> bool:
    """Whether this may be a series_id: a blank text names nothing."""
    return (isinstance(value, str) and bool(value.strip())) or (type(value) is int and -_MOST <= value < _MOST)


def no_id() -> str:
    """What is wrong with a series without an id."""
    return "it has no series_id. Give every series an id"


def too_long(n: int, longest: int, limit: str) -> str:
    """What is wrong with a series of so many values."""
    return f"it has {n:,} values: expected at most {longest:,}. Cut it, or raise {limit}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
