"""tsclust as people and scripts run it: in a process of its own, in a pipe, on a terminal."""

from __future__ import annotations

import functools
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer import testing
from typer.testing import CliRunner, Result

import tsclust
from tests.support import schemas
from tsclust.cli import log_file, problem
from tsclust.cli.commands import app

# Typer makes all commands anew for each call of its runner: a tenth of a second.
testing._get_command = functools.cache(testing._get_command)  # type: ignore[attr-defined]
PLAIN = {k: v for k, v in os.environ.items() if not k.startswith(("TSCLUST_", "PG"))} | {"COLUMNS": "120"}


def run_tsclust(*words: object, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run tsclust in a process of its own, its output in pipes."""
    command = [sys.executable, "-m", "tsclust", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=PLAIN | (environment or {}), timeout=300)


def invoked(*words: object, **more: Any) -> Result:
    """What `tsclust WORDS` does in this process, its output kept."""
    given = list(map(str, words))
    done = CliRunner().invoke(app, given, prog_name="tsclust", **more)
    problem.choose_form([])  # another process would begin like this
    log_file.choose(["--help"])
    if "--json" in given and not done.exit_code:
        schemas.hold(given, done.stdout)
    return done


def call_tsclust(*words: object, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The same in this process, where none of the process itself is asserted: a second faster."""
    clean = dict.fromkeys(os.environ.keys() - PLAIN.keys()) | {"COLUMNS": PLAIN["COLUMNS"]} | (environment or {})
    done = invoked(*words, env=clean)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(list(map(str, words)), done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def initialised(workspace_dir: Path) -> Path:
    tsclust.init(workspace_dir)
    return workspace_dir


def on_a_terminal(*words: object) -> Iterator[str]:
    """What `tsclust WORDS` writes to a terminal of its own."""
    control, terminal = pty.openpty()
    command = [sys.executable, "-m", "tsclust", *map(str, words)]
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, env=PLAIN | {"TERM": "xterm"})
    os.close(terminal)
    while True:
        try:
            read = os.read(control, 4096)
        except OSError:  # the terminal is closed: the process has ended
            break
        yield read.decode(errors="replace")
    os.close(control)
    assert process.wait() == 0
