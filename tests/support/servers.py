"""Real PostgreSQL servers, databases in them, and workspaces made from one."""

from __future__ import annotations

import itertools
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import tsclust
from tests.support.endurance import LONG
from tests.support.workspaces import SERIES_MADE, new_workspace
from tsclust.embedded_postgres.server import Server, running
from tsclust.simulation import load

OWN = "TSCLUST_TEST_DSN"  # a server of your own, with a user who may create databases
# What a database holds goes with its schemas; `public` is as initdb makes it.
EMPTYING = (
    """DO $$ DECLARE name text; BEGIN
           FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
           LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP;
       END $$""",
    "CREATE SCHEMA public AUTHORIZATION pg_database_owner",
    "GRANT USAGE ON SCHEMA public TO PUBLIC",
)
AS_NEW = """
    SELECT datacl IS NULL AND datallowconn AND datconnlimit < 0
       AND NOT EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = d.oid)
       AND NOT EXISTS (SELECT FROM pg_shdepend WHERE dbid = d.oid)
       AND (SELECT count(*) FROM pg_extension) = 1
    FROM pg_database AS d WHERE datname = current_database()"""
_numbers = itertools.count()


@contextmanager
def new_database(dsn: str, name: str) -> Iterator[str]:
    """The DSN of a database that is there as long as this: empty at first."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield make_conninfo(dsn, dbname=name)
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """PostgreSQL 18 for the length of the session."""
    with running(tmp_path_factory.mktemp("pg") / "18") as started:
        yield started


@pytest.fixture(scope="session")
def server16(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """PostgreSQL 16 for the length of the session."""
    with running(tmp_path_factory.mktemp("pg") / "16", version=16) as started:
        yield started


@pytest.fixture(scope="session")
def dsn(server: Server) -> str:
    """The database that all tests share: for reading."""
    return server.dsn


def _emptied(dsn: str) -> bool:
    """Take everything out of a database, as far as that makes it one that was never used: False where it does not."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in EMPTYING:
            connection.execute(statement)
        return connection.execute(AS_NEW).fetchone() == (True,)


@contextmanager
def lent_database(dsn: str, free: list[str]) -> Iterator[str]:
    """The DSN of an empty database that is nobody else's for now: one of `free`, or a new one, which is free then."""
    if not free:
        free.append(f"test_{os.getpid()}_{next(_numbers)}")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {free[-1]}")
    name = free.pop()
    yield make_conninfo(dsn, dbname=name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])
        if _emptied(make_conninfo(dsn, dbname=name)):
            free.append(name)
        else:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def free_databases() -> dict[str, list[str]]:
    """DSN of a server of ours -> databases that tests left empty: that takes a tenth of the time of new ones."""
    return defaultdict(list)


@pytest.fixture
def database(request: pytest.FixtureRequest, free_databases: dict[str, list[str]]) -> Iterator[str]:
    """The DSN of an empty database of the test's own: on PostgreSQL 18, or on the server of the test's id."""
    where = getattr(request, "param", "18")
    if where == OWN:
        with new_database(os.environ[OWN], f"test_{os.getpid()}_{next(_numbers)}") as made:
            yield made
        return
    server: Server = request.getfixturevalue({"18": "server", "16": "server16"}[where])
    with lent_database(server.dsn, free_databases[server.dsn]) as lent:
        yield lent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Databases of a test marked both_servers: on 18, on 16, and on TSCLUST_TEST_DSN where that is set.

    both_servers(long=True): on 18 alone, on the others only in the long form; for what takes long on each.
    """
    marker = metafunc.definition.get_closest_marker("both_servers")
    if "database" in metafunc.fixturenames and marker:
        others = ["16", *([OWN] if OWN in os.environ else [])]
        servers = ["18", *(others if LONG or not marker.kwargs.get("long") else [])]
        metafunc.parametrize("database", servers, indirect=True)


@pytest.fixture(scope="session")
def cycles_dsn(server: Server) -> Iterator[str]:
    """The DSN of a database with made cycles: for reading."""
    with new_database(server.dsn, "cycles") as dsn:
        load.fill(dsn, SERIES_MADE, 3)
        yield dsn


@pytest.fixture(scope="session")
def done(cycles_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that ran through: for reading."""
    root = new_workspace(tmp_path_factory.mktemp("done") / "ws")
    list(tsclust.run(root, {"dsn": cycles_dsn}))
    return root


@pytest.fixture
def own(done: Path, tmp_path: Path) -> Path:
    """A copy of it, for changing."""
    return Path(shutil.copytree(done, tmp_path / "ws"))
