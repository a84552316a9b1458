"""[log] file: a line for each thing that a command did, and for what went wrong, after those that are there.

Opened for each line: whoever moves it away (logrotate) needs to tell nobody.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tsclust.clock import now
from tsclust.errors import TsclustError
from tsclust.passwords import redacted

_path: Path | None = None  # of this process, which runs one command
_command = ""


def choose(words: Sequence[str]) -> None:
    """The log file of the workspace that the command line names, if it has one. Raises OSError where it cannot be
    written."""
    global _path, _command
    _command = " ".join(words[: 2 if words[:1] == ["labels"] else 1])
    root = _workspace_in(words)
    _path = _of(root) if "--help" not in words and (root / "tsclust.toml").is_file() else None
    if _path:
        _path.parent.mkdir(parents=True, exist_ok=True)
        _path.open("a", encoding="utf-8").close()


def _workspace_in(words: Sequence[str]) -> Path:
    """The folder that -w names, the environment, or where one stands: what is wrong is logged too, before any option is
    read."""
    named = os.environ.get("TSCLUST_WORKSPACE") or ("demo" if "demo" in words[:1] else "")
    for word, after in itertools.pairwise([*words, ""]):
        if word in ("-w", "--workspace"):
            named = after
        elif word.startswith(("--workspace=", "-w")):
            named = word.partition("=")[2] if word.startswith("--") else word[2:]
    return Path(named)


def _of(root: Path) -> Path | None:
    from tsclust import config  # pydantic takes a while, and --help does without

    with contextlib.suppress(TsclustError, OSError):  # the command itself reports what is wrong with the settings
        named = config.load(root / "tsclust.toml").log.file
        return root / Path(named).expanduser() if named else None
    return None


def noting(results: Iterable[Any]) -> Iterator[Any]:
    """The same results, each in the log before it is shown."""
    for result in results:
        what = "up to date" if result.skipped else f"{result.seconds:.1f} s"
        note("INFO", f"{result.command}: {'; '.join((what, *result.notes))}")
        yield result


def trouble(code: int, text: str) -> None:
    """What ended the command, with this exit code."""
    note("ERROR", f"{code}: {_command}: {text}")


def note(level: str, text: str) -> None:
    """A line: time in UTC, process, level, text. A log that cannot be written on is no reason to stop."""
    if _path:
        line = f"{now()} tsclust[{os.getpid()}] {level} {' '.join(redacted(text).split())}\n"
        with contextlib.suppress(OSError), _path.open("a", encoding="utf-8") as log:
            log.write(line)
