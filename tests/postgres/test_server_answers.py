"""The embedded PostgreSQL answers: as whom, in which version, and where it listens."""

from __future__ import annotations

import adbc_driver_postgresql.dbapi
import pytest

from tests.support.reading import answer
from tsclust.embedded_postgres.server import Server


def test_answers_psycopg_and_adbc_as_tsclust_in_utf8(server: Server) -> None:
    query = "SELECT current_user || ' ' || current_database() || ' ' || current_setting('server_encoding')"
    assert answer(server.dsn, query) == "tsclust tsclust UTF8"
    with adbc_driver_postgresql.dbapi.connect(server.dsn) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        assert cursor.fetchone() == ("tsclust tsclust UTF8",)


def test_sorts_by_bytes_so_that_results_are_the_same_everywhere(server: Server) -> None:
    assert (
        answer(server.dsn, "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b', 'A', 'a', 'я', 'B']) x")
        == "ABabя"
    )


def test_listens_on_its_socket_alone(server: Server) -> None:
    assert answer(server.dsn, "SHOW listen_addresses") == ""
    assert {p.name for p in server.run_folder.glob(".s*")} == {".s.PGSQL.5432", ".s.PGSQL.5432.lock"}
    assert server.run_folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["server", "server16"])
def test_is_the_version_asked_for(name: str, request: pytest.FixtureRequest) -> None:
    running_one: Server = request.getfixturevalue(name)
    version = answer(running_one.dsn, "SHOW server_version")
    assert isinstance(version, str)
    assert version.split(".")[0] == str(running_one.version)
    for program in ("psql", "pg_dump", "pg_restore"):
        assert (running_one.bin / program).is_file()


def test_each_test_has_a_database_of_its_own(database: str, server: Server) -> None:
    assert answer(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert answer(database, "SELECT current_database()") != answer(server.dsn, "SELECT current_database()")
