"""Map a pure function over parts, in order: all that touches every series goes through one call, `map_parts`.

Today's engine is a pool of threads: kernels, Arrow and the disk release the GIL. Another one, a cluster's, takes its
place by `using`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tsclust.engine.threads import pool_of_threads

Part = TypeVar("Part")


Summary = TypeVar("Summary")

WORKERS = 2  # parts at a time, where a stage does not ask for another number


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


class Engine(Protocol):
    """What `map_parts` is given and has to do, whoever does it.

    When it ends, with an error or without, nothing that it started is still at work: parts are files in a folder that
    is given its name next.
    """

    def __call__(
        self, function: Callable[[Any], Any], parts: Iterable[Any], workers: int, stop: Callable[[], object], /
    ) -> Iterator[Any]: ...


def map_parts(
    function: Callable[[Part], Summary],
    parts: Iterable[Part],
    workers: int = WORKERS,
    stop: Callable[[], object] = lambda: None,
) -> Iterator[Summary]:
    """`function(part)` for every part, in the order of the parts.

    `function` must be pure: it may be called in any order, on any thread and more than once.
    The first error stops the rest and is raised here. `stop` is called then, and at the end: it tells who still runs.
    """
    return _engine.get()(function, parts, workers, stop)


@contextmanager
def using(engine: Engine) -> Iterator[None]:
    """Have `map_parts` done by another engine."""
    token = _engine.set(engine)
    try:
        yield
    finally:
        _engine.reset(token)


def is_set() -> bool:
    """Whether `using` has chosen another engine than this machine's."""
    return _engine.get() is not pool_of_threads


_engine: ContextVar[Engine] = ContextVar("_engine", default=pool_of_threads)
