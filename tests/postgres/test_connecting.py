"""Servers that are not there, passwords, the environment, rights: nothing ever tells a password."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.support.reading import PASSWORD, ROOT, admin, cut, read, refused, run, tables, together
from tsclust.config import Source
from tsclust.errors import ConnectError, QueryError
from tsclust.source.postgres.reader import opened


@pytest.mark.parametrize(
    ("dsn", "told"),
    [
        ("postgresql://me:s3cr%26t-word@127.0.0.1:1/db", r"at host=127\.0\.0\.1 port=1 dbname=db user=me: .*refused"),
        (f"host=127.0.0.1 port=1 user=me password='{PASSWORD}'", "Check that the server runs"),
        (f"postgresql://me:{PASSWORD}@no-such-host.invalid/db", "no-such-host.invalid.*Check the host's name"),
        ("host=/nowhere user=me dbname=db", "host=/nowhere .*No such file"),
        ("service=nobody-wrote-it", "service=nobody-wrote-it"),
    ],
)
def test_no_server_there(dsn: str, told: str) -> None:
    refused(dsn, ConnectError, told)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:s3cr@t-word@host/db",
        "postgresql://me:s3cr/t-word@host/db",
        "postgresql://me:s3cr:t-word@host:12x/db",
        "postgresql://me:12/t-word@host/db",
        "postgresql://me:s3cr t-word@host/db",
        "host=h password=s3cr t-word",
        "host=h passwort=t-word",
        "password='t-word",
        "t-word",
    ],
)
def test_a_dsn_that_cannot_be_read_is_not_quoted(dsn: str) -> None:
    with pytest.raises(ConnectError, match=r"expected postgresql://USER:PASSWORD@HOST.*Percent-encode") as caught:
        read(dsn)
    assert "s3cr" not in str(caught.value)
    assert "t-word" not in str(caught.value)


def test_no_such_database_or_user(database: str) -> None:
    refused(make_conninfo(database, dbname="nope"), ConnectError, r'dbname=nope .*"nope" does not exist\. Name one of')
    refused(make_conninfo(database, user="nope"), ConnectError, r'user=nope.*"nope" does not exist\. Check the user')


@pytest.fixture
def locked(database: str) -> Iterator[str]:
    """The DSN, without a password, of a user who needs one. The server's pg_hba.conf is put back."""
    with admin(database) as connection:
        (path,) = connection.execute("SHOW hba_file").fetchone() or ("",)
        connection.execute("SET password_encryption = 'scram-sha-256'")
        connection.execute(f"CREATE ROLE locked LOGIN PASSWORD '{PASSWORD}'")
        hba = Path(path)
        was = hba.read_text()
        hba.write_text(f"local all locked scram-sha-256\n{was}")
        try:
            _reload(connection, "scram-sha-256")
            yield make_conninfo(database, user="locked")
        finally:
            hba.write_text(was)
            _reload(connection, "trust")
            connection.execute("DROP ROLE locked")


def _reload(connection: psycopg.Connection[Any], first: str) -> None:
    """New connections meet the new rules a moment after the postmaster got the signal."""
    found = connection.execute("SELECT auth_method FROM pg_hba_file_rules ORDER BY line_number LIMIT 1").fetchone()
    assert found == (first,)
    connection.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)


