"""What is free goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from tsclust.workspace.memory import give_back

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
import numpy as np
from tests.unit.workspace.test_memory import resident
from tsclust.workspace.memory import return_large_blocks
if sys.argv[1] == "return":
    return_large_blocks()
before = resident()
del [np.ones(31 * 2**17)][:]  # glibc sees 31 MB freed: from now on it takes as much from its heap
held = [(np.ones(20 * 2**17), np.ones(2**16)) for _ in range(10)]
held = [small for _, small in held]
print(resident() - before)
"""


def test_large_blocks_go_back_from_between_small_ones() -> None:
    """In a process of its own, as the setting lasts: of 200 MB that are free nothing is kept."""
    kept, left = (
        int(subprocess.run([sys.executable, "-c", HOLES, how], check=True, capture_output=True, text=True).stdout)
        for how in ("keep", "return")
    )
    assert left < 20 * 2**20 < kept
