"""Stages that are disturbed: killed, interrupted, a full disk, damaged files. Nothing is ever half there."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

import tsclust
from tests.support.endurance import times
from tests.support.workspaces import hashes
from tsclust.errors import DamagedError, DiskFullError, StageMissingError, WorkspaceBusyError
from tsclust.workspace.folder import Workspace


def test_only_one_tsclust_writes_to_a_workspace(own: Path) -> None:
    with Workspace(own).locked(), pytest.raises(WorkspaceBusyError, match="another tsclust is writing"):
        tsclust.cluster(own)
    assert tsclust.cluster(own).skipped


def test_a_damaged_file_is_named_and_a_lost_manifest_means_not_made(own: Path) -> None:
    (own / "features" / "part-00002.parquet").write_bytes(b"no Parquet")
    with pytest.raises(DamagedError, match=r"part-00002.*cannot be read.*how to make it again: tsclust verify"):
        tsclust.cluster(own, {"cluster": {"seed": 5}})
    (own / "features" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(DamagedError, match=r"manifest\.json cannot be read.*Make it again: tsclust features"):
        tsclust.cluster(own)
    (own / "features" / "manifest.json").unlink()
    with pytest.raises(StageMissingError, match="Run: tsclust features"):
        tsclust.cluster(own)


COMMANDS = ("extract", "features", "cluster")
STAGE_OF = {"extract": "series", "features": "features", "cluster": "clusters"}


def started(root: Path, command: str, dsn: str, first: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    """`tsclust COMMAND` in a process of its own, which does `first` before, made to do its work again."""
    environment = {**os.environ, "TSCLUST_DSN": dsn, "TSCLUST_CLUSTER__SEED": "77", "TSCLUST_FEATURES__PEAK": "max"}
    return subprocess.Popen(
        [sys.executable, "-m", "tsclust", command, "-w", str(root)], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=first,
    )  # fmt: skip


@pytest.mark.endurance
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_any_moment_the_last_good_stage_stays(own: Path, cycles_dsn: str, command: str) -> None:
    stage = STAGE_OF[command]
    before, rng = hashes(own, stage), random.Random(command)
    for _ in range(times(1, 4)):
        process = started(own, command, cycles_dsn)
        time.sleep(rng.uniform(0.3, 2.5))
        process.kill()
        process.communicate()
        manifest = json.loads((own / stage / "manifest.json").read_bytes())
        assert {f"{stage}/{name}": digest for name, digest in manifest["outputs"].items()} == hashes(own, stage)
        if hashes(own, stage) != before:
            break  # it was quick enough to finish: a whole new stage
    again = started(own, command, cycles_dsn)
    assert again.communicate()[1] == ""
    assert again.returncode == 0
    assert not list(own.glob(".*.new"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_system_that_takes_no_more_is_one_line_and_loses_nothing(
    own: Path, cycles_dsn: str, command: str
) -> None:
    before = hashes(own, STAGE_OF[command])
    limit = 20_000  # bytes: no file may grow beyond it, the kernel refuses as on a full disk

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = started(own, command, cycles_dsn, full)
    _, told = process.communicate()
    assert process.returncode == DiskFullError.exit_code, told
    assert told.count("\n") == 1
    assert "no space left" in told
    assert hashes(own, STAGE_OF[command]) == before
    assert not list(own.glob(".*.new"))


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_cleans_up(own: Path, cycles_dsn: str, how: signal.Signals, code: int) -> None:
    with psycopg.connect(cycles_dsn) as connection:  # a reader that has to wait: the moment of the signal is certain
        connection.execute("LOCK TABLE machine.cycles IN ACCESS EXCLUSIVE MODE")
        process = started(own, "extract", cycles_dsn)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while connection.execute(waiting).fetchone() == (0,):
            time.sleep(0.05)
        process.send_signal(how)
        time.sleep(0.3)
    _, told = process.communicate(timeout=30)
    assert process.returncode == code, told
    assert "Traceback" not in told
    assert not list(own.glob(".*.new"))
