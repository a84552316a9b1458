"""What goes wrong on a cluster is one line, as on one machine: what parts raise, and a scheduler that goes away."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import run_tsclust
from tests.support.commands_in_turn import Ways
from tests.support.dask_cluster import DaskCluster
from tests.support.signals import started

OWN = """
def own(x):
    \"\"\"A feature of the user's.\"\"\"
    {}
    return float(len(x))
"""
ALL_TOGETHER = {"TSCLUST_CLUSTER__BASELINE": "[]"}


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path_factory.mktemp("dask")) as cluster:
        cluster.have(1)
        yield cluster


@pytest.fixture
def root(ways: Ways) -> Path:
    """A workspace without features/, whose settings name a file with a feature of the user's."""
    found = ways.again("features")
    with (found / "tsclust.toml").open("a", encoding="utf-8") as file:
        file.write('[features]\nextra = "own.py"\n')
    return found


def test_an_error_of_a_part_is_the_line_that_one_machine_prints(root: Path, dask: DaskCluster) -> None:
    """In a process of its own, as libraries loaded by the tests make errors travel that otherwise would not."""
    (root / "own.py").write_text(OWN.format('raise OSError("no probe")'), encoding="utf-8")
    alone = run_tsclust("features", "-w", root, environment=ALL_TOGETHER)
    there = run_tsclust("features", "-w", root, "--engine", dask.url, environment=ALL_TOGETHER)
    assert (alone.returncode, alone.stderr.splitlines()[-1:]) == (3, there.stderr.splitlines()[-1:])
    assert there.returncode == 3
    assert "no probe" in there.stderr
    assert "Traceback" not in there.stderr


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_scheduler_that_goes_away_ends_the_command_with_one_line(
    root: Path, how: signal.Signals, tmp_path: Path
) -> None:
    (root / "own.py").write_text(OWN.format("__import__('time').sleep(0.003)"), encoding="utf-8")
    with DaskCluster(tmp_path) as cluster:
        cluster.have(1)
        process = started(["-m", "tsclust", "features", "-w", root, "--engine", cluster.url], ALL_TOGETHER)
        cluster.wait_for(lambda: cluster.at_work(root) > 0)
        os.kill(cluster.scheduler.pid, how)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told.count("\n")) == (13, 1), told
    assert f"the cluster at {cluster.url} was lost on the way (its scheduler is gone)" in told
    assert not (root / "features").exists()
