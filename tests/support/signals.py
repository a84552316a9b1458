"""Processes that get a signal, and what they answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

AT_MOST = 2.0  # seconds from the signal to the end of the process, which the documentation promises


@dataclass(frozen=True)
class Ended:
    """How a process ended, and how many seconds after the signal."""

    code: int
    seconds: float
    told: str  # on stderr


def started(
    words: Sequence[object], environment: dict[str, str] | None = None, first: Callable[[], object] | None = None
) -> subprocess.Popen[str]:
    """Python with these words, in a process that hears Ctrl-C whatever runs the tests; it does `first` before."""

    def before() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if first:
            first()

    return subprocess.Popen(
        [sys.executable, *map(str, words)], text=True, env=os.environ | (environment or {}), preexec_fn=before,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def listens(process: subprocess.Popen[str]) -> bool:
    """Has our first line run, which catches SIGTERM? Before it, Python itself answers signals."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def ended(process: subprocess.Popen[str], how: signal.Signals) -> Ended:
    """Send the signal and wait for the end."""
    begin = time.monotonic()
    process.send_signal(how)
    _, told = process.communicate(timeout=60)
    return Ended(process.returncode, time.monotonic() - begin, told)
