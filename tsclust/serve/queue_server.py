"""The PostgreSQL that keeps the queue of jobs: one of yours, or an embedded one that writes to the disk in earnest."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import conninfo, sql

from tsclust.embedded_postgres import server
from tsclust.embedded_postgres.guard import until
from tsclust.errors import ConnectError, SettingsError
from tsclust.serve.settings import ServeSettings
from tsclust.workspace.atomic import sync_tree

SCHEMA = "tsclust_jobs"
PATIENCE = 20.0  # seconds for the server of a service that was killed to end
# The demo's server may lose all that it has: this one may not.
DURABLE = {
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on", "max_wal_size": "256MB",
    "checkpoint_timeout": "5min", "shared_buffers": "16MB", "max_connections": "20",
}  # fmt: skip
_PLACE = ("host", "hostaddr", "port", "dbname")


@contextmanager
def opened(settings: ServeSettings, folder: Path, sources: tuple[str, ...]) -> Iterator[str]:
    """The DSN of the server, its schema made or upgraded. sources: DSNs that series are read from.

    Raises SettingsError where jobs_dsn names a database of series, ConnectError, DemoServerError.
    """
    dsn = settings.jobs_dsn.get_secret_value()
    with contextlib.ExitStack() as stack:
        if not dsn:
            dsn = stack.enter_context(_embedded(folder))
        _refuse_sources(dsn, sources)
        try:
            found = conninfo.make_conninfo(dsn, options=f"-c search_path={SCHEMA}", application_name="tsclust serve")
            with psycopg.connect(found, connect_timeout=10) as connection:
                _upgrade(connection)
        except psycopg.Error as error:
            raise ConnectError(
                f"[serve] jobs_dsn: {error}", "See that the server runs, and that its role may CREATE"
            ) from None
        yield found


@contextmanager
def _embedded(folder: Path) -> Iterator[str]:
    until(lambda: not _is_ending(folder), PATIENCE)
    running = server.start(folder, settings=DURABLE)
    try:
        # initdb has left that to us. Where root's folders are closed to the account that PostgreSQL runs as, the data
        # goes with the server: jobs are queued again from their folders.
        sync_tree(folder)
        yield running.dsn
    finally:
        running.stop()


def _is_ending(folder: Path) -> bool:
    """Whether the server of a service that was killed is still about to end; where its data is a link, that goes too.

    The folder of workspaces is ours by now, so that no other one can be at work.
    """
    if folder.is_symlink():
        return folder.exists()
    try:
        os.kill(int((folder / "postmaster.pid").read_text().split()[0]), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, IndexError):
        return False
    return True


def _refuse_sources(dsn: str, sources: tuple[str, ...]) -> None:
    """Users' databases are only read."""
    place = [conninfo.conninfo_to_dict(dsn).get(name) for name in _PLACE]
    for source in filter(None, sources):
        with contextlib.suppress(psycopg.Error):
            if [conninfo.conninfo_to_dict(source).get(name) for name in _PLACE] == place:
                raise SettingsError(
                    "[serve] jobs_dsn names a database that series are read from: expected another one", "Create one"
                )


def _upgrade(connection: psycopg.Connection) -> None:
    """Make the schema, or bring it to the version of the library that is installed."""
    now = version("procrastinate")
    with connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [SCHEMA])
        connection.execute("CREATE TABLE IF NOT EXISTS made_by (version text NOT NULL)")
        row = connection.execute("SELECT version FROM made_by").fetchone()
        if row is None:
            connection.execute(SchemaManager.get_schema().encode())
        for text in [] if row is None else migrations(row[0], now):
            connection.execute(text.encode())
        connection.execute("DELETE FROM made_by")
        connection.execute("INSERT INTO made_by VALUES (%s)", [now])


def migrations(then: str, now: str) -> list[str]:
    """The library's own SQL that leads from one of its versions to another, in order."""
    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    of = [(_numbers(file.name.partition("_")[0]), file) for file in files]
    return [file.read_text(encoding="utf-8") for number, file in of if _numbers(then) < number <= _numbers(now)]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3])
