"""/metrics and /healthz on a port of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import tsclust
from tsclust.errors import TsclustError
from tsclust.stream.health import Health

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@contextmanager
def watched(health: Health, host: str, port: int | None) -> Iterator[None]:
    """Answered as long as this; no port: not at all. Raises TsclustError where the port is taken."""
    if port is None:
        yield
        return
    try:
        server = ThreadingHTTPServer((host, port), _handler(health))
    except OSError as error:
        raise TsclustError(f"--port {port}: {error.strerror or error}", "Choose another one") from None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def state_of(health: Health) -> tuple[int, dict[str, object]]:
    """(status, body) of /healthz: 503 where nothing moves; brokers that are away are waited for, and said."""
    stalled = health.is_stalled()
    about: dict[str, object] = {
        "status": "stalled" if stalled else "waiting" if health.trouble else "ok", "version": tsclust.__version__,
        "model": health.model, "waits_for": sorted(health.trouble), "lag": health.waiting,
    }  # fmt: skip
    return 503 if stalled else 200, about


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds for a request

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, TEXT, health.text())
            elif self.path == "/healthz":
                status, about = state_of(health)
                self._answer(status, "application/json", json.dumps(about).encode())
            else:
                self._answer(404, "text/plain", b"expected /metrics or /healthz\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A look every few seconds is no news."""

    return Handler
