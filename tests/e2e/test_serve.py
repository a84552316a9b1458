"""tsclust serve as a process: as docs/serve.md says; jobs, kills, slow clients, and what happens when it is stopped."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import httpx2
import pyarrow.parquet as pq
import pytest
import schemathesis

import tsclust
from tests.support.bundles import Trained
from tests.support.commands import run_tsclust
from tests.support.endurance import times
from tests.support.plant import cycles_file
from tests.support.served import hold
from tests.support.service import Running, running
from tsclust.errors import SourceFileError
from tsclust.workspace.folder import Workspace

QUICK = {"k": "2..4"}
DOCS = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL)
(SCRIPT,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)


@pytest.fixture(scope="module")
def cycles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cycles_file(tmp_path_factory.mktemp("cycles"), 800, of_machines=4)[0]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("jobs") / "served") as found:
        yield found


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


def test_the_examples_of_the_documentation_run(service: Running, trained: Trained, tmp_path: Path) -> None:
    """But for the commands that make the model, and the address."""
    shutil.copytree(trained.workspace.root, tmp_path / "plant")
    shutil.copytree(trained.bundles / "logistic", tmp_path / "plant" / "model", dirs_exist_ok=True)
    pq.write_table(trained.new, tmp_path / "new.parquet")
    tsclust.export(tmp_path / "plant", tmp_path / "plant.zip")
    curls = (
        next(one for one in SHELL if "file=@plant.zip" in one)
        .replace("http://127.0.0.1:8765", service.url)
        .replace("curl ", "curl -sS --fail-with-body ")
    )
    done = subprocess.run(["bash", "-ec", curls], cwd=tmp_path, capture_output=True, text=True, check=True)
    added, shown, scores = done.stdout.replace("}{", "}\n{").splitlines()
    assert json.loads(added)["name"] == json.loads(shown)["name"] == "plant"
    assert [one["series_id"] for one in json.loads(scores)["scores"]] == [17]
    script = SCRIPT.replace("8765", str(service.port))
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    found = pq.read_table(tmp_path / "scores.parquet").drop_columns(["error"])
    assert found.equals(trained.scorer("logistic").score(trained.new))


def sound(root: Path) -> bool:
    """Whether every file of a workspace is whole."""
    done = tsclust.verify(root)
    return bool(done.facts and not done.facts["damaged"])


def test_an_upload_becomes_a_report_in_a_workspace_like_any_other(service: Running, cycles: Path) -> None:
    accepted = upload(service, cycles, "../../line 3.parquet", workspace="line")
    assert accepted.status_code == 202, accepted.text
    job = accepted.json()["id"]
    assert accepted.headers["location"] == f"/jobs/{job}"
    with httpx2.stream("GET", f"{service.url}/jobs/{job}/events", timeout=120) as stream:
        events = [json.loads(line[5:]) for line in stream.iter_lines() if line.startswith("data:")]
    states = [event["state"] for event in events]
    assert states[-1] == "done", events[-1]
    assert [state for at, state in enumerate(states) if states[at - 1 : at] != [state]] in (
        ["queued", "running", "done"], ["running", "done"],
    )  # fmt: skip
    assert {"stage", "done", "total", "rate", "left"} <= events[0].keys()
    stages = {event["stage"].partition(":")[0] for event in events}
    assert {"extract", "features", "report"} <= stages
    found = httpx2.get(f"{service.url}/jobs/{job}").json()
    assert [one["command"] for one in found["results"]] == ["extract", "features", "filter", "cluster", "report"]
    page = httpx2.get(service.url + found["report"])
    root = service.root / "line"
    assert page.content == (root / "reports" / "report.html").read_bytes()
    assert (root / "uploads" / "line_3.parquet").read_bytes() == cycles.read_bytes()
    assert sound(root)
    assert httpx2.request("DELETE", f"{service.url}/jobs/{job}").status_code == 204
    assert httpx2.get(f"{service.url}/jobs/{job}").status_code == 404


def test_what_cannot_be_read_says_so_as_the_command_line_does(service: Running, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_bytes(b"\x00\x01\x02" * 100)
    job = ended(service, upload(service, tmp_path / "odd.csv").json()["id"])
    assert job["state"] == "failed"
    assert job["error"]["code"] == SourceFileError.exit_code
    assert "odd.csv" in job["error"]["error"]
    assert job["error"]["next"]
    assert job["report"] is None
    assert httpx2.get(f"{service.url}/jobs/{job['id']}/report").status_code == 409


def test_one_lock_is_for_the_command_line_and_for_jobs(service: Running, cycles: Path) -> None:
    root = service.root / "shared"
    tsclust.init(root)
    with Workspace(root).locked():
        busy = httpx2.post(f"{service.url}/jobs", json={"workspace": "shared"})
        assert (busy.status_code, busy.json()["code"]) == (409, 5)
    job = upload(service, cycles, workspace="shared", k="2..60").json()["id"]
    started(service, job)
    other = run_tsclust("run", "-w", root, "--json")
    assert (other.returncode, json.loads(other.stderr)["code"]) == (5, 5)
    second = httpx2.post(f"{service.url}/jobs", json={"workspace": "shared", "kind": "report"})
    assert second.json()["state"] == "queued"
    (child,) = children(service.process.pid)
    cancelled = httpx2.post(f"{service.url}/jobs/{job}/cancel", timeout=30)
    assert cancelled.json()["state"] == "cancelled"
    assert gone([child])
    assert httpx2.post(f"{service.url}/jobs/{job}/cancel").status_code == 409
    assert ended(service, second.json()["id"])["state"] in ("done", "failed")  # as far as the first one came


def test_a_child_that_is_killed_is_tried_three_times(service: Running, cycles: Path) -> None:
    assert gone(children(service.process.pid))
    job = upload(service, cycles, workspace="killed").json()["id"]
    killed: set[int] = set()
    while httpx2.get(f"{service.url}/jobs/{job}").json()["state"] in ("queued", "running"):
        for pid in set(children(service.process.pid)) - killed:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
    found = ended(service, job)
    assert (found["state"], len(killed)) == ("failed", 3)
    assert "killed 3 times" in found["error"]["error"]


def test_a_slow_client_keeps_nobody_waiting(service: Running) -> None:
    """Fifty who send half a head, and one who sends half a body."""
    slow = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(51)]
    for connection in slow[:-1]:
        connection.sendall(b"POST /models HTTP/1.1\r\nHost: loc")
    head = b"POST /models/plant/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    slow[-1].sendall(head + b"Content-Length: 100\r\n\r\n{")
    start = time.monotonic()
    assert urlopen(f"{service.url}/healthz", timeout=10).status == 200
    assert time.monotonic() - start < 5
    for connection in slow:
        connection.close()


@pytest.mark.endurance
def test_requests_about_jobs_of_every_shape_find_no_error_of_ours(service: Running) -> None:
    with httpx2.Client(base_url=service.url) as client:
        for operation in schemathesis.openapi.from_dict(client.get("/openapi.json").json()).get_all_operations():
            if operation.ok().path.startswith("/jobs"):
                hold(client, operation.ok().as_strategy(), service.url, times(3, 200))


@pytest.mark.endurance
def test_jobs_survive_kills_of_everything(tmp_path: Path, cycles: Path) -> None:
    """The service is killed at random moments: every job ends, none twice, nothing is left running or half done."""
    root, chance, jobs = tmp_path / "served", random.Random(4), [*range(times(1, 4))]
    ids: list[str] = []
    for kill in range(times(1, 20)):
        with running(root) as service:
            if kill == 0:
                ids = [upload(service, cycles, workspace=f"w{at}").json()["id"] for at in jobs]
            time.sleep(chance.uniform(0.5, 4))
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
            assert one["tries"] <= 4
        end_with_a_request_under_way(service)


def end_with_a_request_under_way(service: Running) -> None:
    """SIGTERM: what is under way is answered, then the service ends."""
    with socket.create_connection(("127.0.0.1", service.port)) as under_way:
        body = b'{"version": "0"}'
        head = b"POST /models/none/current HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        under_way.sendall(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
        time.sleep(0.5)
        os.kill(service.process.pid, signal.SIGTERM)
        time.sleep(0.3)
        under_way.sendall(body[5:])
        assert b" 404 " in under_way.recv(100)
    assert service.process.wait(30) == 0
    assert service.lines()[-1]["event"] == "stopped"
