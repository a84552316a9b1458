"""Files that strangers write, of every format, mutated: each is read, or refused in one line, fast and in bounds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.endurance import LONG, times


@pytest.mark.endurance
@pytest.mark.parametrize(
    ("format_", "mutations"),
    [("archive", 300), ("copy text", 300), ("csv", 100), ("csv gzip", 60), ("answers", 1_000), ("skops", 60)],
)
def test_a_mutated_file_is_read_or_refused(format_: str, mutations: int) -> None:
    command = [sys.executable, "-m", "tests.support.fuzz", format_, "1", str(mutations), str(times(0, 30))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    assert sum(ends.values()) >= mutations
    assert len(ends) > 1 or LONG, ends  # some are refused, some read
