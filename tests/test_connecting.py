"""Servers that are not there, passwords, the environment: nothing ever tells a password."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.reading import PASSWORD, admin, read, refused, run
from tsclust.errors import ConnectError


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
