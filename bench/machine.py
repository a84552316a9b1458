"""The machine that was measured on, for the heading of a table."""

from __future__ import annotations

import os
import platform
from pathlib import Path

INFO = Path("/proc/cpuinfo")


def cores() -> str:
    """2 cores (AMD EPYC); where the kernel names no model, as on ARM, what it is called otherwise."""
    lines = INFO.read_text().splitlines() if INFO.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{os.cpu_count()} cores ({next(names, platform.machine())})"
