"""An engine like that of a cluster: all is pickled by value and done by other processes, in an order of chance."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from typing import Any

import cloudpickle


def _answer(task: bytes) -> bytes:
    """In the other process: a function and a part as bytes -> its summary as bytes."""
    function, part = cloudpickle.loads(task)
    summary: bytes = cloudpickle.dumps(function(part))
    return summary


class Processes:
    """
    Two processes that know nothing of each other or of who asks. Every part is done in an order of chance, some parts
    twice; of these the second summary counts. The first error is raised, as by any engine.
    """

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
        self.asked = 0

    def __call__(
        self, function: Callable[[Any], Any], parts: Iterable[Any], workers: int, stop: Callable[[], object], /
    ) -> Iterator[Any]:
        started: list[Future[bytes]] = []
        try:
            tasks = [cloudpickle.dumps((function, part)) for part in parts]
            order = [*range(len(tasks)), *(i for i in range(len(tasks)) if self._random.random() < 0.4)]
            self._random.shuffle(order)
            started += (self._pool.submit(_answer, tasks[i]) for i in order)
            self.asked += len(order)
            counting = dict(zip(order, started, strict=True))
            for i in range(len(tasks)):
                yield cloudpickle.loads(counting[i].result())
        finally:
            stop()
            wait(started)  # a part that is done again would write into a stage that has its name already

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
