"""The way to a broker as one is guarded: TLS that asks for a certificate of the client, and a name with a password.

Tansu's command line takes no certificate with a key, and one that asks for passwords knows none: so this stands before
it. The handshakes are those of Kafka's protocol; what follows them goes to the broker as it is.
"""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import scram
from tests.support.broker_lines import copy_to, place

API_VERSIONS, HANDSHAKE, AUTHENTICATE = 18, 17, 36
REFUSED = 58  # SASL_AUTHENTICATION_FAILED
_NEW = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {0}.key -subj /CN={0}"


def certificates(folder: Path) -> None:
    """ca.pem; server.pem and client.pem, which it has signed, each with its .key; locked.key opens by "lock"."""
    _openssl(folder, f"{_NEW.format('ca')} -x509 -days 2 -out ca.pem")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1", encoding="utf-8")
    for name in ("server", "client"):
        _openssl(folder, f"{_NEW.format(name)} -out {name}.csr")
        signed = f"-in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out {name}.pem"
        _openssl(folder, f"openssl x509 -req {signed}")
    _openssl(folder, "openssl pkcs8 -topk8 -in client.key -out locked.key -passout pass:lock")


def _openssl(folder: Path, words: str) -> None:
    subprocess.run(words.split(), cwd=folder, check=True, capture_output=True)


@dataclass
class Guard:
    """At `address`, in front of a broker. asked: who was let in."""

    address: str
    behind: str
    folder: Path
    password: str
    asked: set[str] = field(default_factory=set)

    def start(self) -> socket.socket:
        """What to close in the end."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.folder / "ca.pem"))
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        context.verify_mode = ssl.CERT_REQUIRED
        listener = socket.create_server(place(self.address))
        threading.Thread(target=self._accept, args=(listener, context), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(listener.accept()[0], context), daemon=True).start()

    def _serve(self, plain: socket.socket, context: ssl.SSLContext) -> None:
        with (
            plain,
            suppress(OSError, ValueError, struct.error),
            context.wrap_socket(plain, server_side=True) as client,
            socket.create_connection(place(self.behind)) as behind,
        ):
            self._introduce(client, behind)
            forth = threading.Thread(target=copy_to, args=(client, behind), daemon=True)
            forth.start()
            copy_to(behind, client)
            forth.join()

    def _introduce(self, client: socket.socket, behind: socket.socket) -> None:
        """Until it has said who it is. Raises ValueError for a wrong password."""
        talk: scram.Exchange | None = None
        while True:
            request = _frame(client)
            api, _, number, name = struct.unpack_from(">hhih", request)
            body = request[10 + max(name, 0) :]
            if api == API_VERSIONS:
                behind.sendall(struct.pack(">i", len(request)) + request)
                _answer(client, _frame(behind))
            elif api == HANDSHAKE:
                mechanism = body[2:].decode()
                talk = scram.exchange(mechanism, self.password)
                next(talk)
                _answer(client, struct.pack(">ihih", number, 0, 1, len(mechanism)) + mechanism.encode())
            elif api == AUTHENTICATE and talk is not None:
                if self._has_said(client, number, talk, body[4:]):
                    return
            else:
                raise ValueError(api)

    def _has_said(self, client: socket.socket, number: int, talk: scram.Exchange, said: bytes) -> bool:
        """Whether it has said all that there is to say. Raises ValueError for a wrong password."""
        try:
            answer, has_ended = talk.send(said), False
        except StopIteration as end:
            (user, answer), has_ended = end.value, True
            self.asked.add(user)
        except ValueError:
            _answer(client, struct.pack(">ihhi", number, REFUSED, -1, 0) + bytes(8))
            raise
        _answer(client, struct.pack(">ihhi", number, 0, -1, len(answer)) + answer + bytes(8))
        return has_ended


def _answer(client: socket.socket, content: bytes) -> None:
    client.sendall(struct.pack(">i", len(content)) + content)


def _frame(from_: socket.socket) -> bytes:
    """A request or an answer. Raises ValueError at the end of a connection."""
    return _exactly(from_, struct.unpack(">i", _exactly(from_, 4))[0])


def _exactly(from_: socket.socket, n: int) -> bytes:
    found = b""
    while len(found) < n:
        if not (more := from_.recv(n - len(found))):
            raise ValueError("the connection has ended")
        found += more
    return found
