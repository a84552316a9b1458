"""tsclust serve as a process: slow clients, proxies."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.support.service import Running, free_port, running

SHORT = """
from pathlib import Path
import sys
from tsclust.serve import place, server
from tsclust.serve.app import Options, create
from tsclust.serve.settings import ServeSettings
server.PATIENCE, server.CONNECTIONS = 1.0, 6
app = create(Path(sys.argv[1]), ServeSettings(), Options())
server.run(app, place.Place(port=int(sys.argv[2])), (), lambda: print("there", flush=True))
"""


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a service of little patience, with few connections."""
    port, command = free_port(), [sys.executable, "-c", SHORT, str(tmp_path_factory.mktemp("short") / "served")]
    with subprocess.Popen([*command, str(port)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "there\n"
        yield port
        process.kill()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Without jobs: it is there at once."""
    with running(tmp_path_factory.mktemp("scores") / "served", "--no-jobs") as found:
        yield found


def test_a_slow_client_keeps_nobody_waiting(service: Running) -> None:
    """Fifty who send half a head, and one who sends half a body."""
    slow = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(51)]
    for connection in slow[:-1]:
        connection.sendall(b"POST /models HTTP/1.1\r\nHost: loc")
    head = b"POST /models/plant/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    slow[-1].sendall(head + b"Content-Length: 100\r\n\r\n{")
    start = time.monotonic()
    assert urlopen(f"{service.url}/healthz", timeout=10).status == 200
    assert time.monotonic() - start < 5
    for connection in slow:
        connection.close()


def test_the_head_of_every_request_has_to_come_in_time(short: int) -> None:
    """The first on a connection, and the next one, which comes byte by byte."""
    first, second = (socket.create_connection(("127.0.0.1", short)) for _ in range(2))
    with first, second:
        second.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):
            received += second.recv(10_000)
        for byte in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 20:
            for connection in (first, second):
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(bytes([byte]))
            time.sleep(0.03)
        for connection in (first, second):
            connection.settimeout(10)
            with suppress(ConnectionResetError):
                assert connection.recv(10_000) == b""


def test_who_comes_when_all_connections_are_taken_is_told_so(short: int) -> None:
    """As problem+json; who was there before goes on."""
    with ExitStack() as stack:
        address = ("127.0.0.1", short)
        there = [stack.enter_context(socket.create_connection(address)) for _ in range(7)]
        for connection in (there[-1], there[0]):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = there[-1].makefile("rb").read()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5" in head.lower()
        assert b"application/problem+json" in head
        assert json.loads(body)["next"]
        assert there[0].recv(10_000).startswith(b"HTTP/1.1 200 ")


def test_what_is_no_http_is_refused_as_all_else_is(service: Running) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(b"\x16\x03\x01 no such thing\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 400


@pytest.mark.parametrize("named", [True, False])
def test_a_proxy_that_ends_tls_is_believed_where_it_is_named(tmp_path: Path, named: bool) -> None:
    (tmp_path / "served").mkdir()
    proxies = '"127.0.0.1"' if named else ""
    (tmp_path / "served" / "serve.toml").write_text(f"[serve]\nproxies = [{proxies}]\n", encoding="utf-8")
    asked = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.1.2.3"}
    with running(tmp_path / "served", "--no-jobs") as service:
        with urlopen(Request(f"{service.url}/?lang=ru", headers=asked)) as answer:
            assert ("; secure" in answer.headers["set-cookie"].lower()) == named
        while not (clients := [line["client"] for line in service.lines() if line["event"] == "request"]):
            time.sleep(0.05)  # it is noted when the answer is on its way
    assert clients == ["10.1.2.3" if named else "127.0.0.1"]
