"""A server that stalls, at any byte of what it sends: Ctrl-C and SIGTERM end the reading within two seconds."""

from __future__ import annotations

import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.support.endurance import times
from tests.support.signals import AT_MOST, ended, started
from tests.support.workspaces import new_workspace


class Stalling:
    """Passes on what a server behind a socket sends, in all connections together `most` bytes; then nothing more."""

    def __init__(self, server: Path, most: int) -> None:
        self._server, self.left = str(server), most
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.stalled, self._over = threading.Event(), threading.Event()
        self._sockets: list[socket.socket] = [self.listener]

    def run(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.socket(socket.AF_UNIX)
                self._sockets += [client, server]
                server.connect(self._server)
                for one, other, counted in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass, args=(one, other, counted), daemon=True).start()

    def close(self) -> None:
        self._over.set()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # who waits in it is woken
            one.close()

    def _pass(self, one: socket.socket, other: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := one.recv(8192):
                if counted:
                    self.left -= len(data)
                if self.left < 0:
                    self.stalled.set()
                    self._over.wait()
                other.sendall(data)


@contextmanager
def stalling(dsn: str, most: int) -> Iterator[tuple[str, Stalling]]:
    """The DSN of such a server in front of this one."""
    params = conninfo_to_dict(dsn)
    proxy = Stalling(Path(str(params["host"])) / f".s.PGSQL.{params['port']}", most)
    threading.Thread(target=proxy.run, daemon=True).start()
    with closing(proxy):
        port = proxy.listener.getsockname()[1]
        yield make_conninfo(dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable"), proxy


@pytest.fixture(scope="module")
def long_dsn(cycles_dsn: str) -> str:
    """The same database, with a table of long rows that no index orders: read in one pass."""
    with psycopg.connect(cycles_dsn, autocommit=True) as connection:
        connection.execute(
            """CREATE TABLE IF NOT EXISTS public.stalled AS SELECT series_id, idx, value FROM machine.cycles,
               unnest("values") WITH ORDINALITY AS u (value, idx) WHERE series_id <= 1500"""
        )
    return cycles_dsn


@pytest.mark.endurance
@pytest.mark.parametrize("table", ["public.stalled", "machine.cycles"])
def test_a_server_that_stalls(long_dsn: str, tmp_path: Path, table: str) -> None:
    rng = random.Random(table)
    for number in range(times(2, 30)):
        root = new_workspace(tmp_path / str(number), f"[source]\ntable = '{table}'\npart_rows = 1000\n")
        how, most = (signal.SIGINT, signal.SIGTERM)[number % 2], int(10 ** rng.uniform(2.5, 6.3))
        with stalling(long_dsn, most) as (dsn, proxy):
            process = started(["-m", "tsclust", "extract", "-w", root], {"TSCLUST_DSN": dsn})
            while not proxy.stalled.wait(0.05) and process.poll() is None:
                pass
            time.sleep(0.1)
            found = ended(process, how)
        word, code = ("interrupted", 130) if how == signal.SIGINT else ("terminated", 143)
        if proxy.stalled.is_set():
            assert (found.code, found.told) == (code, f"tsclust: {word}; completed parts were kept.\n"), most
            assert found.seconds < AT_MOST, most
