"""--since 7d: the series of the last days, as a condition on the column that says when they were recorded."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from tsclust.errors import SettingsError

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def condition(since: str, column: str | None, now: datetime, where: str = "") -> str:
    """SQL for rows recorded within the last `since` before `now` (UTC), and for which `where` holds.

    Times without a zone are taken for UTC. Raises SettingsError for another form, and where no column says when.
    """
    match = re.fullmatch(r"\s*(\d{1,5})\s*([mhdw])\s*", since)
    if not match or not int(match[1]):
        raise SettingsError(f"--since {since!r}: expected for example 7d, 12h, 30m or 2w", "Correct it")
    if column is None:
        raise SettingsError(
            "--since: no carried column says when a series was recorded",
            "Carry one along (--carry), or name it: watermark in [source]",
        )
    first = now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    quoted = column.replace('"', '""')
    recent = f"\"{quoted}\" >= '{first:%Y-%m-%d %H:%M:%S}+00'"
    return f"({where}) AND {recent}" if where.strip() else recent
