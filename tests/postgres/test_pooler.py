"""pgbouncer between us and the server: what it does where it has few connections, by a stand-in that does the same."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.support.reading import read, run, series
from tsclust.config import Source
from tsclust.errors import ConnectError
from tsclust.source.postgres import session

WAIT = 1.0  # seconds for a connection that somebody is giving back
LOGGED_IN = b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I"


def error(text: str) -> bytes:
    fields = b"SFATAL\0VFATAL\0C08P01\0M" + text.encode() + b"\0\0"
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


def pipe(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def pooler(dsn: str, connections: int, answer: bytes = b"") -> Iterator[str]:
    """A DSN by way of a pooler with so many connections; who has none gets `answer` to the first statement."""
    known = conninfo_to_dict(dsn)
    place = Path(str(known["host"])) / f".s.PGSQL.{known.get('port', 5432)}"
    free = threading.Semaphore(connections)

    def serve(client: socket.socket) -> None:
        if free.acquire(timeout=WAIT):
            with client, socket.socket(socket.AF_UNIX) as server:
                server.connect(str(place))
                back = threading.Thread(target=pipe, args=(server, client))
                back.start()
                pipe(client, server)
                back.join()
            free.release()
            return
        with client, suppress(OSError):
            client.recv(1 << 16)
            client.sendall(LOGGED_IN)
            while client.recv(1 << 16):
                client.sendall(answer)

    def accept(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        port = listening.getsockname()[1]
        yield make_conninfo(dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def filled(database: str) -> str:
    rows = (
        "SELECT i AS id, j AS idx, i * 10.0::float8 + j AS value FROM generate_series(1, 9) i, generate_series(1, 5) j"
    )
    run(database, f"CREATE TABLE rows AS {rows}", f"CREATE TABLE keyed AS {rows}",
        "ALTER TABLE keyed ADD PRIMARY KEY (id, idx)", "INSERT INTO rows SELECT * FROM rows WHERE id = 1")  # fmt: skip
    return database


@pytest.mark.parametrize("connections", [1, 2])
@pytest.mark.parametrize("answer", [b"", error("query_wait_timeout")])
def test_few_connections_are_enough(
    filled: str, monkeypatch: pytest.MonkeyPatch, connections: int, answer: bytes
) -> None:
    monkeypatch.setattr(session, "ANSWER", 0.5)
    wanted = {i: [i * 10.0 + j for j in range(1, 6)] for i in range(1, 10)}
    with pooler(filled, connections, answer) as dsn:
        for table in ("rows", "keyed"):
            assert series(read(dsn, Source(table=table))) == wanted


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", r"no answer to BEGIN in 0 s.*default_pool_size"),
        (error("query_wait_timeout"), r"query_wait_timeout.*default_pool_size"),
        (error("transaction blocks not allowed in statement pooling mode"), "pool_mode = transaction"),
    ],
)
def test_none_is_an_error_with_what_to_set(
    filled: str, monkeypatch: pytest.MonkeyPatch, answer: bytes, told: str
) -> None:
    monkeypatch.setattr(session, "ANSWER", 0.3)
    with pooler(filled, 0, answer) as dsn, pytest.raises(ConnectError, match=told):
        read(dsn, Source(table="rows"))
