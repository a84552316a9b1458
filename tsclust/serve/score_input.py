"""The body of a request for scores -> a table of series, and an error for each that cannot be one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.arrays import Int64s
from tsclust.errors import SettingsError
from tsclust.series import ID, VALUES
from tsclust.serve.problems import Refusal
from tsclust.stages.model import carried_types
from tsclust.stages.scores import input_table

_MOST = 2**63


@dataclass(frozen=True)
class Asked:
    """Series to score.

    ids     (n,) as they were given, null where there is none;  errors: row -> why it cannot be scored
    given   the ids of JSON as they were given, which Arrow would make one type; None where Arrow gave them
    rows    (m,) which of them can be;  table: these, series_id being the row
    """

    ids: pa.Array
    rows: Int64s
    table: pa.Table
    errors: Mapping[int, str] = field(default_factory=dict)
    given: Sequence[int | str | None] | None = None

    def __len__(self) -> int:
        return len(self.ids)


def of_table(table: pa.Table, carried: Sequence[str], longest: int) -> Asked:
    """From Arrow or Parquet, whose columns have one type each: a wrong one is an error of the whole request.

    Raises SettingsError.
    """
    needed = dict.fromkeys((ID, VALUES, *carried))
    input_table.check_names(table.column_names, tuple(needed))
    there = table.select(list(needed))
    ids = input_table.ids_of(there)
    lengths = pc.fill_null(pc.list_value_length(_lists(there[VALUES])), 0).to_numpy(zero_copy_only=False)
    errors = {int(row): _too_long(int(lengths[row]), longest) for row in np.flatnonzero(lengths > longest)}
    errors |= {int(row): _no_id() for row in np.flatnonzero(pc.is_null(ids).to_numpy(zero_copy_only=False))}
    return _asked(ids, there, errors)


def of_json(said: Mapping[str, Any], carried: Mapping[str, str], longest: int, most: int) -> Asked:
    """From {"series": [{"series_id": 1, "values": [...], ...}]}. carried: column -> its type in training.

    Raises Refusal for what is no such object; what is wrong with one series is an error of its own.
    """
    series = said.get("series")
    if not isinstance(series, list) or len(said) > 1:
        _refuse("expected a body with `series` alone: a list of objects with series_id and values")
    if len(series) > most:
        raise Refusal(413, f"{len(series):,} series: expected at most {most:,} in one request", "Send fewer at a time")
    found = [_wrong(one, carried, longest) for one in series]
    errors = {row: why for row, why in enumerate(found) if why}
    good = [row for row, why in enumerate(found) if not why]
    columns = {name: [series[row][name] for row in good] for name in carried}
    arrays = {name: _column(name, values, carried[name]) for name, values in columns.items()}
    for name, (_, wrong) in arrays.items():
        errors |= {good[at]: f"{name}: {why}" for at, why in wrong.items() if good[at] not in errors}
    keep = np.array([at for at, row in enumerate(good) if row not in errors], np.int64)
    values = pa.array([series[good[at]][VALUES] for at in keep], pa.list_(pa.float64()))
    table = {ID: pa.array(np.array(good, np.int64)[keep]), VALUES: values}
    table |= {name: column.take(pa.array(keep)) for name, (column, _) in arrays.items()}
    ids = [one.get(ID) if isinstance(one, dict) and _is_id(one.get(ID)) else None for one in series]
    return Asked(_ids(ids), np.array(good, np.int64)[keep], pa.table(table), errors, ids)


def parsed(content: bytes) -> dict[str, Any]:
    """The object that a body is. Raises Refusal."""
    try:
        found = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(422, f"the body is not JSON: {error}"[:300], "Correct it; a missing value is null") from None
    try:  # half of a pair of UTF-16 is no text
        json.dumps(found, ensure_ascii=False).encode() if b"\\u" in content else None
    except UnicodeEncodeError:
        _refuse("the body has a text that is none: half of a surrogate pair")
    if not isinstance(found, dict):
        _refuse("the body is no JSON object: expected one with `series` or `path`")
    return found


def _asked(ids: pa.Array, table: pa.Table, errors: dict[int, str]) -> Asked:
    rows = np.setdiff1d(np.arange(len(table)), np.fromiter(errors, np.int64, len(errors)))
    good = table.take(pa.array(rows)) if errors else table
    return Asked(ids, rows, good.set_column(good.column_names.index(ID), ID, pa.array(rows)), errors)


def _lists(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return column
    raise SettingsError(f"column {VALUES} is of type {kind}: expected a list of numbers", "Cast it")


def _wrong(one: Any, carried: Mapping[str, str], longest: int) -> str:
    """Why this is no series; "" for one that is."""
    if not isinstance(one, dict):
        return f"it is {_short(one)}: expected an object with series_id and values. Correct it"
    if not _is_id(one.get(ID)):
        return (
            _no_id() if one.get(ID) is None else f"series_id {_short(one[ID])}: expected an integer or text. Correct it"
        )
    values = one.get(VALUES)
    if not isinstance(values, list):
        return f"values {_short(values)}: expected a list of numbers. Correct it"
    if len(values) > longest:
        return _too_long(len(values), longest)
    other = next((v for v in values if type(v) not in (float, int, type(None))), None)
    if other is not None or any(type(v) is int and abs(v) >= _MOST for v in values):
        return f"values: {_short(other)} among them: expected numbers, or null for a missing one. Correct it"
    missing = next((name for name in carried if name not in one), None)
    return f"no {missing}, which the model compares by. Add it" if missing else ""


def _column(name: str, values: list[Any], trained: str) -> tuple[pa.Array, dict[int, str]]:
    """(a carried column of the series, place -> why its value is none); JSON has fewer types than training had."""
    if any(isinstance(v, str) for v in values) or trained == "string":
        values = [str(v) if type(v) is int else v for v in values]
    try:
        return _typed(values, trained), {}
    except SettingsError:
        wrong = {at: why for at, v in enumerate(values) if (why := _why_not(name, v, trained))}
    left = [None if at in wrong else v for at, v in enumerate(values)]
    try:
        return _typed(left, trained), wrong
    except SettingsError as error:  # each alone is right, but they are not of one type
        raise Refusal(422, f"column {name}: {error.problem}", "Give all series the same type") from None


def _why_not(name: str, value: Any, trained: str) -> str:
    try:
        carried_types.as_trained(pa.table({name: _typed([value], trained)}), [name], {name: trained})
    except SettingsError as error:
        return f"{_short(value)}: {error.problem}. {error.next_step}"
    return ""


def _typed(values: list[Any], trained: str) -> pa.Array:
    """Times are text in JSON. Raises SettingsError."""
    try:
        if trained.startswith(("timestamp", "date", "time")) and all(isinstance(v, str | None) for v in values):
            return pa.array(values, pa.string()).cast(carried_types.type_named(trained))
        column = pa.array(values)
        table = pa.table({"it": column})
        carried_types.as_trained(table, ["it"], {"it": trained})
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise SettingsError(f"expected {trained}: {error}"[:200], "Correct it") from None
    return column


def _ids(ids: list[Any]) -> pa.Array:
    """Text where one is text: JSON answers have them as they were given."""
    text = any(isinstance(one, str) for one in ids)
    return pa.array([str(one) if text and one is not None else one for one in ids], pa.string() if text else pa.int64())


def _is_id(value: Any) -> bool:
    return isinstance(value, str) or (type(value) is int and -_MOST <= value < _MOST)


def _no_id() -> str:
    return "it has no series_id. Give every series an id"


def _too_long(n: int, longest: int) -> str:
    return f"it has {n:,} values: expected at most {longest:,}. Cut it, or raise [serve] values"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number there")


def _refuse(problem: str) -> NoReturn:
    raise Refusal(422, problem, "Correct it: /openapi.json has examples")
