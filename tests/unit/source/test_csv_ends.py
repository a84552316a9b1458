"""A command that reads a CSV ends with its code, however early it stops: no thread of Arrow's is left in Python."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.endurance import times
from tests.support.file_rows import write
from tests.support.workspaces import new_workspace
from tsclust.source.files.csv_file import BLOCK

HEAD = "series_id,idx,value\n"


def short(folder: Path) -> tuple[Path, int]:
    return write(folder, f"{HEAD}1|1|2.5\n1|2|3.5\n(2 rows)\n".replace(",", "|"), "a.txt"), 10


def unclear(folder: Path) -> tuple[Path, int]:
    return write(folder, "a,b,value\nx,y,2\nz,y,3\n", "b.csv"), 8


def bad_value(folder: Path) -> tuple[Path, int]:
    """An error in the first of several blocks: Arrow has read ahead."""
    rows = "".join(f"{i},{j},0.5\n" for i in range(1, 2_000) for j in range(30))
    return _gzip(folder / "c.csv.gz", f"{HEAD}{rows}9999,0,x\n{rows * (2 * BLOCK // len(rows))}"), 10


def long_line(folder: Path) -> tuple[Path, int]:
    """Some 0.9 MB that are a line longer than any that can be read, between rows that can."""
    of = random.Random(1)
    rows = "".join(f"{i},{j},{of.random()}\n" for i in range(1, 2_000) for j in range(20))
    return _gzip(folder / "d.csv.gz", f"{HEAD}{rows}9999,0,{'1' * 2 * BLOCK}\n{rows}"), 10


def _gzip(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode(), 1))
    return path


@pytest.mark.slow
@pytest.mark.endurance
@pytest.mark.parametrize("make", [short, unclear, bad_value, long_line], ids=lambda make: make.__name__)
def test_an_error_in_a_csv_ends_with_its_code(tmp_path: Path, make: object) -> None:
    assert callable(make)
    path, code = make(tmp_path)
    root = new_workspace(tmp_path / "ws", "")
    command = [sys.executable, "-m", "tsclust", "extract", "-w", root, "--from", path]
    for _ in range(times(1, 200)):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, "terminate" in done.stderr) == (code, False), done.stderr
