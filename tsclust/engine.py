"""Map a pure function over parts, in order. Today a pool of threads: kernels, Arrow and the disk release the GIL."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

Part = TypeVar("Part")
Summary = TypeVar("Summary")


@dataclass(frozen=True)
class Progress:
    """How far a stage has come: `done` of `total` (0 = not known) in `unit`s, `size` bytes of them written."""

    stage: str
    done: int
    total: int
    unit: str = "series"
    size: int = 0


Listener = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """The listener of those who do not listen."""


def map_parts(
    function: Callable[[Part], Summary],
    parts: Iterable[Part],
    workers: int = 2,
    stop: Callable[[], object] = lambda: None,
) -> Iterator[Summary]:
    """`function(part)` for every part, in the order of the parts, at most `workers` + 1 of them held at a time.

    `function` must be pure: it may be called in any order, on any thread and more than once.
    The first error stops the rest and is raised here. `stop` is called then, and at the end: it tells who still runs.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="tsclust")
    pending: deque[Future[Summary]] = deque()
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
