"""Jobs of a service that runs as a process of its own: sent, followed, and the processes that do them."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import httpx2

import tsclust
from tests.support.plant import cycles_file
from tests.support.service import Running

QUICK = {"k": "2..3"}


def cycles_of(folder: Path) -> Path:
    """A small file to upload."""
    return cycles_file(folder, 300, of_machines=4)[0]


def upload(service: Running, file: Path, name: str = "", **fields: str) -> httpx2.Response:
    with file.open("rb") as content:
        return httpx2.post(f"{service.url}/jobs", data=QUICK | fields, files={"file": (name or file.name, content)})


def ended(service: Running, job: str, seconds: float = 120) -> dict[str, Any]:
    """The job, once it has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found: dict[str, Any] = httpx2.get(f"{service.url}/jobs/{job}").json()
        if found["state"] in ("done", "failed", "cancelled"):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def started(service: Running, job: str) -> None:
    while httpx2.get(f"{service.url}/jobs/{job}").json()["stage"] == "":
        time.sleep(0.02)


def children(of: int) -> list[int]:
    """Processes that work on jobs."""
    done = subprocess.run(["pgrep", "-f", "tsclust.serve.child"], capture_output=True, text=True, check=False)
    mine = [int(line) for line in done.stdout.split()]
    return [pid for pid in mine if parent(pid) == of]


def parent(pid: int) -> int:
    """0 where it has ended: perhaps nobody has asked how."""
    try:
        state, of = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if state == "Z" else int(of)


def gone(pids: list[int], seconds: float = 15) -> bool:
    """Whether all of them have ended by then."""
    until = time.monotonic() + seconds
    while any(map(parent, pids)) and time.monotonic() < until:
        time.sleep(0.1)
    return not any(map(parent, pids))


def sound(root: Path) -> bool:
    """Whether every file of a workspace is whole."""
    done = tsclust.verify(root)
    return bool(done.facts and not done.facts["damaged"])
