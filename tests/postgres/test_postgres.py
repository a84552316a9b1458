"""Reading from a real server: ids of all types, odd values, ranges, one snapshot however much is written meanwhile."""

from __future__ import annotations

import io
import math
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from psycopg import sql

from tests.support.endurance import times
from tests.support.reading import (
    ROOT,
    admin,
    alike,
    both_ways,
    cut,
    one_pass,
    one_range,
    read,
    run,
    series,
    tables,
    together,
)
from tsclust.config import Source
from tsclust.engine.base import map_parts
from tsclust.series import SeriesBlock
from tsclust.source import checks
from tsclust.source.postgres.reader import PostgresReader, opened

pytestmark = pytest.mark.both_servers

MANY = """
    CREATE TABLE cycles AS SELECT i AS series_id, 's' || i % 7 AS switch_id, ARRAY[i, i + 0.5]::float8[] AS values
    FROM generate_series(1, 10000) AS i ORDER BY i * 7919 % 10007"""
KEY = "ALTER TABLE cycles ADD PRIMARY KEY (series_id)"
LONG = """
    CREATE SEQUENCE later START 2;
    CREATE TABLE cycles AS SELECT i AS series_id, j AS idx, i + j / 2.0::float8 AS value
    FROM generate_series(1, 10000) AS i, generate_series(0, 1) AS j ORDER BY i * 7919 % 10007, j"""


# Ids


@pytest.mark.parametrize(
    "id_",
    ["i::int2", "i - 1500", "i * 3000000000", "'n' || i", "'Я' || i", "md5(i::text)::uuid", "i + 0.5",
     "timestamptz 'epoch' + i * interval '1h'"],
)  # fmt: skip
def test_ids_of_any_type_that_has_an_order(database: str, id_: str) -> None:
    run(
        database,
        f"CREATE TABLE t AS SELECT {id_} AS series_id, ARRAY[i, 0.5] AS values FROM generate_series(1, 3000) AS i",
    )
    with admin(database) as connection:
        there = dict(connection.execute("SELECT series_id::text, values::float8[] FROM t").fetchall())
    without = read(database, Source(table="t", part_rows=500))
    assert {str(k): v for k, v in series(without).items()} == there
    assert without["series_id"].type == (
        pa.string() if re.search("[':.]", id_[1:]) and "int2" not in id_ else pa.int64()
    )
    run(database, "ALTER TABLE t ADD PRIMARY KEY (series_id)", "ANALYZE t")
    with opened(database, Source(table="t", part_rows=500), ROOT) as reader:
        assert len(reader.info.ranges) == 6
        assert together(reader, tables(reader, 3)).equals(without)


# Values

ODD = [
    None, [], [None], [None, 1.0, None], [math.nan, 1.0], [math.inf, -math.inf, 0.5], [7.0],
    [float(i) for i in range(100_000)], [1e-300, 0.1, 1e300],
]  # fmt: skip


@pytest.mark.parametrize("type_", ["float8[]", "numeric[]"])
def test_odd_values_come_as_they_are(database: str, type_: str) -> None:
    run(database, f"CREATE TABLE t (series_id int PRIMARY KEY, values {type_})")
    with admin(database) as connection:
        connection.cursor().executemany("INSERT INTO t VALUES (%s, %s::float8[])", list(enumerate(ODD)))
    for table in (read(database, Source(table="t")), *both_ways(database, Source(table="t"), 2, 3, 6)):
        assert alike(series(table), dict(enumerate(ODD)))
    assert checks.count(table.to_batches()[0])["very_long"] == 1
    assert SeriesBlock.from_arrow(table).offsets[:3].tolist() == [0, 0, 0]


def test_nothing_of_an_empty_table(database: str) -> None:
    run(database, "CREATE TABLE a (series_id int PRIMARY KEY, values real[])",
        "CREATE TABLE b (series_id int, values real[])",
        "CREATE TABLE c (series_id int, idx int, value real, PRIMARY KEY (series_id, idx))")  # fmt: skip
    for name in "abc":
        got = read(database, Source(table=name))
        assert (got.num_rows, got.schema.names) == (0, ["series_id", "values"])


def test_wide_rows_lose_only_the_nulls_at_their_end(database: str) -> None:
    cells = ", ".join(f"v{i} real" for i in range(8))
    run(database, f"CREATE TABLE t (id int, {cells})", "INSERT INTO t VALUES (1, 0, NULL, 'NaN')",
        "INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (3, 1, 2, 3)",
        "UPDATE t SET v7 = 7 WHERE id = 3")  # fmt: skip
    wide = {1: [0.0, None, math.nan], 2: [], 3: [1.0, 2.0, 3.0, None, None, None, None, 7.0]}
    assert all(alike(series(table), wide) for table in both_ways(database, Source(table="t"), 2))


