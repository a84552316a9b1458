"""What is free goes back to the system."""

from __future__ import annotations

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
