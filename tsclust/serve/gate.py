"""What every request goes through, before any route: a request id, who may ask, the log, headers of each answer."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tsclust.json_log import note
from tsclust.serve import problems
from tsclust.serve.access import Access
from tsclust.serve.metrics import Metrics
from tsclust.serve.received import Small

LARGE = ("score", "models", "jobs", "answers")  # what addresses end in whose routes read the body themselves
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # a client may make up others without end
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
HEADERS = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
    "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}  # fmt: skip


class Gate:
    """Around the application. prefix: of paths, as a proxy in front has it; it may send it along, or not.
    ending: to be called when the service is asked to end."""

    def __init__(self, app: ASGIApp, access: Access, metrics: Metrics, prefix: str, ending: Callable[[], None]) -> None:
        self._app, self._access, self._metrics, self.prefix, self.ending = app, access, metrics, prefix, ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Passage(self, scope, receive, send).go()

    def path_of(self, scope: Scope) -> str:
        path: str = scope["path"]
        return path.removeprefix(self.prefix) or "/"

    async def pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["root_path"] = self.prefix
        self._access.check(scope["method"], self.path_of(scope), Headers(scope=scope))
        last = self.path_of(scope).rstrip("/").rpartition("/")[2]
        await self._app(scope, receive if last in LARGE else Small(receive), send)

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)


class _Passage:
    """One request."""

    def __init__(self, gate: Gate, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).get("x-request-id", "")
        self._id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope["request_id"] = self._id
        self._gate, self._scope, self._receive, self._send = gate, scope, receive, send
        self._status, self._start = 0, time.perf_counter()

    async def go(self) -> None:
        try:
            await self._gate.pass_on(self._scope, self._receive, self._answer)
        except Exception as error:  # noqa: BLE001  the last one to hear of it
            await self._refuse(error)
        finally:
            self._note()

    async def _refuse(self, error: Exception) -> None:
        if problems.of_error(error).status_code == 500:
            note("error", logging.ERROR, error, request_id=self._id)
        if not self._status:
            response = self._login() if self._is_to_log_in(error) else problems.answer(error, self._id)
            await response(self._scope, self._receive, self._answer)

    def _is_to_log_in(self, error: Exception) -> bool:
        """A page that somebody opens who has not logged in yet."""
        asks = "text/html" in Headers(scope=self._scope).get("accept", "") and self._scope["method"] == "GET"
        return asks and problems.of_error(error).status_code == 401

    def _login(self) -> Response:
        return RedirectResponse(f"{self._gate.prefix}/login", 303)

    async def _answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-ID"] = self._id
        await self._send(message)

    def _note(self) -> None:
        seconds = time.perf_counter() - self._start
        self._gate.count(self._scope, self._status, seconds)
        if self._status == 304:
            return  # a page that looks every other second: counted, but no line each time
        client: Any = self._scope.get("client") or ("", 0)
        note(
            "request", request_id=self._id, method=self._scope["method"], path=self._scope["path"][:300],
            status=self._status, ms=round(seconds * 1_000, 1), client=client[0],
        )  # fmt: skip