# Ranges


@pytest.mark.parametrize("made", [(MANY, KEY), (LONG, "CREATE INDEX ON cycles (series_id)")], ids=["array", "long"])
@pytest.mark.parametrize(("part_rows", "ranges"), [(999, 11), (2_500, 4), (9_999, 2), (10_001, 1), (65_536, 1)])
def test_every_series_is_in_one_range(database: str, made: tuple[str, str], part_rows: int, ranges: int) -> None:
    run(database, *made, "ANALYZE")
    with opened(database, Source(table="cycles", part_rows=part_rows), ROOT) as reader:
        parts = tables(reader, 2)
        found = reader.info.ranges
    assert abs(len(found) - ranges) <= 1
    assert all(part_rows * 0.4 < p.num_rows <= part_rows * 1.2 or ranges == 1 for p in parts)
    assert all(0.8 < p.num_rows / r.rows < 1.25 for p, r in zip(parts, found, strict=True))
    assert (found[0].low, found[-1].high) == (None, None)
    assert [r.low for r in found[1:]] == [r.high for r in found[:-1]]
    assert pa.concat_tables(parts)["series_id"].to_pylist() == list(range(1, 10_001))


def test_where_one_pass_is_better_there_are_no_ranges(database: str) -> None:
    run(
        database,
        MANY,
        "CREATE VIEW sums AS SELECT series_id, array_agg(u) AS values FROM cycles, unnest(values) u GROUP BY 1",
    )
    sums = Source(table="sums", part_rows=500)
    with opened(database, Source(table="cycles"), ROOT) as reader:
        assert reader.info.ranges == ()  # no index
    run(database, KEY, "ANALYZE")
    for source in (sums, Source(query="SELECT series_id + 0 AS id, values FROM cycles"),
                   Source(query="SELECT * FROM cycles ORDER BY md5(switch_id) OFFSET 0", part_rows=20)):  # fmt: skip
        with opened(database, source, ROOT) as reader:
            if source != sums:
                assert reader.info.ranges == ()
            assert together(reader, tables(reader, 2)).num_rows == 10_000


def test_workers_and_physical_order_do_not_show(database: str) -> None:
    run(database, MANY, KEY, "CREATE TABLE again AS SELECT * FROM cycles ORDER BY md5(series_id::text)",
        "ALTER TABLE again ADD PRIMARY KEY (series_id)", "ANALYZE")  # fmt: skip
    got = []
    for table, workers in (("cycles", 1), ("cycles", 3), ("again", 3)):
        with opened(database, Source(table=table, part_rows=1_000), ROOT) as reader:
            got.append(tables(reader, workers))
    assert got[0] == got[1] == got[2]
    assert len(got[0]) == 10
    assert _written(got[0]) == _written(got[2])
    assert got[0][0].schema.metadata is None


def _written(parts: list[pa.Table]) -> list[bytes]:
    files = [io.BytesIO() for _ in parts]
    for part, file in zip(parts, files, strict=True):
        pq.write_table(part.combine_chunks(), file)
    return [file.getvalue() for file in files]


def test_a_part_can_be_read_again(database: str) -> None:
    run(database, MANY)
    with opened(database, Source(table="cycles"), ROOT, frozen=lambda _: cut(3_000, 6_000)) as reader:
        second = reader.info.ranges[1]
        assert one_range(reader, second).equals(one_range(reader, second))
        assert one_range(reader, second)["series_id"].to_pylist() == list(range(3_000, 6_000))


def test_what_is_new_comes_after_the_mark(database: str) -> None:
    run(database, MANY, KEY)
    with opened(database, Source(table="cycles"), ROOT) as reader:
        assert reader.info.high_watermark == "10000"
    run(
        database, "INSERT INTO cycles SELECT i, 'new', '{1}' FROM generate_series(9995, 10003) i ON CONFLICT DO NOTHING"
    )
    with opened(database, Source(table="cycles"), ROOT, after="10000") as reader:
        assert together(reader, tables(reader))["series_id"].to_pylist() == [10_001, 10_002, 10_003]


# One snapshot


