"""Any bytes in the place of a binary COPY: never believed where its form is hurt, and never read beyond their end."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from tests.support.copy_stream import HEADER
from tests.support.endurance import LONG, times
from tsclust.source.postgres.copy_rows import CopyRows
from tsclust.source.postgres.session import DamagedStreamError
from tsclust.source.time_text import NUMBER

# In plain Python numpy checks each place that is read; numba's own checks have to be compiled, and are fast afterwards.
CHECKED = {"NUMBA_BOUNDSCHECK": "1"} if LONG else {"NUMBA_DISABLE_JIT": "1"}


@pytest.mark.slow
@pytest.mark.endurance
def test_no_mutation_of_a_stream_is_believed_or_read_beyond_its_end(tmp_path: Path) -> None:
    mutations = times(2_000, 200_000)
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.copy_stream", "1", str(mutations)], capture_output=True, text=True,
        check=False, env={**os.environ, **CHECKED, "NUMBA_CACHE_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    ends = {name.strip().partition(" ")[2]: int(name.split()[0].replace(",", "")) for name in done.stdout.splitlines()}
    assert sum(ends.values()) == mutations
    assert {"form: damaged", "messages: damaged", "tag: damaged", "payload: one value", "wild: damaged"} <= set(ends)


def test_a_number_that_came_as_text_and_is_none() -> None:
    """numeric places of long rows, which have more digits than a float."""
    schema = pa.schema([("order", NUMBER)])
    good = b"\0\1\0\0\0\x041.50"
    batch = CopyRows(schema).batch([HEADER + good])
    assert batch is not None
    assert batch.column(0).to_pylist() == [Decimal("1.5")]
    with pytest.raises(DamagedStreamError, match="a number cannot be read"):
        CopyRows(schema).batch([HEADER + good.replace(b"1.50", b"1.x0")])
