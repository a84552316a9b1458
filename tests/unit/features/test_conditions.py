"""What rules may say: everything on the list, nothing else, and both parsers understand it alike."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.endurance import times
from tsclust.config import Rule
from tsclust.errors import SettingsError
from tsclust.stages.features import conditions
from tsclust.stages.features.rule_sql import FUNCTIONS, TYPES, written
from tsclust.stages.features.rules import columns_used, screen

FRAME = pl.DataFrame(
    {
        "a": [1.5, -2.0, 0.0, float("nan"), None, 3.0],
        "b": [1, 2, 3, 4, 5, None],
        "s": ["Ab", "xy", "", "O'Hara", None, "%"],
        "d": pl.Series([datetime(2024, 1, n, n) for n in range(1, 6)] + [None], dtype=pl.Datetime("us")),
        "z": pl.Series([datetime(2024, 1, n, n, tzinfo=UTC) for n in range(1, 6)] + [None]).dt.convert_time_zone(
            "Europe/Moscow"
        ),
        "t": [True, False, None, True, False, None],
        "Температура": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        'a "name"': [1, 1, 1, 0, 0, 0],
        "select": [0, 1, 0, 1, 0, 1],
    }
)


def of(when: str, frame: pl.DataFrame = FRAME) -> list[int]:
    """The rows that the condition rejects."""
    rule = Rule(name="mine", when=when, reason="-")
    assert columns_used([rule], frame.columns) <= set(frame.columns)
    return screen(frame, [rule]).rejected_by.is_not_null().arg_true().to_list()


@pytest.mark.parametrize(
    ("when", "rows"),
    [
        # names and texts
        ("\"a\" > 1 AND s = 'Ab'", [0]),
        ("`a` > 1", [0, 3, 5]),
        ("s = 'O''Hara'", [3]),
        ("s = 'a' OR s = '--' OR s = '/* x */' OR s = '%'", [5]),
        ("Температура >= 5", [4, 5]),
        ('"a ""name""" = 1 AND "select" = 1', [1]),
        # numbers
        ("b > .5 AND b < 2.", [0]),
        ("b = 3e0 OR b = 0.1E1", [0, 2]),
        ("b = -(-1) OR a = -2 OR b = +3", [0, 1, 2]),
        ("b / 2 = 0.5", [0]),
        ("b // 2 = 0", [0]),
        ("b % 2 = 0", [1, 3]),
        ("b - 1 - 1 = 0 OR 8 / 2 / b = 1", [1, 3]),
        ("2 + b * 2 = 6", [1]),
        ("POWER(b, 2) = 9 OR ROUND(a, 0) = 2 OR ABS(a) = 2 OR LN(b) = 0", [0, 1, 2]),
        ("GREATEST(a, b) = 2 OR LEAST(b, 3) = 1", [0, 1]),
        # one and two equal signs, two ways of unequal
        ("b == 2", [1]),
        ("b != 2 AND b <> 3", [0, 3, 4]),
        # NULL: a comparison with it rejects nothing, nor does its opposite
        ("a = NULL OR a <> NULL", []),
        ("NOT (a > 1000) AND b > 4", []),
        ("a IS NULL", [4]),
        ("a IS NOT NULL AND b IS NULL", [5]),
        ("(b IS DISTINCT FROM 3) AND (b IS NOT DISTINCT FROM NULL)", [5]),
        ("COALESCE(b, 0) = 0 OR NULLIF(b, 1) IS NULL", [0, 5]),
        ("t IS TRUE", [0, 3]),
        ("t IS NOT TRUE", [1, 4]),
        ("t", [0, 3]),
        ("NOT t", [1, 4]),
        # NaN is greater than all numbers, and equal to itself
        ("a > 1e300", [3]),
        ("a = a", [0, 1, 2, 3, 5]),
        ("a / a > 1", [2, 3]),
        # precedence
        ("NOT a > 1 AND b > 1", [1, 2]),
        ("NOT (a > 1 AND b > 1)", [0, 1, 2]),
        ("b = 1 OR b = 2 AND a > 0", [0]),
        ("(b = 1 OR b = 2) AND a > 0", [0]),
        ("NOT b IN (1, 2) AND b NOT IN (3)", [3, 4]),
        ("b BETWEEN 2 AND 3 AND a < 0 OR b NOT BETWEEN 1 AND 4", [1, 4]),
        ("NOT NOT b = 1", [0]),
        ("- b * 2 = -2", [0]),
        # texts
        ("s LIKE 'A%' OR s ILIKE 'X_'", [0, 1]),
        ("s NOT LIKE '%a' AND LENGTH(s) > 2", []),
        ("LOWER(s) = 'ab' OR UPPER(s) = 'XY' OR STARTS_WITH(s, 'O') OR SUBSTR(s, 1, 1) = '%'", [0, 1, 3, 5]),
        ("s || '!' = 'xy!' OR REGEXP_LIKE(s, '^A')", [0, 1]),
        ("s ~ '^A' OR s ~* '^X'", [0, 1]),
        ("s !~ 'A|%' AND s !~* 'X' AND LENGTH(s) > 1", [3]),
        ("s ^@ 'O' OR POSITION('y' IN s) = 2", [1, 3]),
        ("TRIM(BOTH 'A' FROM s) = 'b' OR TRIM(TRAILING 'y' FROM s) = 'x' OR TRIM(s) = '%'", [0, 1, 5]),
        # bits, degrees, whole numbers
        ("BIT_AND(b, 4) = 4 OR BIT_COUNT(b) = 2", [2, 3, 4]),
        ("DIV(b, 2) = 2 OR SIND(b * 30) = 1", [2, 3, 4]),
        # times
        ("CAST(z AS TIMESTAMP) > TIMESTAMP '2024-01-04 03:59:00'", [3, 4]),
        ("HOUR(d) = 3 OR DAYOFWEEK(d) = 5 OR WEEK(d) > 1 OR QUARTER(d) > 1 OR MINUTE(d) > 0", [2, 4]),
        ("d > DATE('2024-01-03') OR d < TIMESTAMP('2024-01-01 02:00:00') AND DAYOFYEAR(d) = 1", [0, 2, 3, 4]),
        ("d > DATE '2024-01-03'", [2, 3, 4]),
        ("d < TIMESTAMP '2024-01-02 03:00:00' OR EXTRACT(HOUR FROM d) = 5", [0, 1, 4]),
        ("d - DATE '2024-01-01' > INTERVAL '4 days'", [4]),
        ("d + INTERVAL '1 day' < DATE '2024-01-03'", [0]),
        # more than one way
        ("CASE WHEN b > 3 THEN TRUE WHEN a > 1 THEN t ELSE FALSE END", [0, 3, 4]),
        ("CASE b WHEN 1 THEN TRUE END", [0]),
        ("IF(b > 3, a > 0, t)", [0, 3]),
        ("b::text = '3'", [2]),
        ("TRY_CAST(s AS DOUBLE) IS NULL AND CAST(b AS DOUBLE) = 2 AND CAST(b AS DECIMAL(9, 2)) = 2", [1]),
        ("CAST(b + 200 AS INT8) = 203 OR CAST(b AS HUGEINT) = 1 OR CAST(b AS REAL) = 2", [0, 1, 2]),
        # comments, and what is always so
        ("b = 2 -- only this one", [1]),
        ("/* b = 3 /* or */ so */ b = 2", [1]),
        ("1 = 1", [0, 1, 2, 3, 4, 5]),
        ("FALSE OR NULL", []),
    ],
)
def test_what_rules_may_say(when: str, rows: list[int]) -> None:
    assert of(when) == rows