def test_changes_after_opening_are_not_seen(database: str) -> None:
    run(database, MANY, KEY, "ANALYZE")
    before = read(database, Source(table="cycles"))
    with opened(database, Source(table="cycles", part_rows=1_000), ROOT) as reader:
        first = one_range(reader, reader.info.ranges[0])
        run(
            database,
            "UPDATE cycles SET values = '{0}', series_id = series_id + 100000 WHERE series_id % 3 = 0",
            "DELETE FROM cycles WHERE series_id % 3 = 1",
            "INSERT INTO cycles SELECT i, 'new', '{9}' FROM generate_series(-500, 0) AS i",
        )
        rest = list(map_parts(lambda r: one_range(reader, r), reader.info.ranges[1:], 3))
        assert together(reader, [first, *rest]).equals(before)
        assert together(reader, one_pass(reader)).equals(before)


@contextmanager
def writing(dsn: str, *changes: str) -> Iterator[list[int]]:
    """Small transactions in two threads, all the time; {} is a random id. Gives the number of rows each one changed."""
    changed: list[int] = []
    stop = threading.Event()

    def loop(seed: int) -> None:
        of = random.Random(seed)
        with psycopg.connect(dsn) as connection:
            while not stop.is_set():
                queries = [sql.SQL(of.choice(changes)).format(of.randint(-500, 12_000)) for _ in range(3)]
                try:
                    changed.extend(connection.execute(query).rowcount for query in queries)
                except psycopg.errors.DeadlockDetected:  # both changed what the other one waits for
                    connection.rollback()
                (connection.rollback if of.random() < 0.1 else connection.commit)()

    threads = [threading.Thread(target=loop, args=[seed]) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    try:
        yield changed
    finally:
        stop.set()
        for thread in threads:
            thread.join()


ARRAY_CHANGES = (
    "INSERT INTO cycles VALUES ({}, 'new', '{{9,9}}') ON CONFLICT DO NOTHING",
    "UPDATE cycles SET values = values || random()::float8 WHERE series_id = {}",
    "DELETE FROM cycles WHERE series_id BETWEEN {0} AND {0} + 3",
)
LONG_CHANGES = (
    "INSERT INTO cycles SELECT series_id, nextval('later'), random() FROM cycles WHERE series_id = {} LIMIT 1",
    "UPDATE cycles SET value = random() WHERE series_id BETWEEN {0} AND {0} + 5",
    "DELETE FROM cycles WHERE series_id BETWEEN {0} AND {0} + 3",
)
IN_PSYCOPG = {"array": "SELECT series_id, values FROM cycles",
              "long": "SELECT series_id, array_agg(value ORDER BY idx) FROM cycles GROUP BY 1"}  # fmt: skip


def _in_same_snapshot(dsn: str, reader: PostgresReader, query: str) -> dict[Any, Any]:
    with psycopg.connect(dsn) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(reader.info.snapshot))
        return dict(connection.execute(query).fetchall())


@pytest.mark.endurance
@pytest.mark.parametrize(
    ("kind", "made", "changes"),
    [("array", (MANY, KEY), ARRAY_CHANGES), ("long", (LONG, "CREATE INDEX ON cycles (series_id)"), LONG_CHANGES)],
    ids=["array", "long"],
)
def test_what_is_written_all_the_time_is_read_as_it_was_at_one_moment(
    database: str, kind: str, made: tuple[str, str], changes: tuple[str, ...]
) -> None:
    run(database, *made, "ANALYZE")
    with writing(database, *changes) as changed:
        for _ in range(times(1, 3)):
            with opened(database, Source(table="cycles"), ROOT, frozen=lambda _: cut(*range(50, 10_000, 50))) as reader:
                before = sum(changed)
                ranged = series(together(reader, tables(reader, 3)))
                passed = series(together(reader, one_pass(reader)))
                assert sum(changed) > before + 5
                there = _in_same_snapshot(database, reader, IN_PSYCOPG[kind])
            assert ranged == there
            assert passed == there
            assert there != series(read(database, Source(table="cycles")))


def test_an_index_that_may_hold_a_value_twice_names_no_id(database: str) -> None:
    run(database, MANY, "ALTER TABLE cycles RENAME series_id TO id", "CREATE INDEX ON cycles (switch_id)")
    assert read(database, Source(table="cycles")).num_rows == 10_000


def test_the_key_of_another_table_of_a_join_names_no_id(database: str) -> None:
    run(database, MANY, "CREATE TABLE switches AS SELECT DISTINCT switch_id FROM cycles",
        "ALTER TABLE switches ADD PRIMARY KEY (switch_id)")  # fmt: skip
    query = (
        "SELECT s.switch_id, c.series_id AS cycle_id, c.values FROM switches AS s JOIN cycles AS c USING (switch_id)"
    )
    assert read(database, Source(query=query)).num_rows == 10_000
