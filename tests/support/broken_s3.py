"""Connections to a bucket that break, or fall silent, in the middle of an answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.s3 import Bucket


@dataclass
class Breaks:
    """Where the bucket is reached, and how many breaks are left: 0 where all of them happened."""

    bucket: Bucket
    left: int
    after: int
    asks: bytes
    silent: bool
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hits(self, asked: bytes, passed: int) -> bool:
        """Whether the answer to this breaks now, of which so many bytes have come."""
        with self._lock:
            found = self.left > 0 and passed > self.after and self.asks in asked
            self.left -= found
            return found


@contextmanager
def breaking(
    bucket: Bucket, times: int, *, after: int = 0, asks: bytes = b"", silent: bool = False
) -> Iterator[Breaks]:
    """The bucket, where so many answers break when `after` bytes of them have come.

    asks: what is in the requests that it happens to. silent: nothing more comes, and the connection stays open.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        breaks = Breaks(Bucket(listener.getsockname()[1]), times, after, asks, silent)
        _thread(_accept, listener, bucket.port, breaks)
        try:
            yield breaks
        finally:
            breaks.over.set()
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, port: int, breaks: Breaks) -> None:
    with suppress(OSError):
        while True:
            _thread(_serve, listener.accept()[0], port, breaks)


def _serve(client: socket.socket, port: int, breaks: Breaks) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as behind:
        connection = _Connection(client, behind, breaks)
        asking = _thread(connection.ask)
        connection.answer()
        for end in (client, behind):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        asking.join()


@dataclass
class _Connection:
    client: socket.socket
    behind: socket.socket
    breaks: Breaks
    asked: bytes = b""
    passed: int = 0

    def ask(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(1 << 14):
                self.asked, self.passed = data, 0
                self.behind.sendall(data)
            self.behind.shutdown(socket.SHUT_RDWR)

    def answer(self) -> None:
        with suppress(OSError):
            while data := self.behind.recv(1 << 14):
                self.passed += len(data)
                if self.breaks.hits(self.asked, self.passed):
                    self.client.sendall(data[: len(data) // 2])
                    if self.breaks.silent:
                        self.breaks.over.wait()
                    return
                self.client.sendall(data)


def _thread(run: Callable[..., None], *given: object) -> threading.Thread:
    thread = threading.Thread(target=run, args=given, daemon=True)
    thread.start()
    return thread
