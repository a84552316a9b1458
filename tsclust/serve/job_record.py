"""What is known of a job, on disk: .serve/jobs/ID/ with what was asked, how far it is, what came of it, and its log.

The queue says who is next. What came of a job is decided here: once result.json is there, it has ended, whatever the
queue believes, and it is written whole before the queue hears of it.
"""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tsclust.clock import now
from tsclust.serve.problems import Refusal
from tsclust.workspace.atomic import make_folder, write_file

ID = re.compile("[0-9a-f]{32}")
TRIES = 3
State = Literal["queued", "running", "done", "failed", "cancelled"]


class Asked(BaseModel):
    """kind: a command of child.COMMANDS; options: of it; file: of the upload, "" for none; source: a configured one."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    workspace: str
    options: dict[str, Any] = {}
    file: str = ""
    source: str = ""
    created_at: str


class Progress(BaseModel):
    """As the command line shows it. rate: of `unit`s a second; left: seconds, null where nobody can say."""

    model_config = ConfigDict(frozen=True)

    stage: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    rate: float = 0.0
    left: float | None = None


class Trouble(BaseModel):
    """An error as `--json` shows it."""

    model_config = ConfigDict(frozen=True)

    code: int
    error: str
    next: str


class Result(BaseModel):
    model_config = ConfigDict(frozen=True)

    state: State
    error: Trouble | None = None
    results: tuple[dict[str, Any], ...] = ()
    report: str = ""
    ended_at: str


_UNWRITTEN: dict[Path, Result] = {}  # folder -> what came of a job, where the disk would not take it


@lru_cache(maxsize=4_096)
def _asked(path: Path) -> Asked:
    """Read once: it never changes."""
    return Asked.model_validate_json(path.read_bytes())


@lru_cache(maxsize=4_096)
def _made(path: Path) -> int:
    """When: nanoseconds."""
    return path.stat().st_mtime_ns


@lru_cache(maxsize=4_096)
def _result(path: Path) -> Result:
    """As soon as it is there it never changes. Raises FileNotFoundError, which is not remembered."""
    return Result.model_validate_json(path.read_bytes())


@dataclass(frozen=True)
class Record:
    """A job's folder."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def log(self) -> Path:
        return self.folder / "job.log"

    def asked(self) -> Asked:
        return _asked(self.folder / "asked.json")

    def result(self) -> Result | None:
        """What came of it; None while it has not ended."""
        try:
            return _result(self.folder / "result.json")
        except FileNotFoundError:
            return _UNWRITTEN.get(self.folder)

    def end(self, state: State, **more: Any) -> None:
        """It has ended: the first word counts."""
        if self.result() is None:
            ended = Result(state=state, ended_at=now(), **more)
            write_file(self.folder / "result.json", ended.model_dump_json())

    def lose(self, why: str) -> None:
        """It has failed, and that cannot be written down: it is known until the service ends, and then begun again."""
        error = Trouble(code=1, error=why[:500], next="Mend that on the server, then start the job again")
        _UNWRITTEN[self.folder] = Result(state="failed", ended_at=now(), error=error)

    def tries(self) -> int:
        """How often it was begun, and not handed back."""
        try:
            return int(json.loads((self.folder / "tries.json").read_bytes()))
        except (FileNotFoundError, ValueError):
            return 0

    def count(self, by: int) -> int:
        """Count a try, or take one back."""
        found = max(self.tries() + by, 0)
        write_file(self.folder / "tries.json", json.dumps(found))
        return found


@dataclass(frozen=True)
class Records:
    """All jobs' folders."""

    folder: Path

    def make(self, kind: str, workspace: str, **more: Any) -> Record:
        """A new one, on the disk before the queue hears of it."""
        record = Record(self.folder / uuid.uuid4().hex)
        beside = self.folder / f".{record.id}"
        make_folder(beside)
        asked = Asked(id=record.id, kind=kind, workspace=workspace, created_at=now(), **more)
        write_file(beside / "asked.json", asked.model_dump_json())
        beside.rename(record.folder)
        return record

    def find(self, job: str) -> Record:
        """Raises Refusal where there is none."""
        if not ID.fullmatch(job) or not (self.folder / job / "asked.json").exists():
            raise Refusal(404, f"there is no job {job[:100]!r}", "See GET /jobs")
        return Record(self.folder / job)

    def all(self) -> Iterator[Record]:
        """The newest first."""
        found = list[tuple[int, Record]]()
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):  # removed meanwhile
                found += [(_made(path / "asked.json"), Record(path))] if ID.fullmatch(path.name) else []
        return (record for _, record in sorted(found, key=lambda one: (one[0], one[1].id), reverse=True))

    def remove(self, record: Record) -> None:
        _UNWRITTEN.pop(record.folder, None)
        aside = self.folder / f".{record.id}"
        record.folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def sweep_up(self) -> None:
        """What a kill has left half."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for leftover in self.folder.glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)
