"""The time of now, as tsclust writes it down."""

from __future__ import annotations

import time


def now() -> str:
    """In UTC, to the second: 2024-03-12T08:15:00Z"""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
