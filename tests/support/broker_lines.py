"""Ways to a broker: those that can be cut, and slow ones."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Line:
    """The way to a broker, which can be cut: every connection breaks, in the midst of a request too, and none is taken
    until it is joined again. What the broker has then is what a client would find after it was killed.

    seconds: that each answer takes
    """

    def __init__(self, address: str, behind: str, seconds: float = 0) -> None:
        self._address, self._behind, self._seconds = place(address), place(behind), seconds
        self._both: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.join()

    def join(self) -> None:
        listener = socket.create_server(self._address)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        listener, self._listener = self._listener, None
        for one in [*filter(None, [listener]), *self._both]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._both.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                behind = socket.create_connection(self._behind)
                self._both += [client, behind]
                for way in ((client, behind), (behind, client, self._seconds)):
                    threading.Thread(target=copy_to, args=way, daemon=True).start()


def place(address: str) -> tuple[str, int]:
    """HOST:PORT"""
    host, _, port = address.partition(":")
    return host, int(port)


def copy_to(from_: socket.socket, to: socket.socket, seconds: float = 0) -> None:
    """What comes, so many seconds later, until one of them ends."""
    with suppress(OSError):
        while data := from_.recv(1 << 16):
            time.sleep(seconds)
            to.sendall(data)
    for one in (from_, to):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
