"""What is free goes back to the system."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tsclust.memory import give_back

PIECE, PIECES = 64 * 1024, 2_000  # bytes below those that malloc takes from the system one by one


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_free_memory_below_what_is_in_use_is_given_back() -> None:
    pieces = [np.ones(PIECE, np.uint8) for _ in range(PIECES)]
    last = pieces[-1]  # nothing below it would be given back by itself
    pieces.clear()
    before = resident()
    give_back()
    assert before - resident() > PIECE * PIECES // 2
    assert last.all()


HOLES = """
import sys
from pathlib import Path
import numpy as np
from tsclust.engine.dask_worker import Terms
from tsclust.memory import return_large_blocks
if sys.argv[1] == "return":
    return_large_blocks()
if sys.argv[1] == "adopt":
    Terms("", Path("token"), {}, "system", "")._adopt()
before = resident()
del [np.ones(31 * 2**17)][:]  # glibc sees 31 MB freed: from now on it takes as much from its heap
held = [(np.ones(20 * 2**17), np.ones(2**16)) for _ in range(10)]
held = [small for _, small in held]
print(resident() - before)
"""


def kept(how: str) -> int:
    """Bytes of 200 MB that are free which a process keeps; of its own, as the setting lasts."""
    code = inspect.getsource(resident) + HOLES
    return int(subprocess.run([sys.executable, "-c", code, how], check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("how", ["return", "adopt"])
def test_large_blocks_go_back_from_between_small_ones(how: str) -> None:
    """On a worker of a cluster, too: `adopt`."""
    assert kept(how) < 20 * 2**20 < kept("by itself")
