"""What there is of a server: its processes and folders, until they are gone; and a folder that it may enter."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tsclust.embedded_postgres import install


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder for temporary files: open to everybody, as pytest's own are not when root runs it, its path short."""
    with tempfile.TemporaryDirectory(prefix="open-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def command_lines() -> Iterator[bytes]:
    """The arguments of every process that lives. One that ends while it is looked at has none."""
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            yield (process / "cmdline").read_bytes()


def processes_of(home: Path) -> list[str]:
    """Command lines that name the data folder, of processes that live."""
    return [
        line.replace(b"\0", b" ").decode(errors="replace")
        for line in command_lines()
        if os.fsencode(home) in line and os.fsencode(sys.executable) not in line
    ]


def comes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def run_folders() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"{install.RUN_PREFIX}*"))


def gone(run_folder: Path, home: Path) -> bool:
    return not run_folder.exists() and not (home / "postmaster.pid").exists() and not processes_of(home)
