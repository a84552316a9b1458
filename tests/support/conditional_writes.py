"""S3's conditional writes in front of a server that takes every write: JuiceFS's gateway overlooks the conditions.

A broker keeps the ends of its partitions in objects. After a start it makes such an object anew where there is none
(`If-None-Match: *`), and changes it where it is as it was read (`If-Match`): a server that overlooks both lets it begin
at 0 again, over all that it had.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from tests.support.s3 import Bucket

REFUSED = b"<Error><Code>PreconditionFailed</Code><Message>the object is another one</Message></Error>"
OF_A_CONNECTION = {"connection", "keep-alive", "transfer-encoding"}


@contextmanager
def conditional(bucket: Bucket, before: Callable[[str], None] = lambda _: None) -> Iterator[Bucket]:
    """The bucket behind a server that holds to conditions. before: told of each object that is about to be written; an
    OSError of it breaks the connection."""

    class Handler(_Handler):
        behind, heard = bucket, staticmethod(before)

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Bucket(server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that was killed has no use for its answer."""


class _Handler(BaseHTTPRequestHandler):
    """Requests as they are, their signatures too: these hold, as the host that they name stays."""

    protocol_version, behind = "HTTP/1.1", Bucket(0)
    heard: Callable[[str], None]
    lock = threading.Lock()  # between what is there and what is written

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command == "PUT":
            self.heard(self._key)
        if self.command != "PUT" or not ("If-Match" in self.headers or "If-None-Match" in self.headers):
            self._pass_on(body)
            return
        with self.lock:
            if self._holds():
                self._pass_on(body)
            else:
                self._send(412, {"Content-Type": "application/xml"}, REFUSED)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815  names of the library

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).split("/", 2)[2]

    def _holds(self) -> bool:
        """Whether the object is what the request wants it to be."""
        there = self.behind.tag(self._key)
        if "If-None-Match" in self.headers:
            return there is None
        return there == self.headers["If-Match"]

    def _pass_on(self, body: bytes) -> None:
        with closing(HTTPConnection("127.0.0.1", self.behind.port)) as to:
            to.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                to.putheader(name, value)
            to.endheaders(body)
            answer = to.getresponse()
            headers, content = dict(answer.getheaders()), answer.read()
        self._send(answer.status, headers, content)

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        lengths = {} if self.command == "HEAD" else {"Content-Length": str(len(body))}
        for name, value in ({**headers, **lengths}).items():
            if name.lower() not in OF_A_CONNECTION:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
