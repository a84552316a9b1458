"""Files that stay what they are while they are read: else half of what is taken would be the old, half the new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tsclust.errors import SourceFileError, TsclustError

Stamp = tuple[int, int, int]  # size, time of the last change, the file itself


@dataclass(frozen=True)
class Unchanged:
    """Files, folders and what they were like when they were first looked at."""

    stamps: dict[Path, Stamp | None]

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Unchanged:
        """As they are now; of a folder (a dump, or a table of folders) with all that is in it."""
        every = (one for path in paths for one in (path, *(path.rglob("*") if path.is_dir() else ())))
        return cls({path: _stamp(path) for path in every})

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
                raise SourceFileError(
                    f"{path} was changed while it was read: expected it to stay as it is",
                    "Wait until it is written, or read a copy of it; then run the same command again",
                )


def _stamp(path: Path) -> Stamp | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns, about.st_ino
