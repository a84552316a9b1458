"""The child process of a job, and what it says of itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tsclust.errors import TsclustError
from tsclust.json_log import note
from tsclust.serve.child import of_ours
from tsclust.serve.job_record import Progress, Record, State
from tsclust.serve.metrics import Metrics
from tsclust.serve.problems import Refusal, is_full, of_error
from tsclust.serve.settings import ServeSettings

PATIENCE = 8.0  # seconds that a process has to end in, when it is asked to
CHILD = ("-m", "tsclust.serve.child")
SPACE = 5.0  # seconds between two tries to write
LONGEST = 10_000_000  # bytes of a line

Publish = Callable[[str], object]  # the model of a workspace becomes one of the service


class StoppedError(Exception):
    """It was asked to end."""


class Process:
    """One try of a job."""

    def __init__(self, root: Path, record: Record, settings: ServeSettings, metrics: Metrics, publish: Publish) -> None:
        self.progress, self._publish = Progress(), publish
        self._root, self._record, self._settings, self._metrics = root, record, settings, metrics
        self._child: asyncio.subprocess.Process | None = None
        self._results: list[dict[str, Any]] = []
        self._outcome: tuple[State, dict[str, Any]] | None = None
        self._stopped, self._since, self._at = False, time.monotonic(), 0

    async def run(self) -> None:
        """Until it ends, by itself or not: its result is on the disk, unless it was killed. Raises StoppedError."""
        if self._stopped:
            raise StoppedError
        with self._record.log.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, *CHILD, stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=log, limit=LONGEST, env=self._environment(),
                start_new_session=True,
            )  # fmt: skip
        try:
            await asyncio.wait_for(self._talk(self._child), self._settings.job_hours * 3_600)
        except TimeoutError:
            self._fail({
                "code": 1, "error": f"it took longer than {self._settings.job_hours:g} hours",
                "next": "Read fewer series, or raise [serve] job_hours; what is complete is kept",
            })  # fmt: skip
        finally:
            await self._end(self._child)
        if self._outcome is None and not self._stopped and (code := self._child.returncode or 0) >= 0:
            self._fail(of_ours(f"its process ended with code {code} before the job did", self._record.id))
        await self._write()
        if self._stopped:
            raise StoppedError

    async def stop(self) -> None:
        """Have it end: what is complete is kept."""
        self._stopped = True
        if self._child is not None and self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._child.wait(), PATIENCE)

    async def _talk(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdin
        assert child.stdout
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            child.stdin.write(json.dumps(self._asked()).encode() + b"\n")
            await child.stdin.drain()
        async for line in child.stdout:
            with contextlib.suppress(ValueError):  # what a library printed
                said = json.loads(line)
                self._hear(said if isinstance(said, dict) else {})
        await child.wait()

    def _hear(self, said: Mapping[str, Any]) -> None:
        if "progress" in said:
            self._see(*said["progress"])
        elif "result" in said:
            one = said["result"]
            self._results.append(one)
            self._metrics.stages.labels(one["command"]).observe(one["seconds"])
        elif "error" in said:
            self._fail(said["error"])
        elif "ended" in said:
            self._done()

    def _see(self, stage: str, done: int, total: int, unit: str) -> None:
        if stage != self.progress.stage:
            self._since, self._at = time.monotonic(), done
        seconds = time.monotonic() - self._since
        rate = (done - self._at) / seconds if seconds > 0.5 else 0.0
        left = (total - done) / rate if rate > 0 and total > done else None
        self.progress = Progress(stage=stage, done=done, total=total, unit=unit, rate=round(rate, 1), left=left)

    def _done(self) -> None:
        asked = self._record.asked()
        if asked.kind == "train":
            self._results.append({"command": "publish", "notes": [self._published(asked.workspace)]})
        self._outcome = ("done", {"results": tuple(self._results), "report": self._report()})

    def _published(self, workspace: str) -> str:
        """The model scores from now on; where it may not, the training is none the worse."""
        try:
            self._publish(workspace)
        except (TsclustError, Refusal, OSError) as error:
            found = of_error(error)
            return f"the model does not score here: {found.detail}. {found.next_step}"
        return f"the model scores from now on: POST /models/{workspace}/score"

    def _fail(self, error: Mapping[str, Any]) -> None:
        self._outcome = ("failed", {"error": error, "results": tuple(self._results)})

    async def _write(self) -> None:
        """What came of it, on the disk: where that is full, as soon as there is space; where it cannot be written for
        another reason, that is what came of it."""
        while self._outcome is not None and not self._stopped:
            try:
                self._record.end(self._outcome[0], **self._outcome[1])
                return
            except (OSError, TsclustError) as error:
                if not is_full(error):
                    self._record.lose(f"what came of it cannot be written down: {error}")
                    note("job lost", logging.ERROR, job=self._record.id, why=str(error))
                    return
                note("job waits for space", logging.ERROR, job=self._record.id, why=str(error))
                self.progress = Progress(stage="waiting for space on the disk of the service")
                await asyncio.sleep(SPACE)

    def _report(self) -> str:
        """The file in reports/ that it wrote to be opened, "" for none."""
        reports = (self._root / self._record.asked().workspace / "reports").absolute()
        files = [Path(one["wrote"]).absolute() for one in self._results if one["command"] == "report" and one["wrote"]]
        named = [str(file.relative_to(reports)) for file in files if file.is_relative_to(reports)]
        return named[-1] if named else ""

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
        await child.wait()

    def _asked(self) -> dict[str, Any]:
        asked = self._record.asked()
        flags = {name: dict(keys) for name, keys in asked.options.get("flags", {}).items()}
        if asked.file:
            flags["source"] = {
                **flags.get("source", {}),
                "files": str((self._root / asked.workspace / asked.file).absolute()),
            }
        elif asked.source:
            source = self._settings.sources[asked.source].model_dump(
                mode="json", exclude_defaults=True, exclude={"dsn"}
            )
            flags["source"] = source | flags.get("source", {})
        root = str((self._root / asked.workspace).absolute())
        return {
            "kind": asked.kind,
            "root": root,
            "flags": flags,
            "job": asked.id,
            "more": asked.options.get("more", {}),
        }

    def _environment(self) -> dict[str, str]:
        """As ours, with the DSN of the source, and as many threads as there are processors."""
        kept = {
            name: value for name, value in os.environ.items() if name not in ("POLARS_MAX_THREADS", "TSCLUST_WORKSPACE")
        }
        source = self._settings.sources.get(self._record.asked().source)
        dsn = source.dsn.get_secret_value() if source else ""
        return kept | ({"TSCLUST_DSN": dsn} if dsn else {})
