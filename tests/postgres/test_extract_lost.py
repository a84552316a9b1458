"""A reading whose connections break, and whose server goes away: what is waited for, and what is kept."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import tsclust
from tests.support.endurance import times
from tests.support.reading import run
from tests.support.server_traces import open_folder
from tests.support.slow_table import QUICK, SERIES, SLOW, TABLE, TOML, facts, ids, parts_done, slow, started, wait_for
from tests.support.workspaces import hashes, new_workspace
from tsclust.embedded_postgres.server import Server, running
from tsclust.errors import SourceLostError
from tsclust.stages.series.journal import Journal

pytestmark = pytest.mark.both_servers(long=True)


def ended(dsn: str, which: str) -> int:
    """End the connections of tsclust that `which` is true of; how many there were."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tsclust' AND "
        return len(connection.execute(query + "datname = current_database() AND " + which).fetchall())


def test_a_worker_whose_connection_breaks_reads_its_range_again_on_the_same_snapshot(
    slow_dsn: str, tmp_path: Path
) -> None:
    root, broken = new_workspace(tmp_path / "ws", TOML), []

    def break_some() -> None:
        while sum(broken) < 3:
            broken.append(ended(slow_dsn, "state = 'active' AND query LIKE 'COPY%'"))
            time.sleep(0.1)

    breaker = threading.Thread(target=break_some)
    with slow(slow_dsn):
        breaker.start()
        tsclust.extract(root, {"dsn": slow_dsn})
        breaker.join()
    assert ids(root) == list(range(1, SERIES + 1))
    assert len(facts(root)["read"]) == 1


@pytest.fixture(scope="module")
def filled_data() -> Iterator[Path]:
    """The data folder of a server that does not run, with the table."""
    with open_folder() as folder:
        with running(folder / "18") as server:
            run(server.dsn, *TABLE)
        yield folder / "18"


@pytest.fixture
def own_server(filled_data: Path) -> Iterator[Server]:
    with running(filled_data) as server:
        run(server.dsn, QUICK)
        yield server


def test_a_server_that_crashes_midway_and_starts_again_is_waited_for(own_server: Server, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    whole = new_workspace(tmp_path / "whole", TOML)
    tsclust.extract(whole, {"dsn": own_server.dsn})
    with slow(own_server.dsn):
        process = started(root, own_server.dsn, "--json")
        wait_for(lambda: parts_done(root) > 5, process)
        with psycopg.connect(own_server.dsn, autocommit=True) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'tsclust' LIMIT 1"
            (pid,) = connection.execute(query).fetchone() or (0,)
        os.kill(pid, signal.SIGKILL)  # PostgreSQL ends every session then and starts again
        told, wrong = process.communicate(timeout=60)
    assert process.returncode == 0, wrong
    assert len(json.loads(told)["facts"]["read"]) == 2
    assert hashes(root, "series") == hashes(whole, "series")


@pytest.mark.endurance
def test_a_server_that_stays_away_is_an_error_and_what_was_read_is_kept(own_server: Server, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", f"{TOML}retries = {times(2, 5)}\n")
    run(own_server.dsn, SLOW)
    process = started(root, own_server.dsn)
    wait_for(lambda: parts_done(root) > 5, process)
    own_server.stop()
    _, told = process.communicate(timeout=90)
    assert process.returncode in (7, 13), told
    assert told.count("\n") == 1
    assert "parts are on disk and will not be read again" in told
    assert Journal(root / ".series.partial").done


def test_strict_never_takes_a_second_snapshot(slow_dsn: str, tmp_path: Path) -> None:
    root, broken = new_workspace(tmp_path / "ws", TOML), []

    def break_all() -> None:
        while not broken:
            time.sleep(0.2)
            broken.extend(range(ended(slow_dsn, "true")))

    breaker = threading.Thread(target=break_all)
    breaker.start()
    with slow(slow_dsn), pytest.raises(SourceLostError):
        tsclust.extract(root, {"dsn": slow_dsn, "source": {"retries": 1}}, strict=True)
    breaker.join()
    assert not (root / "series").exists()
