"""What jobs leave on the disk, and what uploads may be called."""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.support.served import refused
from tsclust.serve import job_process, queue_server, uploads
from tsclust.serve.job_process import Process
from tsclust.serve.job_record import Record, Records
from tsclust.serve.jobs import Jobs
from tsclust.serve.metrics import Metrics
from tsclust.serve.problems import Refusal
from tsclust.serve.settings import ServeSettings


def in_a_loop_of_its_own(coroutine: Coroutine[Any, Any, Any]) -> None:
    """In a thread: a browser that another file has opened keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


@given(st.text(max_size=300))
def test_a_file_is_called_what_leads_nowhere(name: str) -> None:
    safe = uploads.safe(name)
    assert re.fullmatch(r"[^\W_][\w.-]{0,99}|\w", safe)
    assert "/" not in safe


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("day.csv", "day.csv"), ("../../etc/passwd", "passwd"), ("C:\\data\\März 7.csv.gz", "März_7.csv.gz"),
        ("", "upload"), ("...", "upload"), (".bashrc", "bashrc"), ("-rf", "rf"),
        ("a" * 300 + ".parquet", "a" * 92 + ".parquet"),
    ],
)  # fmt: skip
def test_its_ending_is_kept(given_name: str, kept: str) -> None:
    assert uploads.safe(given_name) == kept


def test_the_first_word_about_a_job_counts(tmp_path: Path) -> None:
    records = Records(tmp_path)
    record = records.make("run", "line", options={"flags": {}})
    assert record.result() is None
    assert (record.count(1), record.count(1), record.count(-1), record.tries()) == (1, 2, 1, 1)
    record.end("cancelled")
    record.end("done", report="report.html")
    result = record.result()
    assert result
    assert (result.state, result.report) == ("cancelled", "")
    assert [one.id for one in records.all()] == [record.id]
    (tmp_path / f".{record.id}").mkdir()
    records.sweep_up()
    records.remove(record)
    assert not list(tmp_path.iterdir())
    for job in (record.id, "../x", "", "x" * 32):
        with pytest.raises(Refusal, match="there is no job"):
            records.find(job)


def test_the_schema_is_upgraded_by_the_librarys_own_steps() -> None:
    assert queue_server.migrations("3.10.0", "3.10.0") == []
    later = queue_server.migrations("2.14.0", "3.1.0")
    assert len(later) == 5
    assert any("heartbeat" in one for one in later)


def test_without_a_queue_jobs_are_refused_and_scores_are_not(client: TestClient) -> None:
    assert client.get("/readyz").json()["jobs"] == 0
    refused(client.get("/jobs/" + "0" * 32), 404)
    refused(client.post("/jobs", json={"workspace": "none"}), 404)
    refused(client.get("/jobs/" + "0" * 32 + "/events"), 404)
    assert client.post("/models/plant/load").status_code == 200


def test_what_came_of_a_job_waits_for_space_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Records(tmp_path).make("run", "line", options={})
    process = Process(tmp_path, record, ServeSettings(), Metrics(), lambda _: None)
    error = {"code": 11, "error": "no space left", "next": "Free some"}
    process._hear({"error": error})
    usual, stages = Record.end, []

    def full(self: Record, *given: Any, **more: Any) -> None:
        stages.append(process.progress.stage)
        if len(stages) < 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        usual(self, *given, **more)

    monkeypatch.setattr(Record, "end", full)
    monkeypatch.setattr(job_process, "SPACE", 0.01)
    in_a_loop_of_its_own(process._write())
    assert stages[1:] == ["waiting for space on the disk of the service"] * 2
    result = record.result()
    assert result
    assert result.error
    assert (result.state, result.error.code) == ("failed", 11)


@pytest.mark.parametrize(
    ("code", "tries", "said"),
    [
        ("raise ZeroDivisionError('division by zero')", 1, "an error of its own: ZeroDivisionError"),
        ("os._exit(3)", 1, "ended with code 3"),
        ("os.kill(os.getpid(), 9)", 3, "killed 3 times"),
    ],
)
def test_only_what_is_killed_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, tries: int, said: str
) -> None:
    """A job that meets an error of ours says so, and its log has where."""
    (tmp_path / "broken.py").write_text(
        "import os\nfrom tsclust.serve import child\n"
        f"def broken(*_):\n    {code}\n    yield\n"
        "child.COMMANDS = {'run': broken}\nchild.main()\n"
    )
    monkeypatch.setattr(job_process, "CHILD", (str(tmp_path / "broken.py"),))
    monkeypatch.setenv("PYTHONPATH", str(Path(job_process.__file__).parents[2]))
    jobs = Jobs(tmp_path, tmp_path, ServeSettings(), Metrics(), lambda _: None)
    record = jobs.records.make("run", "line", options={})
    in_a_loop_of_its_own(jobs._do(record))
    result = record.result()
    assert result
    assert result.error
    assert (result.state, record.tries()) == ("failed", tries)
    assert said in result.error.error
    assert ("Traceback" in record.log.read_text()) == ("ZeroDivision" in code)
    assert record.id in result.error.next or tries == 3


@pytest.mark.parametrize("writable", [True, False])
def test_a_job_that_the_system_refuses_fails_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    """No process can be started; or what came of it cannot be written either, which is known all the same."""

    async def none(*_: Any, **__: Any) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    def refused_end(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", none)
    jobs = Jobs(tmp_path, tmp_path, ServeSettings(), Metrics(), lambda _: None)
    record = jobs.records.make("run", "line", options={})
    if not writable:
        monkeypatch.setattr(Record, "end", refused_end)
    in_a_loop_of_its_own(jobs._do(record))
    result = record.result()
    assert result
    assert result.error
    assert (result.state, record.tries()) == ("failed", 0)
    assert "Resource temporarily unavailable" in result.error.error
    assert jobs.state(record) == "failed"
    jobs.records.remove(record)
    with pytest.raises(Refusal):
        jobs.records.find(record.id)


def test_what_came_of_a_job_and_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Records(tmp_path).make("run", "line", options={})
    process = Process(tmp_path, record, ServeSettings(), Metrics(), lambda _: None)
    process._hear({"ended": True})

    def refused_end(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Record, "end", refused_end)
    in_a_loop_of_its_own(process._write())
    result = record.result()
    assert result
    assert result.error
    assert "Read-only file system" in result.error.error
