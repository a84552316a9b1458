"""A proxy in front of a PostgreSQL server's socket that changes what comes from it, message by message."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

# (type, body) of a message -> what is sent in its place; None ends the connection behind that.
Change = Callable[[bytes, bytes], list[bytes | None]]


@contextmanager
def proxied(dsn: str, folder: Path, change: Change) -> Iterator[str]:
    """The DSN of the proxy; its socket is in `folder`, whose path has to be short."""
    to = conninfo_to_dict(dsn)
    server = Path(str(to["host"])) / f".s.PGSQL.{to['port']}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / f".s.PGSQL.{to['port']}"))
        listener.listen()
        threading.Thread(target=_accept, args=(listener, server, change), daemon=True).start()
        try:
            yield make_conninfo(dsn, host=str(folder))
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def message(type_: bytes, body: bytes) -> bytes:
    """A message as it is on the wire."""
    return type_ + struct.pack(">i", len(body) + 4) + body


def _accept(listener: socket.socket, server: Path, change: Change) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            behind = socket.socket(socket.AF_UNIX)
            behind.connect(str(server))
            threading.Thread(target=_serve, args=(client, behind, change), daemon=True).start()


def _serve(client: socket.socket, behind: socket.socket, change: Change) -> None:
    """Both ways, and both sockets closed when both have ended: the number of one that is closed while the other way
    still reads it would be that of the next connection."""
    with client, behind:
        there = threading.Thread(target=_copy, args=(client, behind), daemon=True)
        there.start()
        _change(behind, client, change)
        there.join()


def _copy(from_: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := from_.recv(1 << 16):
            to.sendall(data)
    _end(from_, to)


def _change(from_: socket.socket, to: socket.socket, change: Change) -> None:
    with suppress(OSError, EOFError):
        while True:
            type_, size = _exactly(from_, 1), _exactly(from_, 4)
            for sent in change(type_, _exactly(from_, struct.unpack(">i", size)[0] - 4)):
                if sent is None:
                    raise EOFError
                to.sendall(sent)
    _end(from_, to)


def _exactly(from_: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = from_.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
