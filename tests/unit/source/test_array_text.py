from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsclust.source.array_text import NotAnArrayError, looks_like_arrays, parse

NUMBERS = st.one_of(st.none(), st.floats(), st.integers(-(2**53), 2**53).map(float))
SERIES = st.lists(st.one_of(st.none(), st.lists(NUMBERS, max_size=5)), max_size=6)
BLANKS = st.sampled_from(["", " ", "  ", "\n", "\t "])


def as_postgres(series: list[float | None], blank: str = "") -> str:
    """What PostgreSQL writes; also the slow way to say what a text means."""
    words = ["NULL" if x is None else str(x).replace("inf", "Infinity").replace("nan", "NaN") for x in series]
    return "{" + blank + f"{blank},{blank}".join(words) + blank + "}"


def same(got: Any, expected: Any) -> bool:
    """Equal to the last bit, NaN equal to NaN, the sign of zero counts."""
    return json.dumps(got) == json.dumps(expected)


@given(SERIES, BLANKS)
def test_postgres_text_means_its_numbers(series: list[list[float | None] | None], blank: str) -> None:
    texts = [None if x is None else as_postgres(x, blank) for x in series]
    assert same(parse(pa.array(texts, pa.string())).to_pylist(), series)


@given(SERIES, st.sampled_from([None, 1]), st.sampled_from([pa.string(), pa.large_string()]))
def test_json_text_means_its_numbers(series: list[list[float | None] | None], indent: int, type_: pa.DataType) -> None:
    texts = [None if x is None else json.dumps(x, indent=indent) for x in series]
    got = parse(pa.array(texts, type_))
    assert got.type == pa.list_(pa.float64())
    assert same(got.to_pylist(), series)


@given(SERIES.filter(bool), st.integers(0, 5), st.integers(0, 5))
def test_a_slice_is_read_as_it_is(series: list[list[float | None] | None], start: int, length: int) -> None:
    whole = pa.array([None if x is None else as_postgres(x) for x in series], pa.string())
    assert same(parse(whole.slice(start, length)).to_pylist(), series[start : start + length])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("{}", []),
        ("[]", []),
        (" { } ", []),
        ("{NULL}", [None]),
        ("[null, Null , 1]", [None, None, 1.0]),
        ("{1e-5,-2E+10,.5,7.}", [1e-5, -2e10, 0.5, 7.0]),
        ("{-0}", [-0.0]),
        ("[0:2]={1,2,3}", [1.0, 2.0, 3.0]),
        ("[-3:-2]={1,NULL}", [1.0, None]),
        ("{9007199254740993}", [9007199254740992.0]),
        ("{0.1}", [0.1]),
        ("{inf,-inf,Infinity,-Infinity}", [math.inf, -math.inf, math.inf, -math.inf]),
    ],
)
def test_odd_texts(text: str, numbers: list[float | None]) -> None:
    assert same(parse(pa.array([text])).to_pylist(), [numbers])


@pytest.mark.parametrize(
    "text",
    ["", " ", "abc", "{", "}", "[", "{1", "1}", "1,2", "{1,2]", "[1,2}", "{a}", "{,}", "{1,}", "{,1}", "{1,,2}",
     "{1 2}", "{1;2}", "{1,2}}", "{[1]}", "[{}]", '{"1"}', '[1, "a"]', "{0x10}", "{nul}", "{NULLNULL}", "{true}",
     "{1,2}\n{3}", "[0:1]={1,a}", "[a]={1,2}", "é", "{é}", "{1_0}", "null"],
)  # fmt: skip
def test_what_is_no_array_is_named(text: str) -> None:
    with pytest.raises(NotAnArrayError) as told:
        parse(pa.array(["{1}", None, "{}", text, "[2]", "{bad too}"]))
    assert (told.value.row, told.value.text, told.value.why) == (3, text, "not an array of numbers")


@pytest.mark.parametrize("text", ["{{1,2},{3,4}}", "[[1, 2], [3, 4]]", "{{1}}", "[[]]", " [ [1]]", "{{1},{2}"])
def test_two_dimensions_are_named(text: str) -> None:
    with pytest.raises(NotAnArrayError, match="2-D"):
        parse(pa.array([text]))


def test_a_long_text_is_named_by_its_beginning() -> None:
    with pytest.raises(NotAnArrayError) as told:
        parse(pa.array(["{" + "1," * 1000 + "x}"]))
    assert told.value.text == ("{" + "1," * 1000)[:60]


@given(st.lists(st.text(alphabet='{}[]0,. nulN:="é'), min_size=1, max_size=4))
def test_any_text_is_read_or_refused(texts: list[str]) -> None:
    array, bad = pa.array(texts), len(texts)
    try:
        parse(array)
    except NotAnArrayError as told:
        bad = told.row
    assert len(parse(array[:bad])) == bad
    assert bad < len(texts) or looks_like_arrays(array)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["{1,2}", None, "[]"], True),
        (["[1]"], True),
        (["[0:1]={1,2}"], True),
        (["{{1},{2}}"], True),
        ([None, None], False),
        ([], False),
        (["{1}", "abc"], False),
        (["{1]"], False),
        (["{1}", ""], False),
        (["1"], False),
    ],
)
def test_sniffing(texts: list[str | None], expected: bool) -> None:
    assert looks_like_arrays(pa.array(texts, pa.string())) is expected


def test_no_rows_and_nothing_but_nulls() -> None:
    assert parse(pa.array([], pa.string())).to_pylist() == []
    assert parse(pa.array([None, None], pa.string())).to_pylist() == [None, None]
