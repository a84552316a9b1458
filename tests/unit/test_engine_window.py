"""What the engine of a cluster sends, and how far ahead: what the driver holds is bounded, whatever the parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tsclust.engine import dask
from tsclust.engine.dask import Cluster
from tsclust.engine.dask_worker import Terms, packed, unpacked
from tsclust.engine.place import Place

THREADS, PARTS, SIZE = 3, 200, 1_000_000


@dataclass
class Client:
    """Tasks are done when their results are asked for."""

    sent: list[bytes] = field(default_factory=list)  # what every task takes along
    known_sent: list[bytes] = field(default_factory=list)
    pending: int = 0
    most: int = 0

    def submit(self, function: Callable[..., Any], *given: Any, **how: Any) -> Any:
        if function is unpacked:
            self.known_sent.append(given[0])
            return unpacked(given[0])
        _, _, known, few = given
        self.sent.append(few)
        self.pending += 1
        self.most = max(self.most, self.pending)
        return Task(self, known, few)

    @property
    def scheduler(self) -> Client:
        return self

    def ncores(self) -> dict[str, int]:
        return dict.fromkeys((f"tcp://127.0.0.1:{n}" for n in range(THREADS)), 1)

    def sync(self, asked: Callable[[], dict[str, int]], callback_timeout: float) -> dict[str, int]:
        return asked()


@dataclass
class Task:
    client: Client
    function: Callable[[Any], Any]
    few: bytes
    status: str = "finished"

    def result(self, timeout: float) -> bytes:
        self.client.pending -= 1
        return packed([self.function(part) for part in unpacked(self.few)])


def added(much: bytes, part: int) -> int:
    return len(much) + part


def test_few_tasks_are_asked_for_at_a_time_and_what_all_need_is_sent_once(tmp_path: Path) -> None:
    client, taken = Client(), 0
    cluster = Cluster(client, Place("dask://127.0.0.1:1"), Terms("", tmp_path / "token", {}, "", ""))

    def parts() -> Any:
        nonlocal taken
        for part in range(PARTS):
            taken = part
            yield part

    ahead = []
    for n, summary in enumerate(cluster(partial(added, bytes(SIZE)), parts(), 2, lambda: None)):
        assert summary == SIZE + n
        ahead.append(taken - n)
    assert len(ahead) == len(client.sent) == PARTS
    assert client.most == max(ahead) + 1 == dask.AHEAD * THREADS + 1
    assert len(client.known_sent) == 1
    assert len(client.known_sent[0]) > SIZE
    assert sum(map(len, client.sent)) < SIZE / 10


def test_many_small_parts_travel_together_and_all_threads_have_some(tmp_path: Path) -> None:
    client = Client()
    cluster = Cluster(client, Place("dask://127.0.0.1:1"), Terms("", tmp_path / "token", {}, "", ""))
    for parts in (1, THREADS, PARTS):
        client.sent.clear()
        done = list(cluster(partial(added, b""), range(parts), 2, lambda: None))
        assert done == list(range(parts))
        assert len(client.sent) >= min(parts, dask.TASKS * THREADS)
        assert max(len(unpacked(few)) for few in client.sent) <= dask.TOGETHER
    assert len(client.sent) == PARTS / dask.TOGETHER
