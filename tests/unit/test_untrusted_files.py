"""Files that strangers write, of every format, mutated: each is read, or refused in one line, fast and in bounds."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import pytest

from tests.support import fuzz
from tests.support.endurance import LONG, times
from tsclust.errors import DamagedError
from tsclust.source.pgdump import copy_text


@pytest.mark.slow
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


def test_an_array_of_a_model_whose_head_is_no_python() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(fuzz.models()[0])) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b"{'descr'", b"(('descr'") if name.endswith(".npy") else content)
    with pytest.raises(DamagedError, match="EOF in multi-line statement"):
        fuzz.use_model(out.getvalue())


def test_a_row_that_does_not_end_is_looked_through_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or else a bomb of 4 MB, one line of 4 GB when it is unpacked, took minutes."""
    monkeypatch.setattr(copy_text, "_LONGEST", 1 << 20)
    asked = list[int]()

    def read(size: int) -> bytes:
        asked.append(size)
        return b"1" * size

    with pytest.raises(EOFError, match="a row is longer than 1 MB"):
        next(copy_text.pieces(read, 1 << 10))
    assert len(asked) < 15
