"""uvicorn, as this service runs it: one process, patience with an end, and no word on the terminal but the log's."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import filelock
import h11
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tsclust.errors import TsclustError, WorkspaceBusyError
from tsclust.json_log import note
from tsclust.serve import problems, queue_server
from tsclust.serve.app import OWN, Options, create
from tsclust.serve.gate import Gate
from tsclust.serve.place import Place
from tsclust.serve.problems import Refusal
from tsclust.serve.settings import ServeSettings

PATIENCE = 20.0  # seconds for the head of a request, and for an idle connection
CONNECTIONS = 200
GRACE = 15  # seconds for requests to end in, once the service is asked to stop


class Patient(H11Protocol):
    """Closes a connection on which the head of a request does not come, or comes byte by byte, be it the first or
    another one: uvicorn's own limit ends with the first byte. Who comes when CONNECTIONS are taken is told so."""

    _waits: asyncio.TimerHandle | None = None
    _begun, _late = False, False  # whether a head has begun to come; whether others had come before, too many

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._late = len(self.connections) > CONNECTIONS
        self._watch()

    def data_received(self, data: bytes) -> None:
        self._late = self._late and len(self.connections) > CONNECTIONS
        self.app = crowded if self._late else self.config.loaded_app
        if not self._begun:
            self._rest()
        self._begun = True
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        self._begun = False
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._rest()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP: as every other refusal."""
        found = Refusal(400, "this is no HTTP request", "Correct it: /openapi.json describes what there is")
        content = json.dumps(problems.body(found, uuid.uuid4().hex)).encode()
        headers = [(b"content-type", problems.MEDIA_TYPE.encode()), (b"connection", b"close")]
        headers.append((b"content-length", str(len(content)).encode()))
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=content), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _watch(self) -> None:
        """A timer runs from the first byte of a head to its last, however many come meanwhile; and before the first."""
        asked: Any = self.cycle  # None until the first head is there
        if asked is not None and not asked.response_complete:
            self._rest()
        elif self._waits is None:
            self._waits = self.loop.call_later(PATIENCE, self.transport.close)

    def _rest(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None


async def crowded(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer to everybody while all connections are taken."""
    if scope["type"] == "http":
        full = f"{CONNECTIONS} connections are open: expected no more at a time"
        headers = {"Retry-After": "5", "Connection": "close"}
        found = Refusal(503, full, "Close some, or try again later", headers=headers)
        await problems.answer(found, uuid.uuid4().hex)(scope, receive, send)


class Server(uvicorn.Server):
    """Ends at the first SIGTERM or Ctrl-C when requests have ended, at the second at once.

    ending: called at the first, so that what would stream until the end of a job ends too
    """

    def __init__(self, config: uvicorn.Config, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending = ending

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        before = {number: signal.signal(number, self._asked) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self._ending()


def run(app: Gate, place: Place, proxies: Sequence[str], started: Callable[[], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; `started` is called once the place is ours. proxies: who is believed what it says
    of who asks, and by which scheme.

    Raises TsclustError where it is taken.
    """
    configured = uvicorn.Config(
        app, place.host, place.port, http=Patient, ws="none", log_config=None, access_log=False,
        server_header=False, date_header=True, timeout_keep_alive=int(PATIENCE), timeout_graceful_shutdown=GRACE,
        lifespan="on", proxy_headers=bool(proxies), forwarded_allow_ips=list(proxies),
        ssl_certfile=place.certificate, ssl_keyfile=place.key,
    )  # fmt: skip
    sock = _bound(place)
    started()
    note("listening", url=place.url)
    asyncio.run(Server(configured, app.ending).serve(sockets=[sock]))
    note("stopped")


def _bound(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    # asyncio sends without delay (TCP_NODELAY) only where the protocol is named: 40 ms of each answer.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((place.host, place.port))
    except OSError as error:
        sock.close()
        raise TsclustError(
            f"{place.url}: {error.strerror or error}: expected an address of this machine that is free",
            "Stop what listens there, or choose another one with --port",
        ) from None
    sock.listen(2_048)
    return sock


def lock(own: Path) -> filelock.BaseFileLock:
    """One service for a folder of workspaces. Raises WorkspaceBusyError."""
    found = filelock.FileLock(own / "serve.lock", timeout=0)
    try:
        found.acquire()
    except filelock.Timeout:
        raise WorkspaceBusyError(
            f"another tsclust serve has {own.parent}", "Stop it, or serve another folder with -w"
        ) from None
    return found


def serve(
    root: Path, settings: ServeSettings, options: Options, place: Place, started: Callable[[], None], jobs: bool
) -> None:
    """The service for the folder `root`, which is made; `jobs`: with a queue of jobs.

    Raises what `run`, `lock` and `queue_server.opened` raise.
    """
    (root / OWN).mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(lock(root / OWN))
        own = [one.dsn.get_secret_value() for one in settings.sources.values()]
        sources = (os.environ.get("TSCLUST_DSN", ""), *own)
        opened = queue_server.opened(settings, root / OWN / "queue", sources)
        app = create(root, settings, options, stack.enter_context(opened) if jobs else "")
        run(app, place, settings.proxies, started)
