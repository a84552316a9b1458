"""history/: what each command changed, and what was there before, so that nothing is lost and a step can be undone.

history/00012/run.json       the Run
history/00012/before/STAGE/  the stage that it replaced
history/00012/after/STAGE/   the one that it made, kept once it was undone

A copy is a folder of links. Nothing says which steps are undone but the stages themselves: a step is in force where
its stage, or the one that a later step in force replaced, is the one that it made. So the exchange of two folders is
all there is to an undo, and a power cut leaves either state.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tsclust.clock import now
from tsclust.workspace.atomic import link_or_copy, link_tree, make_folder, remove, replace_folder, sync, write_file
from tsclust.workspace.integrity import MANIFEST, is_intact, outputs_of, sealed
from tsclust.workspace.user_files import take_along

RUN, BEFORE, AFTER = "run.json", "before", "after"
RECORDS = 1_000  # runs that are listed: what they replaced is kept for far fewer
Summary = dict[str, Any]


class Run(BaseModel):
    """What one command did.

    stage   that it replaced, "" for none; before, after: the hash of its manifest, None where it was not there
    was, now  its manifest in short, where it can be read
    stages  the hash of the manifest of each stage afterwards
    pages   file or folder in reports/ that it wrote -> hash
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    number: int
    command: str
    at: str
    stage: str = ""
    before: str | None = None
    after: str | None = None
    was: Summary | None = None
    now: Summary | None = None
    stages: dict[str, str] = {}
    pages: dict[str, str] = {}

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.number:05d}"


@dataclass(frozen=True)
class Step:
    """A stage that is about to be replaced: by which command, the one in the making, both manifests in short."""

    command: str
    stage: str
    new: Path
    was: Summary | None
    now: Summary | None