@pytest.mark.parametrize(
    ("when", "message"),
    [
        # no condition, or more than one
        ("a >", "is not an SQL condition: incomplete after >, character 3. Write it like: peak_height < 0.2"),
        ("a > 3 AND", "is not an SQL condition: incomplete after AND, character 9. Write it like: peak_height < 0.2"),
        ("", "is not an SQL condition"),
        ("-- a > 3", "is not an SQL condition"),
        ("s = 'open", "is not an SQL condition: the quote ' is not closed. Write ' where it ends"),
        ('"a > 3', 'is not an SQL condition: the quote " is not closed. Write " where it ends'),
        ("a > 3 /* why", r"is not an SQL condition: a comment /\* is not closed. Write \*/ where it ends"),
        ("a > 1; b > 1", "is not an SQL condition: expected exactly one, without a semicolon"),
        ("a > 1;", "is not an SQL condition"),
        ("a > 1 b", "is not an SQL condition: .*'b', character 7"),
        ("a > 1 AS b", "is not an SQL condition"),
        ("a > 1_000", "is not an SQL condition"),
        ("a > 0x1F", "is not an SQL condition"),
        ("DROP TABLE x", "is not an SQL condition"),
        ("{ : + 1e } 0.5", "is not an SQL condition"),
        ("SELECT 1", "is not an SQL condition"),
        # what is read in two ways
        ("a = b IS NULL", r'two ways, one is "a" = \("b" IS NULL\). Put parentheses'),
        ("a ISNULL", "two ways"),
        ("b IS DISTINCT FROM 3 AND b > 1", r"two ways"),  # Polars compares b with (3 AND b > 1)
        ("$$a$$ = 'a'", "two ways"),
        ("1 < a < 3", r"compares the result of 1 < a \(true or false\) with a value. Write 1 < a AND a < 3"),
        # other rows
        ("a > (SELECT 1)", r"refers to other rows \(SELECT\)"),
        ("a IN (SELECT a)", r"refers to other rows \(SELECT\)"),
        ("EXISTS (SELECT 1)", r"refers to other rows \(SELECT\)"),
        ("a > MAX(a) OVER ()", r"refers to other rows \(MAX, OVER\)"),
        ("a > LAG(a)", r"refers to other rows \(LAG\)"),
        ("FIRST(a) > 1", r"refers to other rows \(FIRST\)"),
        ("SUM(a) FILTER (WHERE b > 1) > 1", r"refers to other rows \(SUM\)"),
        ("PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) > 1", r"refers to other rows \(PERCENTILE_CONT\)"),
        ("COUNT(DISTINCT a) > 1", r"refers to other rows \(COUNT\)"),
        # the clock, and chance
        ("d < now()", r"current time \(NOW\).*DATE '2024-01-01'"),
        ("d < CURRENT_TIMESTAMP", r"current time \(CURRENT_TIMESTAMP\)"),
        ("d < Today() AND d < current_date", r"current time \(CURRENT_DATE, TODAY\)"),
        ("d < DATE 'today'", "not an SQL condition"),
        ("CAST(b AS UINT8) = 1", "casts to UINT8, which is not allowed in rules. Cast to one of BIGINT, BOOLEAN"),
        ("random() > 0.5", "calls RANDOM, which is not allowed in rules. Allowed are ABS, ACOS,"),
        # what is not on the list
        ("SQRTT(a) > 1", r"calls SQRTT, which is not allowed in rules. Did you mean SQRT\?"),
        ('"ABS"(a) > 1', "calls ABS, which is not allowed"),
        ("x.ABS(a) > 1", "not allowed"),
        ("DATE(s) > d", r"has DATE\(s\), which is not allowed in rules. Write CAST\(a AS DATE\) for a time"),
        ("TIMESTAMP(s) > d", r"TIMESTAMP\(s\), which is not allowed in rules. Write CAST\(a AS TIMESTAMP\) for a time"),
        ("CONCAT() = ''", "calls CONCAT without an argument"),
        ("read_parquet('/etc/passwd') = 1", "calls READ_PARQUET, which is not allowed"),
        ("COLUMNS('a') > 1", "calls COLUMNS, which is not allowed"),
        ("x.a > 1", "has x.a, which is not allowed in rules. Allowed are comparisons, AND, OR"),
        ("a.b.c > 1", "not allowed"),
        ("* > 1", "not allowed"),
        ("b & 1 = 1", "has b & 1, which is not allowed"),
        ("b ^ 2 = 1", "has b . 2, which is not allowed"),
        ("a BETWEEN SYMMETRIC 2 AND 1", "not allowed"),
        ("s LIKE 'x' ESCAPE '!'", "not allowed"),
        ("b = ANY(1, 2)", "calls ANY"),
        ("b IN b", "not allowed|not an SQL condition"),
        ("[a] = [1]", "not allowed"),
        ("s -> 'x' = 1", "is not an SQL condition"),
        ("a = ? OR a = :b OR a = @c", "not allowed"),
        ("a COLLATE x = 1", "not allowed"),
        ("ABS(DISTINCT a) > 1", "not allowed"),
        ("ABS(a ORDER BY a) > 1", "not allowed"),
        ("COALESCE(x -> x) > 1", "not allowed"),
        ("CAST(a AS BLOB) = 1", "casts to VARBINARY, which is not allowed in rules. Cast to one of BIGINT"),
        ("CAST(s AS VARCHAR(1)) = 'A'", r"casts to VARCHAR\(1\)"),
        # what gives no answer for a row
        ("a", "does not give true or false: it gives Float64"),
        ("s + 1 > 2", "does not give true or false"),
        ("s RLIKE '(((('", r"true or false: regular expression: unclosed group\. Write \\ before"),
        (
            "z > TIMESTAMP '2024-01-01 00:00:00'",
            r"'Europe/Moscow'\).* Write CAST\(column AS TIMESTAMP\), its time in UTC",
        ),
        ("CAST(s AS INT) = 1", "does not give true or false"),
        ("LOG(b) > 1", "is not an SQL condition: no function matches"),
    ],
)
def test_what_rules_may_not_say(when: str, message: str) -> None:
    rule = Rule.model_construct(name="mine", when=when, reason="-")
    with pytest.raises(SettingsError, match=message) as error:
        screen(FRAME, [rule])
    assert str(error.value).startswith("rule mine: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "deep",
    [
        "(" * 900 + "a > 1" + ")" * 900,
        "NOT " * 490 + "a > 1",
        "- " * 900 + "a > 1",
        "ABS(" * 400 + "a" + ")" * 400 + " > 1",
        "CASE WHEN " * 150 + "t" + " THEN t END" * 20,
        "CASE WHEN t THEN " * 90 + "t" + " END" * 90,
        "((((" * 20 + "a" + "))))" * 20 + " > 1",
        "INTERVAL " * 200 + "'1 day' > d",
        "a IN (" * 300 + "1" + ")" * 300,
    ],
)
def test_what_is_too_deep_says_so(deep: str) -> None:
    with pytest.raises(SettingsError, match=r"nested too deeply|not an SQL condition") as error:
        conditions.parse("mine", deep)
    assert len(str(error.value)) < 700


