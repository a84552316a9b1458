"""Objects under keys as S3 takes them (`two/`, with content or without), and what was asked for them.

A real server that keeps its objects as files has no such keys with content. This one does not look at signatures.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.support.s3 import Bucket

WHEN = "2026-01-01T00:00:00.000Z", "Thu, 01 Jan 2026 00:00:00 GMT"


@dataclass
class Plain:
    """The server's address, and for each request what it asks and its headers, from the first on."""

    bucket: Bucket
    asked: list[tuple[dict[str, str], dict[str, str]]] = field(default_factory=list)


@contextmanager
def plain(objects: Mapping[str, bytes], page: int = 1_000) -> Iterator[Plain]:
    """A server with these objects in s3://plant. page: the keys that one listing has."""

    class Handler(_Handler):
        there, keys_a_page = objects, page

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.seen = Plain(Bucket(server.server_port))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Handler.seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    there: Mapping[str, bytes]
    keys_a_page: int
    seen: Plain

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked, key = dict(parse_qsl(url.query)), unquote(url.path).partition("/plant")[2].removeprefix("/")
        self.seen.asked.append((asked, dict(self.headers)))
        if "list-type" in asked:
            self._send(200, self._listing(asked).encode())
        elif key in self.there:
            self._send_range(self.there[key])
        else:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")

    do_HEAD = do_GET  # noqa: N815  a name of the library

    def _listing(self, asked: Mapping[str, str]) -> str:
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        folded = sorted({_folded(key, prefix, delimiter) for key in self.there if key.startswith(prefix)})
        start = int(asked.get("continuation-token", 0))
        end = start + self.keys_a_page
        more = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < len(folded) else ""
        items = "".join(self._item(key, is_folder) for key, is_folder in folded[start:end])
        return f"<ListBucketResult><IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{items}</ListBucketResult>"

    def _item(self, key: str, is_folder: bool) -> str:
        if is_folder:
            return f"<CommonPrefixes><Prefix>{escape(key)}</Prefix></CommonPrefixes>"
        about = f"<LastModified>{WHEN[0]}</LastModified><Size>{len(self.there[key])}</Size>"
        return f"<Contents><Key>{escape(key)}</Key>{about}</Contents>"

    def _send_range(self, content: bytes) -> None:
        if "Range" not in self.headers:
            self._send(200, content)
            return
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        piece = content[int(first) : int(last) + 1]
        self._send(206, piece, {"Content-Range": f"bytes {first}-{int(first) + len(piece) - 1}/{len(content)}"})

    def _send(self, status: int, body: bytes, more: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Last-Modified": WHEN[1], **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: pytest shows what was asked."""


def _folded(key: str, prefix: str, delimiter: str) -> tuple[str, bool]:
    """The key, or the folder below the prefix that a listing shows for all in it; and whether it is one."""
    name, found, _ = key.removeprefix(prefix).partition(delimiter) if delimiter else (key, "", "")
    return (prefix + name + found, True) if found else (key, False)
