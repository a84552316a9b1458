"""The queries in sql/ run as they stand."""

from __future__ import annotations

import re

import pytest

from tests.support.reading import ROOT, read, run
from tsclust.config import Source

pytestmark = pytest.mark.both_servers

CYCLES = "INSERT INTO machine.cycles VALUES (2, 'b', '2021-01-01Z', '{2,NULL}'), (1, 'a', '2021-01-02Z', '{1,1.5}')"
SHIPPED = {
    "array_column": ([CYCLES], [(1, [1.0, 1.5]), (2, [2.0, None])]),
    "long_rows": (
        ["INSERT INTO machine.samples SELECT s, i, s + i FROM generate_series(1, 3) s, generate_series(9, 0, -1) i"],
        [(s, [float(s + i) for i in range(10)]) for s in (1, 2, 3)],
    ),
    "jsonb_arrays": (
        ["INSERT INTO machine.cycles_json VALUES (1, 'a', '[0.5, null, 1e2]'), (2, 'a', '[]'), (3, 'b', NULL)"],
        [(1, [0.5, None, 100.0]), (2, []), (3, None)],
    ),
    "wide_columns": (
        ["INSERT INTO machine.cycles_wide VALUES (1, 'a', 0, 1, 2, 3, 4, 5, 6, NULL)"],
        [(1, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, None])],
    ),
    "joined_machines": (
        [CYCLES, "INSERT INTO machine.switches VALUES ('a', 'M1', 'north', '2001-01-01')"],
        [(1, [1.0, 1.5]), (2, [2.0, None])],
    ),
}


def test_every_shipped_query_is_tested() -> None:
    assert {p.stem for p in (ROOT / "sql").glob("*.sql")} == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("part_rows", [1, 1000])
def test_shipped_queries_run_as_they_stand(database: str, name: str, part_rows: int) -> None:
    """The tables are made as the file's own header says."""
    inserts, series = SHIPPED[name]
    header = re.findall(r"^-- (.*)", (ROOT / "sql" / f"{name}.sql").read_text(encoding="utf-8"), re.MULTILINE)
    made = re.findall(r"CREATE TABLE [^;]+;", "\n".join(header))
    run(database, "CREATE SCHEMA machine", *made, *inserts)
    table = read(database, Source(query=f"sql/{name}.sql", part_rows=part_rows))
    assert list(zip(table["series_id"].to_pylist(), table["values"].to_pylist(), strict=True)) == series
    if name == "joined_machines":
        assert table["model"].to_pylist() == ["M1", None]


def test_the_server_groups_long_rows_in_their_order(database: str) -> None:
    """More rows than one worker of a parallel plan would take, written in no order."""
    run(
        database,
        "CREATE SCHEMA machine",
        "CREATE TABLE machine.samples (series_id bigint, idx integer, value float8, PRIMARY KEY (series_id, idx))",
        "INSERT INTO machine.samples SELECT s, i, i FROM generate_series(1, 3000) s, generate_series(0, 59) i"
        " ORDER BY md5((s * 60 + i)::text)",
        "ANALYZE machine.samples",
    )
    table = read(database, Source(query="@sql/long_rows.sql", part_rows=1024))
    assert set(map(tuple, table["values"].to_pylist())) == {tuple(map(float, range(60)))}
    assert table.num_rows == 3000
