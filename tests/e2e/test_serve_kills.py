"""Jobs of tsclust serve whose processes are killed, or which is killed or stopped itself."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from pathlib import Path

import httpx2
import pytest

from tests.support.endurance import LONG, times
from tests.support.service import Running, running
from tests.support.service_jobs import children, cycles_of, ended, gone, sound, upload


@pytest.fixture(scope="module")
def cycles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cycles_of(tmp_path_factory.mktemp("cycles"))


@pytest.mark.endurance
def test_jobs_survive_kills_of_everything(tmp_path: Path, cycles: Path) -> None:
    """The service is killed at random moments: every job ends, none twice, nothing is left running or half done."""
    root, chance, jobs = tmp_path / "served", random.Random(4), [*range(times(1, 4))]
    ids: list[str] = []
    for kill in range(times(1, 20)):
        with running(root) as service:
            if kill == 0:
                ids = [upload(service, cycles, workspace=f"w{at}").json()["id"] for at in jobs]
            time.sleep(chance.uniform(0.5, 4) if LONG else 0.5)
            left = children(service.process.pid)
            service.process.kill()
        assert gone(left)
        for page in root.glob("*/reports/*.html"):
            assert page.read_bytes().rstrip().endswith(b"</html>")
    with running(root) as service:
        found = [ended(service, job, 300) for job in ids]
        assert {one["state"] for one in found} <= {"done", "failed"}
        assert all(one["error"] for one in found if one["state"] == "failed")
        for at, one in zip(jobs, found, strict=True):
            assert sound(root / f"w{at}")
            assert one["tries"] <= 3
        end_in_the_midst(service, cycles)


def end_in_the_midst(service: Running, cycles: Path) -> None:
    """SIGTERM: what is under way is answered, who watches a job is let go, then the service ends."""
    job = upload(service, cycles, workspace="last").json()["id"]
    with (
        httpx2.stream("GET", f"{service.url}/jobs/{job}/events", timeout=60) as stream,
        socket.create_connection(("127.0.0.1", service.port)) as under_way,
    ):
        lines = stream.iter_lines()
        assert next(lines) == "event: job"
        body = b'{"version": "0"}'
        head = b"POST /models/none/current HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        under_way.sendall(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
        time.sleep(0.5)
        os.kill(service.process.pid, signal.SIGTERM)
        time.sleep(0.3)
        under_way.sendall(body[5:])
        assert b" 404 " in under_way.recv(100)
        start = time.monotonic()
        assert service.process.wait(30) == 0
        assert time.monotonic() - start < 8  # not as long as requests may take in all
    assert service.lines()[-1]["event"] == "stopped"
    assert not [line for line in service.lines() if "traceback" in line]
