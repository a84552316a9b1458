"""The model of a service whose answers break: it is asked for again until it is there whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tsclust.errors import ConnectError
from tsclust.stream import models
from tsclust.stream.models import Registry

BUNDLE = b"a bundle"


@contextmanager
def service(*answers: bytes) -> Iterator[tuple[str, list[str]]]:
    """(its address, the tags that it was asked with): each of these bytes in their order, then it is closed."""
    asked, left = [], list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("If-None-Match", ""))
            self.wfile.write(left.pop(0))

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/models/plant", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(content: bytes) -> bytes:
    return b'HTTP/1.0 200 OK\r\nETag: "2"\r\nContent-Length: %d\r\n\r\n' % len(BUNDLE) + content


def test_an_answer_that_breaks_is_no_new_version(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bytes] = []
    monkeypatch.setattr(models, "_unpacked", lambda path: taken.append(path.read_bytes()))
    with service(answer(BUNDLE[:4]), b"no HTTP\r\n\r\n", answer(BUNDLE), answer(BUNDLE)) as (url, asked):
        registry = Registry(url, "")
        with pytest.raises(ConnectError, match="4 of 8 bytes"):
            registry.stamp()
        with pytest.raises(ConnectError):
            registry.stamp()
        assert registry.stamp() == '"2"'
        registry.read()
        assert taken == [BUNDLE]
        registry.stamp()
    assert asked == ["", "", "", '"2"']


def test_a_bundle_that_cannot_be_used_is_asked_for_again() -> None:
    with service(answer(BUNDLE), answer(BUNDLE)) as (url, asked):
        registry = Registry(url, "")
        registry.stamp()
        with pytest.raises(Exception, match="zip"):
            registry.read()
        registry.stamp()
    assert asked == ["", ""]