@dataclass(frozen=True)
class History:
    """The runs of the workspace at `root`, as they were when first asked for."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "history"

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """In their order; without those whose record cannot be read."""
        return tuple(sorted(self._read(), key=lambda run: run.number))

    def _read(self) -> Iterator[Run]:
        for path in self.folder.glob(f"[0-9]*/{RUN}"):
            with contextlib.suppress(OSError, ValidationError):
                content = path.read_bytes()
                if is_intact(content):
                    yield Run.model_validate_json(content)

    @cached_property
    def in_force(self) -> tuple[Run, ...]:
        """The steps that led to the stages as they are."""
        stages = {run.stage for run in self.runs if run.stage}
        found = [run for stage in stages for run in self._led_to(stage, self.now(stage), self.runs)]
        return tuple(sorted(found, key=lambda run: run.number))

    def _led_to(self, stage: str, manifest: str | None, runs: Sequence[Run]) -> Iterator[Run]:
        """Of these runs those that led to a stage with a manifest of this hash, the last one first."""
        for run in reversed([run for run in runs if run.stage == stage]):
            if run.after == manifest:
                yield run
                manifest = run.before

    def now(self, stage: str) -> str | None:
        """The hash of the manifest of a stage as it is, None where it is not there."""
        return manifest_hash(self.root / stage)

    @property
    def last(self) -> Run | None:
        """The step to undo."""
        return self.in_force[-1] if self.in_force else None

    @property
    def undone(self) -> tuple[Run, ...]:
        """Steps that were undone, and after which no other was made: the one that was undone last is the first."""
        least = self.last.number if self.last else 0
        return tuple(run for run in self.runs if run.stage and run.number > least and not self._was_left(run))

    def _was_left(self, run: Run) -> bool:
        """Whether it was undone when a later step was made."""
        for later in (one for one in self.runs if one.stage and one.number > run.number):
            there = later.before if later.stage == run.stage else later.stages.get(run.stage)
            if run not in self._led_to(run.stage, there, [one for one in self.runs if one.number < later.number]):
                return True
        return False

    def before(self, run: Run) -> Path:
        """Where the stage that a run replaced is kept."""
        return self.folder / run.name / BEFORE / run.stage

    def after(self, run: Run) -> Path:
        """Where the stage that an undone run made is kept."""
        return self.folder / run.name / AFTER / run.stage

    def find(self, stage: str, manifest: str) -> Path | None:
        """The folder of a stage as it was with a manifest of this hash, where it is still there."""
        kept = (path for run in self.runs if run.stage == stage for path in (self.before(run), self.after(run)))
        return next((path for path in (self.root / stage, *kept) if manifest_hash(path) == manifest), None)

    def record(self, step: Step) -> None:
        """Write down what is about to happen to a stage, and keep the one that is there. Called before the exchange:
        a record of what did not come to be is removed by `sweep_up`."""
        with self._new(step.command) as (beside, about):
            before, after = self.now(step.stage), manifest_hash(step.new)
            old = self.root / step.stage
            if before and not _link_stage(old, beside / BEFORE / step.stage, step.new):
                remove(beside / BEFORE)
            stages = self._stages() | {step.stage: after}
            about |= {"stage": step.stage, "before": before, "after": after, "was": step.was, "now": step.now}
            about["stages"] = {name: manifest for name, manifest in stages.items() if manifest}

    def record_pages(self, command: str, pages: Mapping[str, str]) -> None:
        """Write down that a command has written these pages (name -> hash): a run of its own, or, of a command that has
        just made a stage, the same."""
        last = self.runs[-1] if self.runs else None
        if last and last.stage and last.command == command and not last.pages:
            run = last.model_copy(update={"pages": dict(pages)})
            write_file(self.folder / run.name / RUN, _text(run))
        else:
            with self._new(command) as (_, about):
                about |= {"pages": dict(pages), "stages": self._stages()}

    @contextlib.contextmanager
    def _new(self, command: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """A folder in the making for one more run, and what is to be written down of it."""
        # By the folders, not the records: the number of one whose record is damaged is not given again.
        number = 1 + max((int(p.name) for p in self.folder.glob("[0-9]*") if p.name.isdigit()), default=0)
        folder = self.folder / f"{number:05d}"
        beside = folder.with_name(f".{folder.name}.new")
        remove(beside)
        make_folder(beside)
        about: dict[str, Any] = {"number": number, "command": command, "at": now()}
        yield beside, about
        (beside / RUN).write_text(_text(Run.model_validate(about)), encoding="utf-8")
        replace_folder(beside, folder)

    def _stages(self) -> dict[str, Any]:
        return {path.parent.name: manifest_hash(path.parent) for path in self.root.glob(f"[a-z]*/{MANIFEST}")}

    def undo(self, run: Run) -> None:
        """Put the stage back that a run replaced; what it made is kept, so that this can be undone."""
        stage, kept = self.root / run.stage, self.after(run)
        if manifest_hash(kept) != run.after:
            link_tree(stage, kept)
        _put(self.before(run) if run.before else None, stage)

    def redo(self, run: Run) -> None:
        """Put the stage back that a run made."""
        _put(self.after(run), self.root / run.stage)

    def sweep_up(self) -> None:
        """Remove what a killed command left: a run in the making, and the record of one that did not come to be."""
        for leftover in (*self.folder.glob(".*.new"), *self.folder.glob(f"*/{AFTER}/.*.new")):
            remove(leftover)
        last = self.runs[-1] if self.runs else None
        if last and last.stage and self.now(last.stage) == last.before and not self.after(last).parent.exists():
            remove(self.folder / last.name)


def _text(run: Run) -> str:
    return sealed(run.model_dump_json(indent=2))


def manifest_hash(folder: Path) -> str | None:
    """A hash that says which making of a stage this is, None where there is none: of its files, and of when and how
    long it was made. A manifest that was sealed anew about the same files has the same one."""
    try:
        content = (folder / MANIFEST).read_bytes()
    except OSError:
        return None
    about = json.loads(content) if is_intact(content) else {}
    made = [about.get(key) for key in ("outputs", "made_at", "seconds", "peak_mb")]
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode() if about else content).hexdigest()


def _link_stage(old: Path, kept: Path, new: Path) -> bool:
    """Links to the files of a stage, in `kept`; False where they are not all there. A file whose like is in the stage
    that replaces it is a link to that one: what both have takes room once."""
    outputs = outputs_of(old)
    if outputs is None:
        return False
    same = {sha256: new / name for name, sha256 in (outputs_of(new) or {}).items()}
    try:
        for name in (*outputs, MANIFEST):
            (kept / name).parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(same.get(outputs.get(name, ""), old / name), kept / name)
    except FileNotFoundError:
        return False
    return True


def _put(source: Path | None, stage: Path) -> None:
    """Let a stage be what is kept in `source`, or be away: in one exchange, or one renaming."""
    beside = stage.with_name(f".{stage.name}.new")
    remove(beside)
    if source is None:
        stage.rename(beside)
        sync(stage.parent)
        remove(beside)
    else:
        link_tree(source, stage, take_along)
