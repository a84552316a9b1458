"""What does not fit a set found by type is an error on servers too; the command of each hint goes on with the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.endurance import times
from tests.support.hints import curves, flags, refused, series
from tests.support.reading import run

pytestmark = pytest.mark.both_servers(long=True)
WIDE = ", ".join(f"{i + 0.5}::float8 AS v{i}" for i in range(12))
BAD = WIDE.replace("7.5::float8", "CASE WHEN g = 2 THEN 'ERR' ELSE '7.5' END")


@pytest.fixture
def root(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that reads from the database."""
    monkeypatch.setenv("TSCLUST_DSN", database)
    return tmp_path / "ws"


@pytest.mark.parametrize(
    ("table", "code", "said"),
    [
        (f"SELECT g AS id, {BAD} FROM generate_series(1, 3) g", 10, "column v7 has 'ERR' where id = 2 and v0 = 0.5"),
        (
            f"SELECT g AS id, {WIDE.replace('7.5::float8', '(g = 2)')} FROM generate_series(1, 3) g",
            8,
            "column v7 is of type boolean: expected a number, as in v0 ... v11",
        ),
        (
            f"SELECT g AS id, {', '.join(c for c in WIDE.split(', ') if 'v7' not in c)} FROM generate_series(1, 3) g",
            8,
            "columns v0 ... v11 have no number 7",
        ),
        (
            "SELECT * FROM (VALUES (1, 1, '2.5', 20.0::float8), (1, 2, '-', 21.0)) v(series_id, idx, value, temp)",
            10,
            "column value has '-' where series_id = 1 and idx = 2: expected a number",
        ),
        (
            "SELECT * FROM (VALUES (1, 1, '2.5', 20.0::float8), (1, 2, '3', 21.0)) v(series_id, idx, value, temp)",
            10,
            "column value has '2.5' where series_id = 1 and idx = 1: expected a number",
        ),
        (
            "SELECT * FROM (VALUES (1, 1, '2.5', 20.0::float8), (1, 2, 'ERR', 21.0)) v(series_id, idx, amps, temp)",
            10,
            "column amps has 'ERR' where series_id = 1 and idx = 2: expected a number, if it holds the values",
        ),
        (
            "SELECT g AS id, '{1,2}'::text AS curve, '{0,9}'::float8[] AS limits FROM generate_series(1, 3) g",
            10,
            "column curve has '{1,2}' where id = 1 and limits = {0,9}: expected an array of numbers",
        ),
        (
            "SELECT CASE WHEN g = 2 THEN chr(9) ELSE g::text END AS id, '{1,2}'::float8[] AS curve"
            " FROM generate_series(1, 3) g",
            10,
            "1 of 3 rows have no id (blank text)",
        ),
        (
            "SELECT CASE WHEN g = 2 THEN ' ' || chr(160) ELSE g::text END AS id, n, g + n AS value"
            " FROM generate_series(1, 3) g, generate_series(1, 4) n",
            10,
            "4 of 12 rows have no id (blank text)",
        ),
    ],
)
def test_what_does_not_fit(database: str, root: Path, table: str, code: int, said: str) -> None:
    run(database, f"CREATE TABLE t AS {table}")
    line = refused(root, code, said, "--table", "t")
    hints = flags(line)
    assert hints
    for words in hints:
        assert series(root, *([] if "--query" in words else ["--table", "t"]), *words, *_more(words))
    for pattern in ("v*", "v0..v11"):
        if "v0" in table and code == 10:
            refused(root, code, said, "--table", "t", "--values", pattern)


def _more(words: list[str]) -> list[str]:
    """Of the amps and the temperature, which are numbers then, one has to be named."""
    return ["--values", "amps"] if "amps" in words[-1] else ["--values", "curve"] if "curve" in words[-1] else []


@pytest.mark.endurance
@pytest.mark.parametrize("key", ["", ", PRIMARY KEY (series_id, t)"])
@pytest.mark.parametrize(
    "moments",
    [
        ("31.01.2024 23:59:58", "01.02.2024 00:00:01", "01.02.2024 00:00:02"),
        ("9:58 AM", "12:01 PM", "1:00 PM"),
        ("9:58", "10:01", "11:00"),
        ("2024-01-31 09:58:00 +0200", "2024-01-31 09:59:00 +0200", "2024-01-31 08:30:00 +0000"),
        ("1/31/2024 9:58:00 AM", "1/31/2024 12:01:00 PM", "2/1/2024 1:00:00 AM"),
        ("-00:00:01", "99:00:00", "5 days"),
        ("30 Nov 2023 10:00:00", "01 Dec 2023 10:00:00", "01 Jan 2024 10:00:00"),
    ],
)
def test_times_as_text_are_refused_with_the_query_that_reads_them(
    database: str, root: Path, key: str, moments: tuple[str, ...]
) -> None:
    rows = [f"(1, '{at}', {value})" for at, value in zip(moments, (5.5, 1.5, 9.5), strict=True)]
    run(database, f"CREATE TABLE t (series_id int, t text, value float8{key})",
        f"INSERT INTO t VALUES {', '.join(reversed(rows))}")  # fmt: skip
    for asked in ((), ("--values", "value"), ("--order", "t"))[: times(1, 3) if key else 3]:
        line = refused(root, 8, f"is of type text ('{moments[2]}' where series_id = 1", "--table", "t", *asked)
        (words,) = [found for found in flags(line) if "--query" in found]
        assert curves(root, *words) == {1: ([5.5, 1.5, 9.5],)}


def test_dates_that_fit_two_orders(database: str, root: Path) -> None:
    run(
        database,
        "CREATE TABLE t AS SELECT * FROM (VALUES (1, '1/2/2024', 5.5::float8), (1, '2/1/2024', 1.5)) v(id, t, value)",
    )
    day, month = (words for words in flags(refused(root, 8, "('1/2/2024' where", "--table", "t")) if "--query" in words)
    assert (curves(root, *day), curves(root, *month)) == ({1: ([1.5, 5.5],)}, {1: ([5.5, 1.5],)})


def test_numeric_places_are_compared_to_the_last_digit(database: str, root: Path) -> None:
    run(database, "CREATE TABLE t (series_id int, t numeric, value float8)",
        "INSERT INTO t SELECT 1, 1706745597 + n * 1e-7 / 10, n FROM unnest(ARRAY[3, 1, 2]) n")  # fmt: skip
    assert series(root, "--table", "t") == {1: ([1.0, 2.0, 3.0],)}


@pytest.mark.parametrize(
    ("values", "second"),
    [
        ("'{{1,2},{3,4}}'::float8[]", [2.0, 4.0]),
        ("'[[1, 2.5], [2, 3.5]]'::jsonb", [2.5, 3.5]),
        ("'[[1,2],[2,3]]'::json", [2.0, 3.0]),
    ],
)
@pytest.mark.parametrize("key", ["", "ALTER TABLE t ADD PRIMARY KEY (id)"])
def test_the_hint_for_pairs_reads_the_second_of_each(
    database: str, root: Path, values: str, second: list[float], key: str
) -> None:
    run(database, f"CREATE TABLE t AS SELECT 1 AS id, {values} AS values", *([key] if key else []))
    line = refused(root, 10, "an array of several dimensions", "--table", "t")
    (words,) = [found for found in flags(line) if "--query" in found]
    assert series(root, *words) == {1: (second,)}
