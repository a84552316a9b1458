"""What goes wrong outside of tsclust is one line, too."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import typer

from tests.support.commands import PLAIN, call_tsclust, run_tsclust
from tsclust.cli import interruption, problem
from tsclust.cli.runtime import error_boundary
from tsclust.errors import TsclustError


@pytest.fixture(autouse=True)
def for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that this process ran before may have been asked for JSON."""
    monkeypatch.setattr(problem, "_as_json", False)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    done = run_tsclust("init", "-w", tmp_path / "file" / "ws")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "file" in done.stderr


# A reader that is gone before the first word, and one that takes the first line.
READERS = ("exec 0<&-", "head -1")


def piped(words: str, reader: str, *, both: bool = False) -> subprocess.CompletedProcess[str]:
    """tsclust into a reader that leaves; its own exit code, and what is on stderr."""
    tsclust = f"{sys.executable} -m tsclust {words} {'2>&1' if both else ''}"
    command = f"{tsclust} | ({reader}) >/dev/null; exit ${{PIPESTATUS[0]}}"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=PLAIN)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("words", ["status -w {}", "status -w {} --json", "--help", "extract --help", "labels --help"])
def test_a_reader_that_leaves_early_is_no_error(initialised: Path, words: str, reader: str) -> None:
    done = piped(words.format(initialised), reader)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("both", [False, True])
def test_what_is_done_without_a_reader_is_done_and_keeps_its_exit_code(tmp_path: Path, both: bool) -> None:
    done = piped(f"init -w {tmp_path / 'ws'}", READERS[0], both=both)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "ws" / "tsclust.toml").exists()
    again = piped(f"init -w {tmp_path / 'ws'}", READERS[0], both=both)
    assert again.returncode == 3
    assert ("exists already" in again.stderr) != both


@pytest.mark.slow
def test_no_stage_is_left_out_because_nobody_reads(screened_copy: Path) -> None:
    root = screened_copy
    shutil.rmtree(root / "features")
    assert piped(f"features -w {root}", READERS[0]).returncode == 0
    assert (root / "features" / "manifest.json").exists()
    assert piped(f"filter --show stuck --limit 0 -w {root}", "head -3").returncode == 0


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "2>&-"])
def test_closed_streams_are_no_error(initialised: Path, closed: str) -> None:
    command = f"{sys.executable} -m tsclust status -w {initialised} {closed}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=PLAIN)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", ["status -w {}", "--help"])
def test_a_full_disk_below_stdout_is_one_line(initialised: Path, words: str) -> None:
    command = f"{sys.executable} -m tsclust {words.format(initialised)} >/dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=PLAIN)
    assert (done.returncode, done.stderr) == (1, "tsclust: the system: No space left on device.\n")


@pytest.mark.parametrize(("name", "code"), [("ws/reports", 11), (None, 1)])
def test_a_full_disk_is_one_wherever_a_file_is(name: str | None, code: int) -> None:
    with pytest.raises(typer.Exit) as left, error_boundary():
        raise OSError(errno.ENOSPC, "No space left on device", name)
    assert left.value.exit_code == code


def test_a_broken_connection_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, error_boundary():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
    assert left.value.exit_code == 1
    assert "Broken pipe" in capsys.readouterr().err


@pytest.mark.parametrize(("step", "end"), [("Is its end cut off?", ""), ("Write it again", ".")])
def test_an_error_ends_in_one_mark(step: str, end: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), error_boundary():
        raise TsclustError("it is short", step)
    assert capsys.readouterr().err == f"tsclust: it is short. {step}{end}\n"


def test_no_memory_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, error_boundary():
        np.empty((1 << 40, 1 << 10))  # more than any machine has
    assert left.value.exit_code == 1
    assert capsys.readouterr().err.splitlines() == [
        "tsclust: out of memory; existing files are unchanged. Free some, or reduce what is held "
        "at a time: part_rows and workers in [source], coreset in [cluster]."
    ]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            "status -w nowhere --json",
            {"code": 4, "error": "nowhere is not a tsclust workspace: expected a tsclust.toml in it",
             "next": "Run: tsclust init -w nowhere (or name another folder with -w)"},
        ),
        ("statu --json", {"code": 2, "error": "statu: no such command of tsclust (did you mean status?)",
                         "next": "See the commands: tsclust --help"}),
        ("labels import --jso --json",
         {"code": 2, "error": "--jso: no such option of tsclust labels import (did you mean --json?)",
          "next": "See the options: tsclust labels import --help"}),
        ("labels --json x", {"code": 2, "error": "x: no such command of tsclust labels",
                             "next": "See the commands: tsclust labels --help"}),
        ("init -w /dev/null/x --json", {"code": 1, "error": "/dev/null is not a folder: expected one",
                                        "next": "Name another folder with -w"}),
        ("init --table postgresql://a:secret@h/d --json",
         {"code": 3, "error": "there is a password on the command line (--table): expected none",
          "next": "Set TSCLUST_DSN, or dsn in tsclust.toml"}),
    ],
)  # fmt: skip
def test_a_script_gets_errors_as_json(words: str, problem: dict[str, object]) -> None:
    done = call_tsclust(*words.split())
    assert (done.returncode, done.stdout) == (problem["code"], "")
    assert json.loads(done.stderr) == problem
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("init ws", "unexpected argument ws: expected only options. Name the workspace with -w: tsclust init -w ws."),
        ("extract pyproject.toml", "unexpected argument pyproject.toml: expected only options."
         " Name files with --from: tsclust extract --from pyproject.toml."),
        ("status b -w a", "unexpected argument b: expected only options. See the options: tsclust status --help."),
        ("status a b", "unexpected arguments a b: expected only options. See the options: tsclust status --help."),
        ("diff 1 2 3", "unexpected argument 3: expected at most 2. See the options: tsclust diff --help."),
        ("diff", "A is missing: expected a value. See the options: tsclust diff --help."),
        ("init --tabel x", "--tabel: no such option of tsclust init (did you mean --table?)."
         " See the options: tsclust init --help."),
        ("nonsense", "nonsense: no such command of tsclust. See the commands: tsclust --help."),
        ("cluster --k", "--k: expected a value. See the options: tsclust cluster --help."),
        ("status --json=3", "--json: expected no value. See the options: tsclust status --help."),
        ("report --kind bad", "--kind bad: expected groups or features. See the options: tsclust report --help."),
        ("serve --port abc", "--port abc: expected a whole number. See the options: tsclust serve --help."),
        ("status a\x1b[31m", "unexpected argument a\\x1b[31m: expected only options."
         " Name the workspace with -w: tsclust status -w a\\x1b[31m."),
    ],
)  # fmt: skip
def test_a_command_line_that_cannot_be_read_is_one_line(words: str, line: str) -> None:
    done = call_tsclust(*words.split(" "))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"tsclust: {line}\n")


def test_the_next_command_has_its_errors_in_lines_again() -> None:
    assert call_tsclust("status", "-w", "nowhere", "--json").stderr.startswith("{")
    assert call_tsclust("status", "-w", "nowhere").stderr.startswith("tsclust: nowhere is not")


def test_ctrl_c_is_json_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(interruption, "_told", threading.Event())
    problem.choose_form(["run", "--json"])
    with pytest.raises(typer.Exit) as left, error_boundary():
        raise KeyboardInterrupt
    problem.choose_form([])
    assert left.value.exit_code == 130
    assert json.loads(capsys.readouterr().err)["error"] == "interrupted; completed parts were kept"
