"""Memory that a stage no longer needs goes back to the system: one process may do one stage after the other."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Have Arrow's pool and the C library let go of what is free. They keep it for a next time, and the next stage's
    peak would stand on it: half a gigabyte after a sweep of a million series.
    """
    if arrow := sys.modules.get("pyarrow.lib"):  # where nothing has loaded it there is nothing to let go of
        arrow.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
