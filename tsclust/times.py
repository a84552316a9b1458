"""Times as they come from a database."""

from __future__ import annotations

import polars as pl

_YEARS = (-719_161, 2_932_895)  # days since 1970 of the years 1 to 9999, one short: a time zone may add one


_PER_DAY = {None: 1, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def drop_out_of_range(times: pl.Series) -> pl.Series:
    """Null for what lies outside of the years 1 to 9999, like PostgreSQL's infinity: Polars panics on it."""
    per_day = _PER_DAY[getattr(times.dtype, "time_unit", None)]
    first, last = max(_YEARS[0] * per_day, -(2**63)), min(_YEARS[1] * per_day, 2**63 - 1)
    inside = times.to_physical().is_between(first, last)
    return pl.select(pl.when(inside).then(times)).to_series().alias(times.name)
