"""How much of what was replaced is kept, and the room that it takes."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from tsclust.workspace.atomic import remove
from tsclust.workspace.history import RECORDS, History, Run, manifest_hash
from tsclust.workspace.pages import earlier_pages

MODELS, ASKED = "models", "asked"


@dataclass(frozen=True)
class Surplus:
    """What is kept beyond a number: stages of before, pages, models, records of runs."""

    stages: tuple[Path, ...]
    pages: tuple[Path, ...]
    models: tuple[Path, ...]
    records: tuple[Path, ...]

    @classmethod
    def of(cls, history: History, keep: int) -> Surplus:
        """keep: how many earlier ones of each stage, of each page and of the models stay, the newest."""
        pages = tuple(path for kept in earlier_pages(history).values() for path in kept[: max(0, len(kept) - keep)])
        records = tuple(history.folder / run.name for run in history.runs[:-RECORDS])
        return cls(tuple(_stages(history, keep)), pages, tuple(_models(history, keep)), records)

    @property
    def paths(self) -> tuple[Path, ...]:
        return (*self.stages, *self.pages, *self.models, *self.records)


def prune(root: Path, keep: int) -> None:
    """Remove what is kept beyond `keep`."""
    for path in Surplus.of(History(root), keep).paths:
        remove(path)


def own_bytes(paths: Iterable[Path]) -> int:
    """What would be free without these: files with a name elsewhere take no room of their own."""
    names, about = Counter[int](), dict[int, tuple[int, int]]()
    for file in (one for path in paths for one in (path, *path.rglob("*"))):
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile: who looks holds no lock
            stat = file.stat()
            if S_ISREG(stat.st_mode):
                names[stat.st_ino] += 1
                about[stat.st_ino] = stat.st_nlink, stat.st_size
    return sum(size for inode, (links, size) in about.items() if names[inode] >= links)


@dataclass(frozen=True)
class Asked:
    """Sweeps that reports were made from, which stay for good: how many, and the room that they alone take. Of a review
    there is an empty folder."""

    sweeps: int
    bytes: int

    @classmethod
    def of(cls, root: Path) -> Asked:
        folders = [one for one in (root / ASKED).glob("[0-9a-f]*") if one.is_dir() and any(one.iterdir())]
        return cls(len(folders), own_bytes(folders))

    def note(self) -> str:
        """For people."""
        what = "the sweep that a report was" if self.sweeps == 1 else f"{self.sweeps} sweeps that reports were"
        room = f"{self.bytes / 2**20:.1f} MB"
        return f"{ASKED}/: {what} made from, {room}: never pruned, because the numbers of groups depend on them"


def _stages(history: History, keep: int) -> Iterator[Path]:
    for stage in {run.stage for run in history.runs if run.stage}:
        kept = [found for run in history.runs if run.stage == stage and (found := _kept(history, run))]
        for found in kept[: max(0, len(kept) - keep)]:
            yield from found


def _kept(history: History, run: Run) -> list[Path]:
    """The stages of a run that are there. The folder above the one it made stays: it shows that the run was undone."""
    return [path for path in (history.before(run).parent, history.after(run)) if path.exists()]


def _models(history: History, keep: int) -> list[Path]:
    """Earlier ones; that of model/ has a name here, too."""
    now = history.now("model")
    earlier = [path for path in (history.root / MODELS).glob("[0-9a-f]*") if manifest_hash(path) != now]
    earlier.sort(key=lambda path: path.stat().st_mtime_ns)
    return earlier[: max(0, len(earlier) - keep)]
