"""
Every command gives the same bytes when its parts are done by other processes: in any order and some of them twice; by
workers of a Dask cluster, of which some die, some join late and some are others than they should be.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import tsclust
from tests.support.commands import call_tsclust
from tests.support.commands_in_turn import COMMANDS, Ways, files, source
from tests.support.dask_cluster import DaskCluster, settings
from tests.support.endurance import LONG
from tests.support.processes import Processes
from tests.support.signals import ended, started
from tsclust.engine.base import using
from tsclust.engine.dask import Cluster
from tsclust.errors import ConnectError, SettingsError

SLOW = """
def slow(x):
    \"\"\"Takes its time.\"\"\"
    __import__("time").sleep(0.003)
    return float(len(x))
"""
WORKERS = (
    [(name, n) for name in COMMANDS for n in (1, 2, 4)]
    if LONG
    else [("features", 1), ("cluster", 2), ("score --from, drifted", 2)]
)
KILLED = list(COMMANDS) if LONG else ["cluster"]
WRITES = ["features", "filter", "cluster", "score", "run"] if LONG else ["features"]
Call = Callable[..., Iterator[Any]]


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    engine = Processes()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


@pytest.fixture
def asked(ways: Ways, dask: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A copy of the workspace as it was before a command, as the folder where one stands; the settings name the
    cluster."""

    def of(name: str) -> Path:
        root = ways.again(name)
        monkeypatch.chdir(root)
        monkeypatch.setenv("TSCLUST_ENGINE__SCHEDULER", dask.url)
        return root

    return of


def between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something done once, when the first of several parts is back and others are asked for."""
    usual: Call = Cluster.__call__
    done: list[object] = []

    def call(self: Cluster, function: Any, parts: Iterable[Any], *more: Any) -> Iterator[Any]:
        for summary in usual(self, function, parts, *more):
            if not done:
                done.append(act())
            yield summary

    monkeypatch.setattr(Cluster, "__call__", call)


@pytest.mark.parametrize("name", COMMANDS)
def test_parts_done_by_other_processes_give_the_same_bytes(ways: Ways, processes: Processes, name: str) -> None:
    root, asked = ways.again(name), processes.asked
    with using(processes):
        COMMANDS[name](root)
    assert processes.asked > asked
    assert files(root) == files(ways.after[name])


@pytest.mark.endurance
@pytest.mark.parametrize(("name", "workers"), WORKERS)
def test_workers_of_a_cluster_give_the_same_bytes(
    ways: Ways, asked: Callable[[str], Path], dask: DaskCluster, name: str, workers: int
) -> None:
    root = asked(name)
    dask.have(workers)
    COMMANDS[name](Path())
    assert files(root) == files(ways.after[name])


@pytest.mark.endurance
@pytest.mark.parametrize("name", KILLED)
def test_a_worker_that_is_killed_changes_nothing(
    ways: Ways, asked: Callable[[str], Path], dask: DaskCluster, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    root = asked(name)
    first, _ = dask.have(2)
    between(monkeypatch, first.kill)
    COMMANDS[name](Path())
    assert first.wait() == -signal.SIGKILL
    assert files(root) == files(ways.after[name])


@pytest.mark.endurance
@pytest.mark.parametrize("name", WRITES)
def test_what_a_killed_worker_has_half_written_is_removed(
    ways: Ways, asked: Callable[[str], Path], dask: DaskCluster, name: str, tmp_path: Path
) -> None:
    root = asked(name)
    dask.have(1)
    killed, log = dask.start_that("os.kill(os.getpid(), signal.SIGKILL)", tmp_path / "killed")
    COMMANDS[name](Path())
    assert killed.wait(10) == -signal.SIGKILL
    (unfinished,) = log.read_text(encoding="utf-8").split()
    assert Path(unfinished).is_relative_to(root)
    assert not list(root.rglob("*.beside-*"))
    assert files(root) == files(ways.after[name])


def test_a_slow_worker_changes_nothing(
    ways: Ways, asked: Callable[[str], Path], dask: DaskCluster, tmp_path: Path
) -> None:
    root = asked("features")
    dask.have(1)
    slow, log = dask.start_that("time.sleep(2)", tmp_path / "slow")
    tsclust.features(Path())
    slow.kill()
    parts = len(list((root / "features").glob("*.parquet")))
    assert 0 < len(log.read_text(encoding="utf-8").split()) < parts  # the other one did the rest
    assert files(root) == files(ways.after["features"])


@pytest.fixture
def system_pool() -> Iterator[None]:
    """Arrow's memory comes from the system, as the command line has it."""
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    yield
    pa.set_memory_pool(usual)


