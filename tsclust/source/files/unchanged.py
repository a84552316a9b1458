"""Files that stay what they are while they are read: else half of what is taken would be the old, half the new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tsclust.errors import TsclustError
from tsclust.source.files.object_requests import changed
from tsclust.source.files.objects import About, FilePath, ObjectPath, one

Stamp = tuple[int, int, int]  # size, time of the last change, the file itself


@dataclass(frozen=True)
class Unchanged:
    """Files, folders and what they were like when they were first looked at; of objects those without an ETag: of the
    others every request says which content it wants."""

    stamps: dict[FilePath, Stamp | About | None]

    @classmethod
    def of(cls, paths: Sequence[FilePath]) -> Unchanged:
        """As they are now; of a folder (a dump, or a table of folders) with all that is in it."""
        files = (path for path in paths if isinstance(path, Path))
        every = (each for path in files for each in (path, *(path.rglob("*") if path.is_dir() else ())))
        found: dict[FilePath, Stamp | About | None] = {path: _stamp(path) for path in every}
        objects = (path for path in paths if isinstance(path, ObjectPath))
        return cls(found | {path: path.stat() for path in objects if not path.stat().is_etag})

    @contextmanager
    def held(self) -> Iterator[None]:
        """Around what reads them: `check` at the end, and where what is read makes no sense."""
        try:
            yield
        except TsclustError:
            self.check()
            raise
        self.check()

    def check(self) -> None:
        """Raises SourceFileError where one is another now: written to, cut, replaced, removed."""
        for path, before in self.stamps.items():
            if _stamp(path) != before:
                raise changed(path.url if isinstance(path, ObjectPath) else str(path))


def _stamp(path: FilePath) -> Stamp | About | None:
    if isinstance(path, ObjectPath):
        there = one(path)
        return there.about if there else None
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns, about.st_ino
