"""What a reading planned and what of it is done, on disk: after a kill it goes on with what is missing.

Each line begins with its own hash: one that has changed is no line, and what it said is planned, or read, again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tsclust.file_hash import file_hash
from tsclust.source.protocols import Range


class Plan(BaseModel):
    """What is to be read: ranges of ids, one part each, frozen when they were first planned."""

    model_config = ConfigDict(frozen=True)

    identity: str  # of what is selected, and where
    first: int  # the number of the first part
    mark: str | None  # how far the first snapshot went: what came later, no later snapshot may count as read
    ranges: tuple[tuple[str | None, str | None, int], ...]  # low, high, about how many series

    @property
    def as_ranges(self) -> tuple[Range, ...]:
        """The same for the source."""
        return tuple(Range(*r) for r in self.ranges)


class Done(BaseModel):
    """A part that is on disk."""

    model_config = ConfigDict(frozen=True)

    part: int  # its place in the plan
    file: str
    rows: int
    size: int
    sha256: str
    snapshot: str
    odd: dict[str, int]


class Journal:
    """plan.json and done.jsonl in the folder of a stage in the making."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan = _plan(folder / "plan.json")
        lines = _lines(folder / "done.jsonl") if self.plan else []
        self.done = {d.part: d for d in lines if _intact(folder / d.file, d)}

    def freeze(self, plan: Plan) -> None:
        """Write the plan down. Where another one was begun, that one's parts go."""
        if self.plan == plan:
            return
        self.clear()
        self.folder.mkdir(parents=True, exist_ok=True)
        _synced(self.folder / "plan.json", "w", _sealed(plan))
        self.plan = plan

    def record(self, done: Done) -> None:
        """Note that a part is on disk."""
        _synced(self.folder / "done.jsonl", "a", _sealed(done))
        self.done[done.part] = done

    def clear(self) -> None:
        """Forget everything: the next reading starts over."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.plan, self.done = None, {}

    def close(self) -> None:
        """Remove what is of no use to a stage that is whole."""
        kept = {d.file for d in self.done.values() if d.rows}
        for path in self.folder.iterdir():
            if path.name not in kept:
                path.unlink()


def _lines(path: Path) -> list[Done]:
    """What is noted. A line that a kill or a full disk broke off is taken away: its part is read again."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    done = [d for d in map(_done, lines) if d]
    if len(done) < len(lines):
        _synced(path, "w", "".join(map(_sealed, done)))
    return done


def _done(line: bytes) -> Done | None:
    try:
        return Done.model_validate_json(_opened(line))
    except ValidationError:
        return None


def _plan(path: Path) -> Plan | None:
    try:
        return Plan.model_validate_json(_opened(path.read_bytes()))
    except (FileNotFoundError, ValidationError):
        return None


def _sealed(entry: BaseModel) -> str:
    text = entry.model_dump_json()
    return f"{_hash(text.encode())} {text}\n"


def _opened(line: bytes) -> bytes:
    """What was sealed, b"" for a line that has changed. Lines of earlier versions have no hash."""
    digest, _, text = line.strip().partition(b" ")
    return line if line.startswith(b"{") else text if _hash(text).encode() == digest else b""


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]


def _intact(path: Path, done: Done) -> bool:
    if not done.rows:  # a range in which nothing lies makes no file
        return True
    try:
        return file_hash(path) == done.sha256
    except FileNotFoundError:
        return False


def _synced(path: Path, mode: str, text: str) -> None:
    with path.open(mode, encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
