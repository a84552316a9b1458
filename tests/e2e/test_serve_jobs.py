"""Jobs of tsclust serve: an upload becomes a report; what cannot be read; one lock for all."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import schemathesis

import tsclust
from tests.support.endurance import times
from tests.support.served import hold
from tests.support.service import Running, running
from tests.support.service_jobs import children, cycles_of, ended, gone, sound, started, upload
from tsclust.errors import SourceFileError, WorkspaceBusyError
from tsclust.workspace.folder import Workspace


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("jobs") / "served"
    root.mkdir()
    (root / "serve.toml").write_text("[serve]\njobs = 3\n")
    with running(root) as found:
        yield found


@pytest.fixture(scope="module")
def cycles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cycles_of(tmp_path_factory.mktemp("cycles"))


@pytest.fixture(scope="module")
def odd(service: Running, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The job of a file that is none; others need not wait for it."""
    file = tmp_path_factory.mktemp("odd") / "odd.csv"
    file.write_bytes(b"\x00\x01\x02" * 100)
    return str(upload(service, file).json()["id"])


def test_an_upload_becomes_a_report_in_a_workspace_like_any_other(service: Running, cycles: Path, odd: str) -> None:
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


def test_what_cannot_be_read_says_so_as_the_command_line_does(service: Running, odd: str) -> None:
    job = ended(service, odd)
    assert job["state"] == "failed"
    assert job["error"]["code"] == SourceFileError.exit_code
    assert "odd.csv" in job["error"]["error"]
    assert job["error"]["next"]
    assert job["report"] is None
    assert httpx2.get(f"{service.url}/jobs/{odd}/report").status_code == 409


def test_one_lock_is_for_commands_and_for_jobs(service: Running, cycles: Path) -> None:
    root = service.root / "shared"
    tsclust.init(root)
    with Workspace(root).locked():
        busy = httpx2.post(f"{service.url}/jobs", json={"workspace": "shared"})
        assert (busy.status_code, busy.json()["code"]) == (409, WorkspaceBusyError.exit_code)
    assert gone(children(service.process.pid))
    job = upload(service, cycles, workspace="shared").json()["id"]
    started(service, job)
    (child,) = children(service.process.pid)
    os.kill(child, signal.SIGSTOP)  # it stays at it
    with pytest.raises(WorkspaceBusyError):
        list(tsclust.run(root))
    second = httpx2.post(f"{service.url}/jobs", json={"workspace": "shared", "kind": "report"}).json()
    assert second["state"] == "queued"
    assert httpx2.post(f"{service.url}/jobs/{second['id']}/cancel").json()["state"] == "cancelled"
    os.kill(child, signal.SIGCONT)
    cancelled = httpx2.post(f"{service.url}/jobs/{job}/cancel", timeout=30)
    assert cancelled.json()["state"] == "cancelled"
    assert gone([child])
    assert httpx2.post(f"{service.url}/jobs/{job}/cancel").status_code == 409
    with Workspace(root).locked():  # it is free again
        pass


@pytest.mark.endurance
def test_requests_about_jobs_of_every_shape_find_no_error_of_ours(service: Running) -> None:
    with httpx2.Client(base_url=service.url) as client:
        for operation in schemathesis.openapi.from_dict(client.get("/openapi.json").json()).get_all_operations():
            if operation.ok().path.startswith("/jobs"):
                hold(client, operation.ok().as_strategy(), service.url, times(3, 200))
