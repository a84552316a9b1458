"""Tests that have a long form: `make test` repeats a little, `make endurance` much."""

from __future__ import annotations

import os

LONG = os.environ.get("TSCLUST_ENDURANCE") == "1"


def times(short: int, long: int) -> int:
    """How often a test marked `endurance` does what it does."""
    return long if LONG else short
