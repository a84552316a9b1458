"""Odd series: counts and trimmed lists against plain Python, and ids that cannot be."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from tsclust.errors import BadSeriesError
from tsclust.source import checks
from tsclust.source.long_rows import counts_of, once

NAN, INF = math.nan, math.inf
Series = list[float | None] | None


def batch(series: list[Series], type_: pa.DataType | None = None) -> pa.RecordBatch:
    lists = pa.array(series, pa.list_(type_ or pa.float64()))
    return pa.record_batch([pa.array(range(len(series))), lists], ["series_id", "values"])


def in_python(series: list[Series]) -> dict[str, int]:
    counts = Counter[str]()
    for values in series:
        there = values or []
        counts["without_values"] += not there
        counts["one_value"] += len(there) == 1
        counts["with_missing"] += any(v is None or math.isnan(v) for v in there)
        counts["with_infinite"] += any(v is not None and math.isinf(v) for v in there)
        counts["very_long"] += len(there) > checks.LONG
    return dict(+counts)


def made(seed: int, rows: int = 200) -> list[Series]:
    of = random.Random(seed)
    pool = [0.0, 1.5, -2.0, 7.0, None, NAN, INF, -INF]
    weights = of.choice([[1] * 8, [5, 5, 5, 5, 0, 0, 0, 0], [9, 9, 9, 9, 1, 0, 0, 0], [9, 9, 9, 9, 0, 0, 0, 1]])
    return [
        None if of.random() < 0.1 else of.choices(pool, weights, k=of.choice([0, 1, 2, 5, 40])) for _ in range(rows)
    ]


def plain(lists: pa.ListArray) -> str:
    return repr(lists.to_pylist())


@pytest.mark.parametrize("type_", [pa.float64(), pa.float32()])
@pytest.mark.parametrize("seed", range(20))
def test_counts_are_those_of_plain_python(seed: int, type_: pa.DataType) -> None:
    series = made(seed)
    assert checks.count(batch(series, type_)) == in_python(series)
    assert checks.count(batch(series, type_).slice(13, 71)) == in_python(series[13:84])


def test_counts_by_hand() -> None:
    series: list[Series] = [None, [], [1.0], [None], [NAN, None, 1.0], [INF, -INF], [1.0, 2.0], [0.0] * checks.LONG]
    assert checks.count(batch([*series, [0.0] * (checks.LONG + 1)])) == {
        "without_values": 2, "one_value": 2, "with_missing": 2, "with_infinite": 1, "very_long": 1,
    }  # fmt: skip


def test_nothing_odd_counts_nothing() -> None:
    assert checks.count(batch([[1.0, 2.0]])) == {}
    assert checks.count(batch([])) == {}
    assert set(checks.count(batch(made(0)))) <= set(checks.WORDS)


def trimmed(values: Series) -> list[float | None]:
    there = list(values or [])
    while there and there[-1] is None:
        there.pop()
    return there


@pytest.mark.parametrize("type_", [pa.float64(), pa.float32()])
@pytest.mark.parametrize("seed", range(20))
def test_only_nulls_at_the_end_are_trimmed(seed: int, type_: pa.DataType) -> None:
    series = [[None, *(s or []), *[None] * (len(s or []) % 4)] for s in made(seed)] + made(seed)
    lists = pa.array(series, pa.list_(type_))
    assert plain(checks.trimmed(lists)) == repr([trimmed(s) for s in series])
    assert plain(checks.trimmed(lists.slice(5, 90))) == repr([trimmed(s) for s in series[5:95]])
    assert checks.trimmed(lists).type == lists.type


@pytest.mark.parametrize(
    "series", [[], [None], [[]], [[None, None]], [[None], [1.0]], [[1.0], [None]], [[], [NAN, None], []], [[1.0, None]]]
)
def test_small_lists_are_trimmed(series: list[Series]) -> None:
    got = checks.trimmed(pa.array(series, pa.list_(pa.float64())))
    got.validate(full=True)
    assert plain(got) == repr([trimmed(s) for s in series])


# Ids


def test_an_id_that_names_nothing_is_refused_with_its_row() -> None:
    with pytest.raises(BadSeriesError, match=r"^2 of 4 rows have no id \(NULL\), the first is row 12: "):
        checks.refuse_nameless(pa.array([1, None, 3, None]), 10)
    for blank in ("", " \t", "\u00a0"):
        with pytest.raises(
            BadSeriesError, match=r"^1 of 3 rows have no id \(blank text\), the first is row 13: "
        ) as said:
            checks.refuse_nameless(pa.array(["a", "0", blank]), 10, ["id"])
        assert said.value.next_step == "Exclude them: --where 'length(trim(\"id\")) > 0'"
    with pytest.raises(BadSeriesError, match=r"^2 of 3 rows have no id \(NULL or blank text\), the first is row 12: "):
        checks.refuse_nameless(pa.array(["a", None, ""]), 10)
    checks.refuse_nameless(pa.array([1, 2]), 10)
    checks.refuse_nameless(pa.array([], pa.int64()), 0)


def rows(ids: list[Any], *values: list[float | None] | None) -> pa.RecordBatch:
    """A row a series, with the same values in each where nothing else is asked for."""
    lists = list(values) or [[0.5]] * len(ids)
    columns = [pa.array(ids, None if ids else pa.int64()), pa.array(lists, pa.list_(pa.float64()))]
    return pa.record_batch(columns, ["series_id", "values"])


@pytest.mark.parametrize("ids", [[1, 2, 2, 3], ["a", "b", "b"], [7, 7]])
def test_an_id_beside_its_equal_is_refused(ids: list[int | str]) -> None:
    values = [[float(i)] for i in range(len(ids))]
    with pytest.raises(BadSeriesError, match=rf"series_id {ids[1]} occurs more than once.*layout = \"long\""):
        once(rows(ids, *values), None)


def test_an_id_that_the_batch_before_ended_with_is_refused() -> None:
    last = rows([5], [9.0])
    with pytest.raises(BadSeriesError, match="series_id 5 occurs more than once"):
        once(rows([5, 6]), last)
    assert once(rows([6, 7]), last).num_rows == 2
    assert once(rows(["б", "а"]), rows(["я"])).num_rows == 2
    assert once(rows([]), last).num_rows == 0


@pytest.mark.parametrize("values", [[], None, [1.5, None, math.nan, -0.0]])
def test_a_row_that_is_there_twice_counts_once(values: list[float | None] | None) -> None:
    batch = once(rows([5, 5, 6, 7, 7, 7], values, values, [2.0], values, values, values), rows([5], values))
    assert batch.column(0).to_pylist() == [6, 7]
    assert counts_of(batch.schema)[checks.REPEATED] == 4
    assert once(rows([5]), rows([5])).num_rows == 0
