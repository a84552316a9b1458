"""What the engine of a cluster makes of a part that ends while it looks after the workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tsclust.engine.dask import PATIENCE, Cluster, _client
from tsclust.engine.dask_worker import Terms
from tsclust.engine.place import Place
from tsclust.errors import SettingsError, SourceLostError


class Workers:
    """One with one thread."""

    scheduler = SimpleNamespace(ncores=lambda: {"tcp://127.0.0.1:1": 1})

    def sync(self, asked: Callable[[], dict[str, int]], callback_timeout: float) -> dict[str, int]:
        return asked()


class Silent(Workers):
    """Its scheduler does not answer in time."""

    def sync(self, asked: Callable[[], dict[str, int]], callback_timeout: float) -> dict[str, int]:
        raise TimeoutError(f"timed out after {callback_timeout} s.")


class Part:
    """It is not there at the first look; at the second one it is, or what became of it is told."""

    def __init__(self, status: str, told: bytes | Exception) -> None:
        self.status, self._told, self._looks = status, told, 0

    def result(self, timeout: float) -> bytes:
        self._looks += 1
        if self._looks == 1:
            raise TimeoutError(f"timed out after {timeout} s.")
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(Workers(), Place("dask://127.0.0.1:1"), Terms("", tmp_path / "token", {}, "", ""))


@pytest.mark.parametrize("status", ["pending", "finished"])
def test_it_is_taken_once_it_is_there(cluster: Cluster, status: str) -> None:
    assert cluster._waited_for(Part(status, b"done")) == b"done"


def test_one_that_was_lost_is_an_error_with_a_next_step(cluster: Cluster) -> None:
    with pytest.raises(SourceLostError, match="was lost on the way"):
        cluster._waited_for(Part("cancelled", RuntimeError("cancelled")))


def test_an_error_of_its_own_is_raised(cluster: Cluster) -> None:
    with pytest.raises(TimeoutError):
        cluster._waited_for(Part("error", b""))


def test_a_scheduler_that_is_silent_ends_the_command_which_asks_it_for_nothing_more(tmp_path: Path) -> None:
    cluster = Cluster(Silent(), Place("dask://127.0.0.1:1"), Terms("", tmp_path / "token", {}, "", ""))
    with pytest.raises(SourceLostError, match="its scheduler has not answered for 60 seconds"):
        cluster._there(now=True)
    cluster._end("known", deque(["asked for"]))  # cancelling would wait for an answer


@pytest.mark.parametrize(
    ("files", "missing"), [((), "--tls-ca-file and --tls-cert"), (("tls_ca_file",), "TLS needs --tls-cert")]
)
def test_tls_needs_its_files(tmp_path: Path, files: tuple[str, ...], missing: str) -> None:
    given = {name: str(tmp_path / name) for name in files}
    with pytest.raises(SettingsError, match=missing), _client(Place("tls://127.0.0.1:1", **given)):
        pass


def test_files_that_are_none_of_tls_are_named(tmp_path: Path) -> None:
    given = {name: str(tmp_path / name) for name in ("tls_ca_file", "tls_cert", "tls_key")}
    for path in given.values():
        Path(path).write_text("no PEM", encoding="ascii")
    with pytest.raises(SettingsError, match="a file of TLS cannot be used"), _client(Place("tls://a:1", **given)):
        pass


def test_where_no_worker_is_left_what_was_asked_for_is_taken_back(tmp_path: Path) -> None:
    """The scheduler is there: workers that come back must not write into a folder that is no longer ours."""
    asked: list[object] = []

    class Deserted(Workers):
        scheduler = SimpleNamespace(ncores=dict)

        def cancel(self, futures: list[object], force: bool) -> None:
            asked.extend(futures)

        def run(self, *_: object, on_error: str) -> dict[str, int]:
            return {}

    cluster = Cluster(Deserted(), Place("dask://127.0.0.1:1"), Terms("", tmp_path / "token", {}, "", ""))
    with pytest.raises(SourceLostError, match="no worker is left"):
        cluster._still_there(since=-PATIENCE - 1)
    cluster._end("known", deque(["asked for"]))
    assert asked == ["asked for", "known"]
