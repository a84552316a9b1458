"""The engine of one machine: a pool of threads. Kernels, Arrow and the disk release the GIL."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


def pool_of_threads(
    function: Callable[[Any], Any], parts: Iterable[Any], workers: int, stop: Callable[[], object]
) -> Iterator[Any]:
    """The engine of one machine; at most `workers` + 1 parts are held at a time."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="tsclust")
    pending: deque[Future[Any]] = deque()
    try:
        for part in parts:
            pending.append(pool.submit(function, part))
            if len(pending) > workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        stop()
        pool.shutdown(wait=True, cancel_futures=True)
