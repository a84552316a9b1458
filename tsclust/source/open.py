"""Where series come from, by what the settings name: files, or a table or query of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tsclust.config import Settings
from tsclust.source.protocols import PlannedRanges, Reader


@contextmanager
def opened(
    settings: Settings, base: Path, frozen: PlannedRanges = lambda _: None, after: str | None = None
) -> Iterator[Reader]:
    """The source of `settings`, open. Arguments and errors are those of `postgres.opened`."""
    if settings.source.files:
        from tsclust.source.files import reader as from_files

        yield from_files.reader(settings.source, base)
        return
    from tsclust.source.postgres import reader as postgres

    with postgres.opened(settings.dsn.get_secret_value(), settings.source, base, frozen, after) as reader:
        yield reader
