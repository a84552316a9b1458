"""What is on the disk itself, as far as a process has asked for it: names and contents that a power cut would keep."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tsclust.workspace import atomic

Key = tuple[int, int]


@dataclass
class Disk:
    """Looks on at every fsync, rename and removal of this process below `root`.

    wrong  what a power cut would have broken
    order  what happened, in words
    """

    root: Path
    wrong: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    _synced: dict[Key, int] = field(default_factory=dict)  # file or folder -> its mtime then
    _pending: dict[Path, str] = field(default_factory=dict)  # folder whose names are not on the disk -> since what

    def synced(self, number: int) -> None:
        about = os.fstat(number)
        path = Path(f"/proc/self/fd/{number}").readlink()
        self._synced[about.st_dev, about.st_ino] = about.st_mtime_ns
        self._pending.pop(path, None)
        self._note("fsync", path)

    def appears(self, new: Path, name: Path) -> None:
        """`new` is about to take the name `name`."""
        if not self._shown(name):
            return
        for path in (new, *(new.rglob("*") if new.is_dir() else ())):
            about = path.stat()
            if self._synced.get((about.st_dev, about.st_ino)) != about.st_mtime_ns:
                self.wrong.append(f"{path} is not on the disk when {name} appears")
        self._pending[name.parent] = f"{name} appeared"
        self._note("appears", name)

    def goes(self, path: Path) -> None:
        """`path` is about to be removed."""
        if path.exists() and self.root in path.parents and path.parent in self._pending:
            self.wrong.append(f"{path} goes before {self._pending[path.parent]} is on the disk")
        self._note("removes", path)

    def at_the_end(self) -> list[str]:
        """What is wrong, and what would not be there after a power cut now."""
        return [*self.wrong, *(f"{why}, which is not on the disk at the end" for why in self._pending.values())]

    def _shown(self, path: Path) -> bool:
        inside = self.root in path.parents
        return inside and not any(name.startswith(".") for name in path.relative_to(self.root).parts)

    def _note(self, what: str, path: Path) -> None:
        if self.root == path or self.root in path.parents:
            self.order.append(f"{what} {path.relative_to(self.root)}")


@pytest.fixture(scope="session", autouse=True)
def _nobody_waits_for_the_disk() -> Iterator[None]:
    """What this process writes lies in the system's memory: that it asks for more is looked at, see `disk` and
    tests/e2e/test_power_cut.py. Processes of their own do wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # to ask for a closed file is an error still
        yield


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Everything below tmp_path."""
    found = Disk(tmp_path)

    def before(where: Any, name: str, look: Callable[..., None]) -> None:
        real = getattr(where, name)

        def looked(*given: Any, **more: Any) -> Any:
            look(*given)
            return real(*given, **more)

        monkeypatch.setattr(where, name, looked)

    def fsync(number: int) -> None:
        real_fsync(number)
        found.synced(number)

    def moved(new: Any, name: Any) -> None:
        found.appears(Path(new), Path(name))

    real_fsync = os.fsync
    monkeypatch.setattr(os, "fsync", fsync)
    for name in ("rename", "replace"):
        before(os, name, moved)
    before(atomic, "_exchange", moved)
    before(shutil, "rmtree", lambda path, *_: found.goes(Path(path)))
    yield found
    assert found.at_the_end() == []
