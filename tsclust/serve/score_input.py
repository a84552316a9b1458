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
from tsclust.series import ID, VALUES, nameless
from tsclust.serve.problems import Refusal
from tsclust.stages.scores import input_table, json_series

LIMIT = "[serve] values"


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
    errors = {
        int(row): json_series.too_long(int(lengths[row]), longest, LIMIT) for row in np.flatnonzero(lengths > longest)
    }
    errors |= {int(row): json_series.no_id() for row in np.flatnonzero(nameless(ids))}
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
    found = json_series.rows_of(series, carried, longest, LIMIT)
    ids = [one.get(ID) if isinstance(one, dict) and json_series.is_id(one.get(ID)) else None for one in series]
    return Asked(_ids(ids), found.rows, found.table, found.errors, ids)


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


def _ids(ids: list[Any]) -> pa.Array:
    """Text where one is text: JSON answers have them as they were given."""
    text = any(isinstance(one, str) for one in ids)
    return pa.array([str(one) if text and one is not None else one for one in ids], pa.string() if text else pa.int64())


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number there")


def _refuse(problem: str) -> NoReturn:
    raise Refusal(422, problem, "Correct it: /openapi.json has examples")
