"""What the engine of a cluster makes of a part that ends while it looks after the workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsclust.engine.dask import Cluster
from tsclust.engine.dask_worker import Terms
from tsclust.engine.place import Place
from tsclust.errors import SourceLostError


class Workers:
    """One with one thread."""

    def nthreads(self) -> dict[str, int]:
        return {"tcp://127.0.0.1:1": 1}


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
