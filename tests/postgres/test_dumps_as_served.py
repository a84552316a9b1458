"""A dump gives what the server would give: rows of tables that inherit, domains, blanks, keys."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import tsclust
from tests.support.file_tables import read as read_series
from tests.support.file_tables import same
from tests.support.reading import run
from tests.support.servers import new_database
from tests.support.workspaces import new_workspace
from tsclust.embedded_postgres.server import Server
from tsclust.errors import SettingsError, SourceFileError, TsclustError
from tsclust.source.pgdump import tables

TABLES = """
CREATE SCHEMA "Type s";
CREATE DOMAIN "Type s"."m v" AS numeric(10,3) CHECK (VALUE < 1e6);
CREATE DOMAIN public.mv AS "Type s"."m v" DEFAULT 1;
CREATE DOMAIN public.curve AS double precision[];
CREATE DOMAIN public.code AS character(6);
CREATE TYPE public.grade AS ENUM ('1', '2');
CREATE TABLE cycles (id bigint NOT NULL, machine_id integer, "values" double precision[]);
CREATE TABLE cycles_2024 () INHERITS (cycles);
CREATE TABLE cycles_2025 (extra text) INHERITS (cycles);
CREATE TABLE cycles_2025_1 () INHERITS (cycles_2025);
CREATE TABLE marks (at date);
CREATE TABLE cycles_marked (CONSTRAINT later CHECK (at > '2020-01-01)')) INHERITS (cycles, marks);
INSERT INTO cycles VALUES (1, 1, '{1}');
INSERT INTO cycles_2024 VALUES (2, 1, '{2}');
INSERT INTO cycles_2025 VALUES (3, 1, '{3}', 'x');
INSERT INTO cycles_2025_1 VALUES (4, 1, '{4}', 'y');
INSERT INTO cycles_marked VALUES (5, 1, '{5}', '2024-01-01');
CREATE TABLE parts (id bigint, machine text, "values" double precision[]) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
CREATE TABLE parts_21 PARTITION OF parts_2 FOR VALUES FROM (10) TO (20);
INSERT INTO parts SELECT i, 'M', ARRAY[i, i / 8.0] FROM generate_series(0, 19) i;
CREATE TABLE typed (id code PRIMARY KEY, kind character(8), name varchar(9), grade grade, "values" curve);
INSERT INTO typed VALUES ('A1', 'x', 'n  ', '2', '{1,2}'), ('A2', E'y\\t ', ' n', '1', '{3}');
CREATE TABLE measured (run integer, tick integer, amps public.mv, note text, PRIMARY KEY (run, tick));
INSERT INTO measured SELECT i, j, i + j / 8.0, NULL FROM generate_series(1, 9) i, generate_series(1, 12) j;
CREATE TABLE key3 (machine character(4), cycle_id integer, idx integer, value real, UNIQUE (machine, cycle_id, idx));
INSERT INTO key3 SELECT 'M' || m, c, i, m * 100 + c * 10 + i
    FROM generate_series(1, 2) m, generate_series(1, 3) c, generate_series(1, 4) i;
CREATE TABLE timed (at timestamptz, dev integer, value double precision);
CREATE UNIQUE INDEX ON timed USING btree (at DESC, dev);
INSERT INTO timed SELECT '2024-01-01'::timestamptz + g * interval '1 s', d, d * 100 + g
    FROM generate_series(1, 5) g, generate_series(1, 3) d;
CREATE TABLE numid (id numeric(38,0) PRIMARY KEY, "values" double precision[]);
INSERT INTO numid SELECT 9007199254740990 + i, ARRAY[i] FROM generate_series(1, 6) i;
CREATE TABLE made (id integer PRIMARY KEY, low double precision, "values" double precision[],
    twice double precision GENERATED ALWAYS AS (low * 2) STORED,
    rest double precision[] GENERATED ALWAYS AS (ARRAY[low, low]) STORED);