@pytest.mark.parametrize("word", ["AND", "OR", "+", "*"])
def test_what_is_only_long_is_not_deep(word: str) -> None:
    assert conditions.parse("mine", f" {word} ".join(["b > 1" if word.isalpha() else "b"] * 300)).columns == {"b"}


def test_a_rule_is_shown_in_a_message_only_so_far() -> None:
    with pytest.raises(SettingsError) as error:
        conditions.parse("mine", "b + " * 400 + "bad(b)")
    assert len(str(error.value)) < 1_200


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_polars_has_every_function_and_each_is_of_one_row(name: str) -> None:
    tried = [f"{name}({', '.join(arguments)}) IS NULL" for arguments in _ARGUMENTS]
    ran = [when for when in tried if _runs(when)]
    assert ran, tried
    for when in ran:
        assert_of_one_row(when)


def test_the_documentation_names_what_rules_may_say() -> None:
    page = (Path(__file__).parents[3] / "docs" / "features.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in FUNCTIONS | set(TYPES))


_ARGUMENTS = [(), *[(c,) for c in "abds"], ("b", "b"), ("s", "1"), ("s", "'a'"), ("s", "1", "1"), ("t", "a", "b")]
_ARGUMENTS += [("'year'", "d"), ("d", "'%Y'"), ("s", "'b'", "1"), ("'a' IN s",), ("'2024-01-01'",)]
_ARGUMENTS += [("'2024-01-01 06:00:00'",), ("'2024-01-01'", "'%Y-%m-%d'")]


def _runs(when: str) -> bool:
    try:
        of(when)
    except SettingsError:
        return False
    return True


def assert_of_one_row(when: str) -> None:
    """The rows get the same answers together, one by one, and in another order."""
    together = of(when)
    assert [n for n in range(len(FRAME)) if of(when, FRAME[n : n + 1])] == together
    assert sorted(len(FRAME) - 1 - n for n in of(when, FRAME.reverse())) == together


_PIECES = [
    *("a", "b", "s", "d", "t", "x", '"a"', "`b`", "'text'", "'A%'", "1", "0.5", "-2", "1e3", "NULL", "TRUE", "*"),
    *("(", ")", ",", "+", "-", "*", "/", "//", "%", "||", "=", "==", "<>", "!=", "<", ">=", "<=>", "::", ".", ";"),
    *("AND", "OR", "NOT", "IS", "IN", "LIKE", "ILIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END", "AS", "INT"),
    *("DATE '2024-01-01'", "INTERVAL '1 day'", "CAST(", "ABS(", "COALESCE(", "LENGTH(", "ROUND(", "IF(", "EXTRACT("),
    *("MAX(", "COUNT(*)", "MEDIAN(b)", "QUANTILE_CONT(a, 0.5)", "ROW_NUMBER()", "OVER ()", "OVER (ORDER BY a)", "LAG("),
    *("(SELECT 1)", "SELECT", "FROM", "NOW()", "CURRENT_DATE", "RANDOM()", "--", "/*", "*/", "$$", "[", "]", "->", "&"),
    *("EXISTS", "ANY(", "FILTER (WHERE t)", "WITHIN GROUP (ORDER BY a)", "FIRST(b)", "SUM(b)", "RANK()", "DISTINCT"),
    *(
        "{",
        "}",
        ":",
        "1e",
        "CONCAT(",
        "GREATEST(",
        "~",
        "!~",
        "~*",
        "!~*",
        "^@",
        "TRIM(",
        "BOTH",
        "POSITION(",
        "DIV(",
        "DIV",
    ),
    *("DATE(", "TIMESTAMP(", "STRPTIME(", "REAL", "INT8", "HUGEINT", "BIT_AND(", "HOUR(", "z"),
]
_SOUP = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=12).map(" ".join)
_NUMBERS = st.recursive(
    st.sampled_from(["a", "b", "1", "2.5", "MAX(b)", "SUM(b)", "FIRST(a)", "MEDIAN(a)", "COUNT(*)", "LAG(b)", "NULL"]),
    lambda x: st.one_of(
        st.builds("{} {} {}".format, x, st.sampled_from(["+", "-", "*", "/", "//", "%"]), x),
        st.builds("{}({})".format, st.sampled_from(["", "ABS", "SQRT", "-", "AVG", "CEIL", "ROUND", "MIN"]), x),
        st.builds("CASE WHEN {} > {} THEN {} ELSE {} END".format, x, x, x, x),
        st.builds("{}({}, {})".format, st.sampled_from(["GREATEST", "COALESCE", "POWER", "NULLIF", "CORR"]), x, x),
        st.builds("{} OVER ({})".format, x, st.sampled_from(["", "PARTITION BY t", "ORDER BY b"])),
    ),
    max_leaves=6,
)
_CONDITIONS = st.recursive(
    st.one_of(
        st.builds(
            "{} {} {}".format, _NUMBERS, st.sampled_from(["=", "<>", "<", ">=", "IS NOT DISTINCT FROM"]), _NUMBERS
        ),
        st.builds("{} {} {} AND {}".format, _NUMBERS, st.sampled_from(["BETWEEN", "NOT BETWEEN"]), _NUMBERS, _NUMBERS),
        st.builds("{} {} ({}, {})".format, _NUMBERS, st.sampled_from(["IN", "NOT IN"]), _NUMBERS, _NUMBERS),
        st.builds("{} IS {}".format, _NUMBERS, st.sampled_from(["NULL", "NOT NULL"])),
        st.sampled_from(["t", "s LIKE 'A%'", "s NOT ILIKE '%B'", "d > DATE '2024-01-02'", "TRUE"]),
    ),
    lambda x: st.one_of(
        st.builds("{} {} {}".format, x, st.sampled_from(["AND", "OR", "="]), x),
        st.builds("{}{}{}".format, st.sampled_from(["NOT ", "(", "NOT ("]), x, st.sampled_from(["", ")", " IS NULL"])),
    ),
    max_leaves=5,
)


