"""What goes wrong outside of tsclust is one line, too."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from tests.support.commands import PLAIN, run_tsclust
from tsclust.cli.runtime import error_boundary
from tsclust.errors import TsclustError


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    done = run_tsclust("init", "-w", tmp_path / "file" / "ws")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "file" in done.stderr


# A reader that is gone before the first word, and one that takes the first line.
READERS = ("exec 0<&-; sleep 2", "head -1")


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
def test_no_stage_is_left_out_because_nobody_reads(screened: Path, tmp_path: Path) -> None:
    root = shutil.copytree(screened, tmp_path / "ws")
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
