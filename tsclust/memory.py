"""Memory that a stage no longer needs goes back to the system: one process may do one stage after the other."""

from __future__ import annotations

import ctypes
import os
import sys

LARGE = 8 * 2**20  # bytes of a block that goes back at once; of smaller ones the pages cost a tenth of the time
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)


def give_back() -> None:
    """Have Arrow's pool and the C library let go of what is free. They keep it for a next time, and the next stage's
    peak would stand on it: half a gigabyte after a sweep of a million series.
    """
    if arrow := sys.modules.get("pyarrow.lib"):  # where nothing has loaded it there is nothing to let go of
        arrow.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def return_large_blocks() -> None:
    """From now on the C library gives blocks of LARGE bytes back when they are freed. By itself it keeps larger and
    larger ones, with holes between them: a third of the peak of a million series. What the user has set stays.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's
    if mallopt is not None and "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        for which in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            mallopt(which, LARGE)
