"""A command that reads a CSV ends with its code, however early it stops: no thread of Arrow's is left in Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.endurance import times
from tests.support.file_rows import write
from tests.support.workspaces import new_workspace


@pytest.mark.endurance
def test_an_error_in_a_small_csv_ends_with_its_code(tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", "")
    short = write(tmp_path, "series_id|idx|value\n1|1|2.5\n1|2|3.5\n(2 rows)\n", "a.txt")
    unclear = write(tmp_path, "a,b,value\nx,y,2\nz,y,3\n", "b.csv")
    for path, code in ((short, 10), (unclear, 8)):
        command = [sys.executable, "-m", "tsclust", "extract", "-w", root, "--from", path]
        for _ in range(times(2, 100)):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (done.returncode, "terminate" in done.stderr) == (code, False), done.stderr
