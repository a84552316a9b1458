"""What goes wrong outside of tsclust is one line, too."""

from __future__ import annotations

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


def test_a_reader_that_leaves_early_is_no_error(initialised: Path) -> None:
    command = f"{sys.executable} -m tsclust status -w {initialised} | head -0; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=PLAIN)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


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
