"""From a layout to SQL, and on real servers: however series lie there, the same series come out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.support.reading import ROOT, both_ways, read, run, series
from tsclust.config import Source
from tsclust.source.postgres.reader import opened

pytestmark = pytest.mark.both_servers(long=True)

# On servers: 200 series of one to four values, some of them missing

SERIES = {i: [None if j == 0 and i % 5 == 0 and i % 4 else float(i * 10 + j) for j in range(i % 4 + 1)]
          for i in range(1, 201)}  # fmt: skip


BASE = """
    CREATE TABLE base AS SELECT i AS series_id, 's' || i % 7 AS switch_id, (
      SELECT array_agg(CASE WHEN j > 0 OR i % 5 > 0 OR i % 4 = 0 THEN i * 10 + j END ORDER BY j)
      FROM generate_series(0, i % 4) j)::numeric[] AS values
    FROM generate_series(1, 200) i ORDER BY md5(i::text)"""


KEY = "ALTER TABLE t ADD PRIMARY KEY (series_id)"


LONG = """CREATE TABLE t AS SELECT series_id, switch_id, place AS idx, value FROM base,
          unnest(values) WITH ORDINALITY AS u(value, place) ORDER BY md5(place::text || series_id)"""


CUT = [f"CREATE TABLE t{n} PARTITION OF t FOR VALUES FROM ({n * 70}) TO ({n * 70 + 70})" for n in range(3)]


def arrays(type_: str, *more: str) -> list[str]:
    return [f"CREATE TABLE t AS SELECT series_id, switch_id, values::{type_} FROM base", *more]


# name -> (are there ranges?, what makes t, settings)
LIES: dict[str, tuple[bool, list[str], dict[str, str]]] = {
    "float8[]": (True, arrays("float8[]", KEY), {}),
    "real[]": (True, arrays("real[]", KEY), {}),
    "numeric[]": (True, arrays("numeric[]", KEY), {}),
    "int[]": (True, arrays("int[]", KEY), {}),
    "int8[] without index": (False, arrays("int8[]"), {}),
    "jsonb": (True, ["CREATE TABLE t AS SELECT series_id, switch_id, to_jsonb(values) AS samples FROM base", KEY], {}),
    "json": (False, ["CREATE TABLE t AS SELECT series_id, switch_id, to_json(values) AS values FROM base"], {}),
    "wide": (
        True,
        [f"CREATE TABLE t AS SELECT series_id, switch_id, {', '.join(f'values[{i + 1}] AS v{i}' for i in range(11))}"
         " FROM base", KEY], {},
    ),
    "long": (True, [LONG, "ALTER TABLE t ADD PRIMARY KEY (series_id, idx)"], {}),
    "long, an index on the id only": (True, [LONG, "CREATE INDEX ON t (series_id)"], {}),
    "long without index": (False, [LONG], {}),
    "query": (True, arrays("float8[]", KEY), {"query": "SELECT * FROM t WHERE series_id > 0;  -- all"}),
    "query that computes the id": (False, arrays("float8[]", KEY),
                                   {"query": "SELECT series_id + 0 AS id, switch_id, values FROM t"}),
    "join": (True, [*arrays("float8[]", KEY), "CREATE TABLE more AS SELECT series_id, switch_id FROM base"],
             {"query": "SELECT t.series_id, m.switch_id, t.values FROM t JOIN more AS m USING (series_id)"}),
    "view of a view": (
        True,
        ["ALTER TABLE base ADD PRIMARY KEY (series_id)",
         "CREATE VIEW v AS SELECT values AS curve, switch_id, series_id AS id FROM base",
         "CREATE VIEW t AS SELECT id AS number, switch_id, curve FROM v"], {"id": "number"},
    ),
    "partitioned": (
        True,
        ["CREATE TABLE t (series_id int PRIMARY KEY, switch_id text, values real[]) PARTITION BY RANGE (series_id)",
         *CUT, "INSERT INTO t SELECT * FROM base"], {},
    ),
    "partitioned, long, without index": (
        False,
        ["CREATE TABLE t (series_id int, switch_id text, idx int, value real) PARTITION BY RANGE (series_id)",
         *CUT, f"INSERT INTO t {LONG.partition(' AS ')[2]}"], {},
    ),
    "materialized view": (
        True,
        ["CREATE MATERIALIZED VIEW t AS SELECT * FROM base", "CREATE UNIQUE INDEX ON t (series_id)"], {},
    ),
    "inheritance": (
        True,
        ["CREATE TABLE t (series_id int PRIMARY KEY, switch_id text, values float8[])",
         *(f"CREATE TABLE child{n} () INHERITS (t)" for n in range(2)),
         "INSERT INTO t SELECT * FROM base WHERE series_id % 3 = 0",
         *(f"INSERT INTO child{n} SELECT * FROM base WHERE series_id % 3 = {n + 1}" for n in range(2))], {},
    ),
    "inheritance, all in the children": (
        True,
        ["CREATE TABLE t (series_id int PRIMARY KEY, switch_id text, values float8[])",
         "CREATE TABLE child (PRIMARY KEY (series_id)) INHERITS (t)", "INSERT INTO child SELECT * FROM base"], {},
    ),
    "quoted names": (
        True,
        ['CREATE SCHEMA "My Schema"',
         'CREATE TABLE "My Schema"."T ""1"".x" AS SELECT series_id AS "The Id %s", switch_id, values AS "{}" FROM base',
         'ALTER TABLE "My Schema"."T ""1"".x" ADD PRIMARY KEY ("The Id %s")'], {"table": '"My Schema"."T ""1"".x"'},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_however_series_lie_the_same_ones_come_out(database: str, name: str) -> None:
    ranged, made, said = LIES[name]
    run(database, BASE, *made, "ANALYZE")
    where = {} if "query" in said else {"table": "t"}
    got = []
    for part_rows in (7, 100, 65_536):
        source = Source.model_validate({**where, **said, "part_rows": part_rows})
        got.append(read(database, source))
        got.extend(both_ways(database, source, *range(0, 210, part_rows)))
    with opened(database, source, ROOT) as reader:
        assert bool(reader.info.ranges) == ranged
    for table in got:
        assert series(table) == SERIES
        assert table["series_id"].to_pylist() == [*SERIES]
        assert table["switch_id"].to_pylist() == [f"s{i % 7}" for i in SERIES]


# Selections


@pytest.fixture(params=["array", "array without index", "long", "long without index"])
def lies(request: pytest.FixtureRequest, database: str) -> str:
    """A database where t holds the series."""
    name = {"array": "float8[]", "array without index": "int8[] without index"}.get(request.param, request.param)
    run(database, BASE, *LIES[name][1], "ANALYZE")
    return database


def test_where_leaves_series_out(lies: str) -> None:
    got = read(lies, Source(table="t", where="switch_id = 's3' OR q.series_id < 9 -- and no more", part_rows=7))
    assert series(got) == {i: v for i, v in SERIES.items() if i % 7 == 3 or i < 9}


@pytest.mark.parametrize("limit", [1, 99, 180, 181])
def test_limit_takes_the_first_series_by_id(lies: str, limit: int) -> None:
    got = read(lies, Source(table="t", limit=limit, where="series_id > 20", part_rows=7))
    assert series(got) == {i: SERIES[i] for i in range(21, min(limit + 21, 201))}


def test_a_sample_is_of_whole_series_and_always_the_same(lies: str) -> None:
    some = series(read(lies, Source(table="t", sample="20%", part_rows=7)))
    assert 20 < len(some) < 65
    assert some == {i: SERIES[i] for i in some}
    assert some == series(read(lies, Source(table="t", sample="0.2")))
    assert some.keys() < series(read(lies, Source(table="t", sample="50%"))).keys()


def test_a_sample_is_the_same_however_series_lie(database: str) -> None:
    run(database, BASE, *arrays("real[]", KEY), LONG.replace("TABLE t", "TABLE long"))
    samples = [read(database, Source(table=t, sample="10%"))["series_id"].to_pylist() for t in ("t", "long")]
    assert samples[0] == samples[1]


def test_what_changes_within_a_series_is_not_carried(lies: str) -> None:
    run(lies, "ALTER TABLE t ADD amps float8", "UPDATE t SET amps = ctid::text::point <-> '(0,0)'")
    with opened(lies, Source(table="t"), ROOT) as reader:
        carried = ["switch_id"] if reader.info.settings["layout"] == "long" else ["switch_id", "amps"]
    assert reader.info.schema.names == ["series_id", *carried, "values"]
    assert series(read(lies, Source(table="t"))) == SERIES


MIXED = """
    CREATE TABLE t (series_id int, idx int, lag interval, t timestamp, kind text, place text, value float8);
    INSERT INTO t VALUES (1, 1, '2 days', '-infinity', 'z', NULL, 1), (1, 2, '10 days', '2020-01-01', 'a', 'x', 2),
                         (2, 1, '1 hour', '2020-01-01', 'b', 'y', 3), (2, 2, '100 hours', 'infinity', 'b', 'y', 4)"""


@pytest.mark.parametrize(
    "said",
    [
        {"order": "t", "carry": ()},
        {"order": "t", "carry": ("t",)},
        {"order": "lag", "carry": ()},
        {"order": "idx", "carry": ("kind",)},
        {"order": "idx", "carry": ("*",)},
    ],
    ids=[
        "moments without end",
        "the first and last of them",
        "an order of intervals",
        "carried though it changes",
        "carried though sometimes NULL",
    ],
)
def test_long_rows_are_the_same_by_ranges_and_in_one_pass(database: str, said: dict[str, Any]) -> None:
    run(database, *MIXED.split(";"))
    ranged, passed = both_ways(database, Source(table="t", **said), 2)
    assert ranged.to_pylist() == passed.to_pylist()
    assert series(ranged) == {1: [1.0, 2.0], 2: [3.0, 4.0]}
    if said["carry"] == ("t",):
        at = datetime(2020, 1, 1)
        assert ranged.select(["t_first", "t_last"]).to_pylist() == [
            {"t_first": None, "t_last": at}, {"t_first": at, "t_last": None},
        ]  # fmt: skip
