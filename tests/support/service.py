"""tsclust serve as a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import PLAIN


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A service that answers. log: its lines, once it has ended."""

    process: subprocess.Popen[str]
    root: Path
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@contextmanager
def running(root: Path, *words: str, port: int = 0) -> Iterator[Running]:
    """port: 0 for any that is free."""
    port, log = port or free_port(), root.with_suffix(".log")
    command = [sys.executable, "-m", "tsclust", "serve", "-w", str(root), "--port", str(port), "--json", *words]
    with log.open("a") as err:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True, env=PLAIN)
    try:
        assert process.stdout
        assert json.loads(process.stdout.readline())["facts"]["url"].endswith(str(port)), log.read_text()
        yield Running(process, root, port, log)
    finally:
        process.kill()
        process.communicate()