def test_passwords(locked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    refused(make_conninfo(locked, password="wr0ng"), ConnectError, "password authentication failed.*Check the user and")
    refused(locked, ConnectError, "no password supplied.*Check the user and the password")
    assert read(make_conninfo(locked, password=PASSWORD)).num_rows == 1

    (tmp_path / "pgpass").write_text(f"*:*:*:locked:{PASSWORD}\n")
    (tmp_path / "pgpass").chmod(0o600)
    assert read(locked).num_rows == 1
    (tmp_path / "pgpass").write_text("")

    said = conninfo_to_dict(locked)
    lines = "".join(f"{k}={v}\n" for k, v in said.items())
    (tmp_path / "services").write_text(f"[machine]\n{lines}password={PASSWORD}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    assert read("service=machine").num_rows == 1
    monkeypatch.setenv("PGSERVICE", "machine")
    assert read("").num_rows == 1


def test_an_empty_dsn_is_the_environment(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for field, value in conninfo_to_dict(database).items():
        variable = {"dbname": "PGDATABASE"}.get(field, f"PG{field.upper()}")
        monkeypatch.setenv(variable, str(value))
    assert read("").num_rows == 1
    monkeypatch.setenv("PGDATABASE", "nope")
    refused("", ConnectError, "dbname=nope")


def test_too_many_connections(database: str) -> None:
    run(database, "DROP ROLE IF EXISTS lonely", "CREATE ROLE lonely LOGIN CONNECTION LIMIT 1")
    try:
        refused(make_conninfo(database, user="lonely"), ConnectError, r"too many.*Lower source\.workers")
    finally:
        run(database, "DROP ROLE lonely")


# Rights


@pytest.fixture
def guest(database: str) -> Iterator[str]:
    """The DSN of a user who may do nothing yet."""
    run(database, "DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN", "CREATE SCHEMA machine",
        "CREATE TABLE machine.cycles AS SELECT i AS series_id, 's' || i % 2 AS switch_id, ARRAY[i] AS values"
        " FROM generate_series(1, 5000) AS i",
        "ALTER TABLE machine.cycles ADD PRIMARY KEY (series_id)", "ANALYZE")  # fmt: skip
    yield make_conninfo(database, user="guest")
    run(database, "DROP OWNED BY guest", "DROP ROLE guest")


CYCLES = Source(table="machine.cycles", part_rows=500, retries=0)


def test_a_table_that_one_may_not_read(database: str, guest: str) -> None:
    refused(guest, QueryError, r"permission denied for schema machine.*GRANT USAGE ON SCHEMA", CYCLES)
    run(database, "GRANT USAGE ON SCHEMA machine TO guest")
    refused(guest, QueryError, "permission denied for table cycles.*GRANT SELECT", CYCLES)
    run(database, "GRANT SELECT (series_id) ON machine.cycles TO guest")
    refused(guest, QueryError, "permission denied for table cycles", CYCLES)
    run(database, "GRANT SELECT ON machine.cycles TO guest")
    assert read(guest, CYCLES).equals(read(database, CYCLES))


@pytest.mark.parametrize("option", ["", "WITH (security_barrier)"])
def test_a_view_of_a_table_that_one_may_not_read(database: str, guest: str, option: str) -> None:
    run(database, f"CREATE VIEW seen {option} AS SELECT * FROM machine.cycles WHERE switch_id = 's1'",
        "GRANT SELECT ON seen TO guest")  # fmt: skip
    seen = Source(table="seen", part_rows=500)
    assert read(guest, seen)["series_id"].to_pylist() == list(range(1, 5_001, 2))
    assert read(guest, seen).equals(read(database, seen))


def test_some_columns_of_a_table_may_be_enough(database: str, guest: str) -> None:
    run(
        database,
        "GRANT USAGE ON SCHEMA machine TO guest",
        "GRANT SELECT (series_id, values) ON machine.cycles TO guest",
    )
    source = Source(query="SELECT series_id, values FROM machine.cycles", part_rows=500)
    assert read(guest, source).equals(read(database, source))


@pytest.mark.parametrize("key", ["ALTER TABLE machine.cycles DROP CONSTRAINT cycles_pkey", "SELECT 1"])
def test_rows_that_a_policy_hides_are_not_read(database: str, guest: str, key: str) -> None:
    run(database, "GRANT USAGE ON SCHEMA machine TO guest", "GRANT SELECT ON machine.cycles TO guest", key,
        "ALTER TABLE machine.cycles ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY tens ON machine.cycles FOR SELECT TO guest USING (series_id % 10 = 0)")  # fmt: skip
    assert read(guest, CYCLES)["series_id"].to_pylist() == list(range(10, 5_001, 10))
    assert read(database, CYCLES).num_rows == 5_000


# The session


def test_what_was_found(database: str) -> None:
    run(database, "CREATE SCHEMA machine",
        "CREATE TABLE machine.cycles (cycle_id int PRIMARY KEY, a text, curve real[])",
        "INSERT INTO machine.cycles SELECT i, 'a', '{1}' FROM generate_series(1, 1000) i")  # fmt: skip
    with opened(database, CYCLES, ROOT) as reader:
        found, name = reader.info, conninfo_to_dict(database)["dbname"]
    assert re.fullmatch(rf"machine\.cycles on PostgreSQL \d+\.\d+, database {name}", found.origin)
    assert found.layout == "array layout (a row per series): id cycle_id, values curve, carried a"
    assert found.settings == {"layout": "array", "id": "cycle_id", "values": "curve", "order": ""}
    assert [str(t) for t in found.schema.types] == ["int64", "string", "list<item: float>"]
    assert (found.rows, found.high_watermark) == (1_000, "1000")


def test_the_same_selection_has_the_same_identity(database: str) -> None:
    run(
        database,
        "CREATE SCHEMA machine",
        "CREATE TABLE machine.cycles (cycle_id int PRIMARY KEY, a text, curve real[])",
    )
    identities = []
    for said in ({}, {"workers": 7}, {"where": "a > 'b'"}, {"carry": ()}, {"sample": "9%"}, {"part_rows": 9}):
        with opened(database, CYCLES.model_copy(update=said), ROOT) as reader:
            identities.append(reader.info.identity)
    assert identities[0] == identities[1]
    assert len(set(identities)) == 5


def test_the_session(database: str) -> None:
    """Timeouts of the database do not count for us, our name is on the connection, and nothing can be written."""
    name = conninfo_to_dict(database)["dbname"]
    timeouts = ["statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"]
    with admin(database) as connection:
        known = [t for (t,) in connection.execute("SELECT name FROM pg_settings WHERE name = ANY(%s)", [timeouts])]
    run(
        database,
        "CREATE FUNCTION slow(x float8) RETURNS float8[] STABLE LANGUAGE plpgsql"
        " AS 'BEGIN PERFORM pg_sleep(0.1); RETURN ARRAY[x]; END'",
        *(f"ALTER DATABASE {name} SET {t} = '300ms'" for t in known),
    )
    query = "SELECT i AS series_id, slow(i) AS values, current_setting('application_name') AS me"
    with opened(
        database, Source(query=f"{query} FROM generate_series(1, 8) i", part_rows=4), ROOT, lambda _: cut(5)
    ) as reader:
        got = together(reader, tables(reader, 2))
    assert got["me"].to_pylist() == ["tsclust"] * 8


def test_text_of_other_encodings(database: str) -> None:
    run(
        database,
        "DROP DATABASE IF EXISTS in_cyrillic",
        "CREATE DATABASE in_cyrillic ENCODING 'WIN1251' LOCALE 'C' TEMPLATE template0",
    )
    dsn = make_conninfo(database, dbname="in_cyrillic")
    try:
        run(dsn, "CREATE TABLE \"Циклы\" AS SELECT 1 AS series_id, '{1}'::real[] AS values, 'стрелка' AS \"имя\"")
        assert read(dsn, Source(table="Циклы"))["имя"].to_pylist() == ["стрелка"]
    finally:
        run(database, "DROP DATABASE in_cyrillic")