INSERT INTO made VALUES (1, 0.5, '{1,2}')
"""
WHOLE = ["cycles", "cycles_2024", "cycles_2025", "cycles_marked", "parts", "parts_2", "typed", "measured", "key3",
         "timed", "numid"]  # fmt: skip


@pytest.fixture(scope="module")
def filled(server: Server) -> Iterator[str]:
    with new_database(server.dsn, "as_served") as dsn:
        run(dsn, *TABLES.split(";\n"))
        yield dsn


@pytest.fixture(scope="module", params=["plain", "custom", "directory"])
def dumped(
    request: pytest.FixtureRequest, server: Server, filled: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("dumped") / "x"
    option = {"plain": "-Fp", "custom": "-Fc", "directory": "-Fd"}[request.param]
    subprocess.run([server.bin / "pg_dump", "-d", filled, option, "-f", path], check=True)
    return path


def series(root: Path, dsn: str = "", **source: Any) -> tuple[Any, str]:
    """The series, and how they are stored."""
    done = tsclust.extract(new_workspace(root, ""), {"dsn": dsn, "source": source})
    return read_series(root), str(done.facts["layout"])


@pytest.mark.parametrize("name", WHOLE)
def test_a_dump_gives_what_the_server_gives(filled: str, dumped: Path, tmp_path: Path, name: str) -> None:
    wanted, layout = series(tmp_path / "server", filled, table=name)
    got, own = series(tmp_path / "dump", files=str(dumped), table=f"public.{name}")
    assert same(got, wanted)
    assert own == layout


def test_a_table_that_inherits_is_read_alone(dumped: Path, tmp_path: Path) -> None:
    assert sorted(series(tmp_path / "ws", files=str(dumped), table="cycles_2025_1")[0]) == [4]


def test_generated_columns_are_named_where_they_are_asked_for(dumped: Path, tmp_path: Path) -> None:
    got, layout = series(tmp_path / "ws", files=str(dumped), table="made")
    assert got == {1: (0.5, [1.0, 2.0])}
    assert "not in a dump: twice, rest (generated by the server)" in layout
    for i, said in enumerate([{"carry": ["twice"]}, {"values": "rest"}]):
        with pytest.raises(TsclustError, match=r"column (twice|rest) is generated by the server.*Export"):
            series(tmp_path / str(i), files=str(dumped), table="made", **said)


def test_partitions_as_versions_10_and_11_write_them(server: Server, filled: str, tmp_path: Path) -> None:
    path = tmp_path / "x.sql"
    subprocess.run([server.bin / "pg_dump", "-d", filled, "-t", "parts*", "-f", path], check=True)
    text = path.read_text()
    bounds = dict(re.findall(r"ATTACH PARTITION (\S+) (FOR VALUES .*);", text))
    above = {part: parent for parent, part in re.findall(r"ONLY (\S+) ATTACH PARTITION (\S+) ", text)}
    text = re.sub(r"ALTER TABLE ONLY \S+ ATTACH PARTITION .*;\n", "", text)
    for part, parent in above.items():
        made = rf"CREATE TABLE {re.escape(part)} \(\n[^;]*?\n\)"
        text = re.sub(made, f"CREATE TABLE {part} PARTITION OF {parent}\n{bounds[part]}", text)
    assert text.count("PARTITION OF") == 3
    path.write_text(text)
    for name in ("", "parts"):
        assert sorted(series(tmp_path / f"ws{name}", files=str(path), table=name)[0]) == list(range(20))
    assert sorted(series(tmp_path / "2", files=str(path), table="parts_2")[0]) == list(range(10, 20))


def test_a_domain_that_the_dump_does_not_have(server: Server, filled: str, tmp_path: Path) -> None:
    path = tmp_path / "x.sql"
    subprocess.run([server.bin / "pg_dump", "-d", filled, "-t", "measured", "-f", path], check=True)
    assert "CREATE DOMAIN" not in path.read_text()
    assert same(series(tmp_path / "1", files=str(path))[0], series(tmp_path / "2", filled, table="measured")[0])


def chunk(name: str, *rows: str, inherits: str = "") -> str:
    columns = (
        "" if inherits else "    series_id bigint,\n    ts timestamp with time zone,\n    value double precision\n"
    )
    made = f"CREATE TABLE {name} (\n{columns})" + (f"\nINHERITS ({inherits})" if inherits else "") + ";\n\n"
    return made + f"COPY {name} (series_id, ts, value) FROM stdin;\n" + "".join(f"{r}\n" for r in rows) + "\\.\n\n"


def test_chunks_of_hypertables(tmp_path: Path) -> None:
    of = "_timescaledb_internal._hyper_1_{}_chunk"
    text = "--\n-- PostgreSQL database dump\n--\n\n" + chunk("public.hyper")
    text += chunk(of.format(1), "1\t2025-01-01 00:00:00+00\t0.5", inherits="public.hyper")
    text += chunk(of.format(2), "1\t2025-01-02 00:00:00+00\t1.5", inherits="public.hyper")
    end = "--\n-- PostgreSQL database dump complete\n--\n"
    (tmp_path / "x.sql").write_text(text + end)
    first, last = (datetime(2025, 1, day, tzinfo=UTC) for day in (1, 2))
    for name in ("", "hyper"):
        got = series(tmp_path / f"ws{name}", files=str(tmp_path / "x.sql"), table=name)[0]
        assert got == {1: (first, last, [0.5, 1.5])}
    packed = chunk("_timescaledb_internal.compress_hyper_2_3_chunk", "1\t2025-01-02 00:00:00+00\t1.5")
    (tmp_path / "y.sql").write_text(text + packed + end)
    with pytest.raises(SourceFileError, match=r"chunks that TimescaleDB compressed.*\\copy \(SELECT \* FROM public"):
        tables.opened(tmp_path / "y.sql", "hyper")


def test_tables_that_only_share_a_base_are_not_mixed(dumped: Path) -> None:
    with pytest.raises(SettingsError, match="rows of more than one table"):
        tables.opened(dumped, "")