@pytest.mark.usefixtures("system_pool")
def test_a_worker_is_set_up_as_who_asks(
    asked: Callable[[str], Path], dask: DaskCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked("filter --html")
    kernels = str(tmp_path / "kernels")
    monkeypatch.setenv("NUMBA_CACHE_DIR", kernels)
    dask.have(0)
    other = dask.start(OPENBLAS_NUM_THREADS="2", ARROW_DEFAULT_MEMORY_POOL="mimalloc", NUMBA_CACHE_DIR=str(tmp_path))
    wanted, (before,) = settings() | {"kernels": kernels}, dask.settings()
    tsclust.filter(Path(), html=True)
    assert dask.settings() == [wanted]
    assert before["pool"] != wanted["pool"]
    assert before["kernels"] != kernels
    other.kill()


def test_a_worker_that_joins_late_does_the_rest(
    ways: Ways, asked: Callable[[str], Path], dask: DaskCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = asked("features")
    (first,) = dask.have(1)

    def relay() -> None:
        dask.have(2)
        first.kill()

    between(monkeypatch, relay)
    tsclust.features(Path())
    assert files(root) == files(ways.after["features"])


def test_a_worker_with_other_sources_is_refused(
    ways: Ways, asked: Callable[[str], Path], dask: DaskCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = asked("features")
    other = tmp_path / "other" / "tsclust"
    shutil.copytree(Path(tsclust.__file__).parent, other, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "new.py").write_text("# another\n", encoding="utf-8")
    dask.have(1)
    strangers = []
    between(monkeypatch, lambda: strangers.append(dask.start(PYTHONPATH=str(other.parent))))
    tsclust.features(Path())
    assert files(root) == files(ways.after["features"])  # it joined on the way, and was given nothing that counts
    strangers[0].kill()

    dask.have(0)
    (tmp_path / "none" / "tsclust").mkdir(parents=True)
    (tmp_path / "none" / "tsclust" / "__init__.py").touch()
    nobody = dask.start(PYTHONPATH=str(tmp_path / "none"))
    with pytest.raises(SettingsError, match=r"^a worker has another tsclust than this one, or none"):
        tsclust.filter(Path(), html=True)
    nobody.kill()

    dask.have(0)
    stranger = dask.start(PYTHONPATH=str(other.parent))
    with pytest.raises(SettingsError, match=r"^the worker on .* has tsclust .*: expected .*, as here") as refused:
        tsclust.filter(Path(), html=True)
    assert str(refused.value).count("\n") == 0
    stranger.kill()


def test_where_tsclust_is_not_installed_it_is_said_in_one_line(
    ways: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tsclust").mkdir()
    (tmp_path / "tsclust" / "__init__.py").touch()  # it hides the one that is installed
    monkeypatch.chdir(ways.again("features"))
    with DaskCluster(tmp_path, PYTHONPATH=str(tmp_path)) as cluster:
        cluster.have(1)
        done = call_tsclust("features", "--engine", cluster.url)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "the scheduler has another tsclust than this one, or none" in done.stderr


def test_a_folder_that_is_not_shared_is_refused_before_anything_is_read(
    ways: Ways, asked: Callable[[str], Path], dask: DaskCluster
) -> None:
    root = asked("features")
    shutil.rmtree(root / "series")
    dask.have(1)
    mine = Path("/proc/self/cwd")  # of another process it is another folder
    with pytest.raises(ConnectError, match=r"does not see /proc/self/cwd: expected a folder that all machines share"):
        list(tsclust.run(mine, source(root)))
    assert not (root / "series").exists()
    assert not [path for path in root.iterdir() if path.name.startswith((".series", ".tsclust.engine"))]


def test_ctrl_c_takes_back_what_was_asked_for(asked: Callable[[str], Path], dask: DaskCluster) -> None:
    root = asked("features")
    (root / "own.py").write_text(SLOW, encoding="utf-8")
    with (root / "tsclust.toml").open("a", encoding="utf-8") as file:
        file.write('[features]\nextra = "own.py"\n')
    dask.have(1)
    words = ["-m", "tsclust", "features", "-w", root]
    process = started(words, {"TSCLUST_ENGINE__SCHEDULER": dask.url, "TSCLUST_CLUSTER__BASELINE": "[]"})
    dask.wait_for(lambda: dask.at_work(root) > 0)
    end = ended(process, signal.SIGINT)
    assert end.code == 130, end.told
    dask.wait_for(lambda: not dask.at_work(root))
    assert not dask.tasks()
    assert not (root / "features").exists()


def test_a_cluster_by_tls(ways: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"--tls-ca-file": "cert.pem", "--tls-cert": "cert.pem", "--tls-key": "key.pem"}
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=tsclust"
    subprocess.run([*make.split(), "-keyout", "key.pem", "-out", "cert.pem"], cwd=tmp_path, check=True)
    flags = [word for flag, name in names.items() for word in (flag, str(tmp_path / name))]
    root = ways.again("features")
    monkeypatch.chdir(root)
    with DaskCluster(tmp_path, flags, "tls") as cluster:
        cluster.have(1)
        done = call_tsclust("features", "--engine", cluster.url, *flags)
        assert done.returncode == 0, done.stderr
        assert files(root) == files(ways.after["features"])
        refused = call_tsclust("filter", "--html", "--engine", cluster.url.replace("tls", "dask"))
        assert (refused.returncode, refused.stderr.count("\n")) == (7, 1)
        assert f"no scheduler answers at {cluster.url.replace('tls', 'dask')}" in refused.stderr
