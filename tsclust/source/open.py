"""Where series come from, by what the settings name: files, or a table or query of PostgreSQL; what is new there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tsclust import config
from tsclust.config import Settings
from tsclust.source.census import Census

if TYPE_CHECKING:
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


def census(settings: Settings, base: Path, mark: str | None) -> Census:
    """How many series a table or query has, and how many beyond the mark of the last reading. Files are not counted."""
    from tsclust.source.postgres import census as of_postgres

    return of_postgres.census(settings.dsn.get_secret_value(), settings.source, base, mark)


def files_state(settings: Settings, base: Path) -> str:
    """A hash of the names, sizes and times of the files; "" for a server. Raises SettingsError where there is none."""
    if not settings.source.files:
        return ""
    from tsclust.source.files import paths

    found = paths.found(settings.source.files, base)
    return config.digest(repr([paths.state(path) for path in found]))
