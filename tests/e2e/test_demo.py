"""`tsclust demo` from the command line: what a newcomer sees first."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest

from tsclust.embedded_postgres import server
from tsclust.simulation import recall
from tsclust.simulation.machines import KINDS


def demo(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tsclust", "demo", "-w", str(root), "--series", "20000", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The demo's own folder for temporary files: open to everybody, its path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="open-") as folder:
        Path(folder).chmod(0o777)
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def test_the_demo_ends_with_a_report_and_a_score(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "demo"
    done = demo(root)
    assert (done.returncode, done.stderr) == (0, "")
    assert "planted kinds of malfunction found in" in done.stdout
    assert "extract to report" in done.stdout
    assert str(root / "reports" / "report.html") in done.stdout
    assert not any(outside.iterdir())
    assert not server.stop_kept(root / ".postgres")

    again = [json.loads(line) for line in demo(root, "--json").stdout.splitlines()]
    assert [r["command"] for r in again] == ["fill", "extract", "features", "filter", "cluster", "report", "score"]
    # The server's data is filled anew where root's folders are closed to the server: the series are the same.
    assert [r["command"] for r in again[1:] if r["skipped"]] == ["features", "filter", "cluster"]
    found = again[-1]["facts"]
    assert set(found["found"]) | set(found["missing"]) == set(KINDS)
    assert len(found["found"]) >= 8
    assert found["looks"] == 40


def test_no_stage_reads_the_truth(tmp_path: Path) -> None:
    assert demo(tmp_path).returncode == 0
    for path in tmp_path.rglob("*.parquet"):
        assert "kind" not in pl.read_parquet_schema(path)
    page = (tmp_path / "reports" / "report.html").read_text(encoding="utf-8")
    assert not [kind for kind in KINDS if kind in page]


def test_a_kept_server_answers_until_it_is_stopped(tmp_path: Path) -> None:
    told = [json.loads(line) for line in demo(tmp_path, "--keep-server", "--json").stdout.splitlines()]
    try:
        with psycopg.connect(told[-1]["facts"]["dsn"]) as connection:
            assert connection.execute("SELECT count(*) FROM machine.cycles").fetchone() == (20_000,)
            assert connection.execute("SELECT count(*) FROM truth.kinds").fetchone() == (20_000,)
    finally:
        assert server.stop_kept(tmp_path / ".postgres")


@pytest.mark.parametrize("seconds", [2.0, 3.0, 4.0, 5.0, 7.0])
def test_an_interrupted_demo_stops_its_server(tmp_path: Path, outside: Path, seconds: float) -> None:
    command = [sys.executable, "-m", "tsclust", "demo", "-w", str(tmp_path / "demo"), "--series", "200000"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(2)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert not any(outside.iterdir())


def test_somebody_elses_workspace_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "tsclust.toml").write_text('[source]\ntable = "mine"\n', encoding="utf-8")
    done = demo(tmp_path)
    assert done.returncode == 3
    assert "is not the demo's" in done.stderr
    assert (tmp_path / "tsclust.toml").read_text(encoding="utf-8") == '[source]\ntable = "mine"\n'


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ([(1, "bent", 60, 60), (1, "normal", 40, 40)], {"bent": 1}),
        ([(1, "bent", 60, 60), (1, "normal", 61, 61)], {}),  # not made of it
        ([(1, "bent", 30, 30), (2, "bent", 30, 30)], {"bent": 2}),  # two groups together
        ([(1, "bent", 40, 40), (2, "bent", 40, 0)], {}),  # the same series twice
    ],
)
def test_a_kind_is_found_when_groups_made_of_it_hold_half_of_it(
    counts: list[tuple[int, str, int, int]], found: dict[str, int]
) -> None:
    members = pl.DataFrame(counts, schema=["look", "kind", "count", "first"], orient="row")
    assert recall.score(members, {"bent": 100}).found == found
