"""`tsclust demo` from the command line: what a newcomer sees first."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from tests.support.endurance import times
from tsclust.embedded_postgres import server
from tsclust.embedded_postgres.guard import until
from tsclust.simulation.machines import KINDS

SERIES = 10_000  # every kind occurs
K = {"TSCLUST_CLUSTER__K": "2..40"}  # the default sweep takes three times as long


@dataclass(frozen=True)
class Demo:
    """A demo that ran twice in the same workspace: as a newcomer starts it, and as JSON with a server that stays."""

    root: Path
    first: subprocess.CompletedProcess[str]
    left_outside: list[Path]  # of the folder for temporary files, after the first
    kept_by_first: bool
    again: list[dict[str, Any]]


def demo(root: Path, *words: str, outside: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tsclust", "demo", "-w", str(root), "--series", str(SERIES), *words]
    environment = os.environ | K | ({"TMPDIR": str(outside)} if outside else {})
    return subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)


@contextmanager
def open_folder() -> Iterator[Path]:
    """The demo's own folder for temporary files: open to everybody, its path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="open-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    root = tmp_path_factory.mktemp("demo") / "demo"
    with open_folder() as outside:
        first = demo(root, outside=outside)
        left, kept = list(outside.iterdir()), server.stop_kept(root / ".postgres")
    again = [json.loads(line) for line in demo(root, "--keep-server", "--json").stdout.splitlines()]
    yield Demo(root, first, left, kept, again)
    server.stop_kept(root / ".postgres")


def test_the_demo_ends_with_a_report_and_a_score(shown: Demo) -> None:
    assert (shown.first.returncode, shown.first.stderr) == (0, "")
    assert "planted kinds of malfunction found in" in shown.first.stdout
    assert "extract to report" in shown.first.stdout
    assert str(shown.root / "reports" / "report.html") in shown.first.stdout
    assert not shown.left_outside
    assert not shown.kept_by_first


def test_what_is_up_to_date_is_not_made_again(shown: Demo) -> None:
    commands = [r["command"] for r in shown.again]
    assert commands == ["fill", "extract", "features", "filter", "cluster", "report", "score"]
    # The server's data is filled anew where root's folders are closed to the server: the series are the same.
    assert [r["command"] for r in shown.again[1:] if r["skipped"]] == ["features", "filter", "cluster"]
    found = shown.again[-1]["facts"]
    assert set(found["found"]) | set(found["missing"]) == set(KINDS)
    assert len(found["found"]) >= 7
    assert 20 <= found["looks"] <= 40  # of so few series groups that share none


def test_no_stage_reads_the_truth(shown: Demo) -> None:
    for path in shown.root.rglob("*.parquet"):
        assert "kind" not in pl.read_parquet_schema(path)
    page = (shown.root / "reports" / "report.html").read_text(encoding="utf-8")
    assert not [kind for kind in KINDS if kind in page]


def test_a_kept_server_answers_until_it_is_stopped(shown: Demo) -> None:
    try:
        with psycopg.connect(shown.again[-1]["facts"]["dsn"]) as connection:
            assert connection.execute("SELECT count(*) FROM machine.cycles").fetchone() == (SERIES,)
            assert connection.execute("SELECT count(*) FROM truth.kinds").fetchone() == (SERIES,)
    finally:
        assert server.stop_kept(shown.root / ".postgres")


MOMENTS = ["server", "extract", "fill", "features", "filter"]  # the server starts; a command is done


def listens(folder: Path) -> bool:
    """Whether a server has its socket below this folder, in which folders come and go."""
    return any(name.startswith(".s.PGSQL") for _, _, files in os.walk(folder) for name in files)


@pytest.mark.endurance
@pytest.mark.parametrize("moment", MOMENTS[: times(2, 5)])
def test_an_interrupted_demo_stops_its_server(tmp_path: Path, moment: str) -> None:
    command = [sys.executable, "-m", "tsclust", "demo", "-w", str(tmp_path / "demo"), "--series", "10000", "--json"]
    with open_folder() as outside:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(outside)},
        )
        assert process.stdout
        if moment == "server":
            assert until(lambda: listens(outside) or process.poll() is not None, 120)
        else:
            assert any(json.loads(line)["command"] == moment for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=180)
        assert process.returncode == 130, told
        assert "Traceback" not in told
        # Interrupted between its start and its use, the server is stopped by its guard, once the process has ended.
        assert until(lambda: not any(outside.iterdir()), 60)


def test_somebody_elses_workspace_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "tsclust.toml").write_text('[source]\ntable = "mine"\n', encoding="utf-8")
    done = demo(tmp_path)
    assert done.returncode == 3
    assert "is not the demo's" in done.stderr
    assert (tmp_path / "tsclust.toml").read_text(encoding="utf-8") == '[source]\ntable = "mine"\n'
