"""The process that does one job: `python -m tsclust.serve.child`, with what to do on stdin, as JSON on one line.

A line of JSON on stdout for each step: progress, a result of a command, at the end `ended`, or the error. It ends with
the service, as soon as stdin closes, and at once when it is told to, whatever it is at: a killed command leaves the
last good stage, and goes on from there when it is run again.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import tsclust
from tsclust.engine.base import Listener, Progress
from tsclust.errors import TsclustError
from tsclust.pipeline.labels_import import import_waiting
from tsclust.pipeline.run import Troubles
from tsclust.workspace.folder import Workspace
from tsclust.workspace.result import Result

EVERY = 0.2  # seconds between two lines of progress
Command = Callable[[Path, Mapping[str, Any], Mapping[str, Any], Listener], Iterator[Result]]


def run(root: Path, flags: Mapping[str, Any], more: Mapping[str, Any], listen: Listener) -> Iterator[Result]:
    yield from tsclust.run(root, flags, listen, **more)


def drilldown(root: Path, flags: Mapping[str, Any], more: Mapping[str, Any], listen: Listener) -> Iterator[Result]:
    yield tsclust.cluster(root, flags, listen, within=more["within"])
    yield tsclust.report(root, flags, listen)


def report(root: Path, flags: Mapping[str, Any], more: Mapping[str, Any], listen: Listener) -> Iterator[Result]:
    yield tsclust.report(root, flags, listen, **more)


def train(root: Path, flags: Mapping[str, Any], more: Mapping[str, Any], listen: Listener) -> Iterator[Result]:
    """By what experts have answered until now."""
    yield from import_waiting(Workspace.open(root), listen, partial(Troubles().note, "labels import"))
    yield tsclust.train(root, flags, listen, **more)


def score(root: Path, flags: Mapping[str, Any], more: Mapping[str, Any], listen: Listener) -> Iterator[Result]:
    yield tsclust.score(root, flags, listen, **more)


def labels_import(root: Path, flags: Mapping[str, Any], more: Mapping[str, Any], listen: Listener) -> Iterator[Result]:
    troubles = Troubles()
    yield from import_waiting(Workspace.open(root), listen, partial(troubles.note, "labels import"))
    troubles.raise_worst()


COMMANDS: Mapping[str, Command] = {
    "run": run, "drilldown": drilldown, "report": report, "train": train, "score": score, "import": labels_import,
}  # fmt: skip


def main() -> None:
    """Do what stdin says."""
    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    try:
        for result in COMMANDS[asked["kind"]](Path(asked["root"]), asked["flags"], asked["more"], _Teller()):
            _say(result=result.as_json() | {"notes": result.notes})
        _say(ended=True)
    except TsclustError as error:
        _say(error={"code": error.exit_code, "error": error.problem, "next": error.next_step})
    except MemoryError:
        _say(error={"code": 1, "error": "out of memory", "next": "Free some, or read fewer series"})
    except OSError as error:
        what = f"{error.filename or 'the system'}: {error.strerror or error}"
        _say(error={"code": 1, "error": what, "next": "Mend that, then start the job again"})
    except Exception as error:  # noqa: BLE001  whoever asked must hear of it, and once more would not help
        traceback.print_exc()
        _say(error=of_ours(f"tsclust met an error of its own: {type(error).__name__}", asked["job"]))


def of_ours(what: str, job: str) -> dict[str, Any]:
    """The error of a job whose cause is in its log."""
    return {"code": 1, "error": what, "next": f"See its log: GET /jobs/{job}/log"}


class _Teller:
    """Progress as lines: of a stage the first at once, then not too many; the last one of it always."""

    def __init__(self) -> None:
        self._stage, self._next = "", 0.0

    def __call__(self, progress: Progress) -> None:
        at = time.monotonic()
        if progress.stage != self._stage or at >= self._next or 0 < progress.total <= progress.done:
            self._stage, self._next = progress.stage, at + EVERY
            _say(progress=[progress.stage, progress.done, progress.total, progress.unit])


def _end_with_the_service() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)


_lock = threading.Lock()


def _say(**line: Any) -> None:
    with _lock:
        print(json.dumps(line, default=str), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