@pytest.mark.endurance
@settings(max_examples=times(300, 20_000))
@given(
    st.one_of(
        st.text(min_size=1, max_size=80), st.lists(st.sampled_from(_PIECES), min_size=1, max_size=12).map(" ".join)
    )
)
def test_any_text_is_refused_with_a_message_or_runs(when: str) -> None:
    rule = Rule.model_construct(name="mine", when=when, reason="-")
    try:
        read = columns_used([rule], FRAME.columns)
        screen(FRAME, [rule])
    except SettingsError:
        return
    assert read <= set(FRAME.columns)
    assert_of_one_row(when)


@pytest.mark.slow
@pytest.mark.endurance
@settings(max_examples=times(300, 20_000))
@given(_CONDITIONS)
def test_what_passes_judges_a_row_by_itself_and_as_polars_reads_it(when: str) -> None:
    try:
        condition = conditions.parse("mine", when)
        screen(FRAME, [Rule.model_construct(name="mine", when=when, reason="-")])
    except SettingsError:
        return
    assert condition.columns == set(pl.sql_expr(when).meta.root_names())
    assert condition.expression.meta.eq(pl.sql_expr(when))
    assert conditions.parse("mine", written(condition.tree)).expression.meta.eq(condition.expression)
    assert_of_one_row(when)
