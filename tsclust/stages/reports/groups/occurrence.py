"""Where a group occurs: values of carried columns that its series have more often than others, and when it began.

Of all values of all columns a test by the binomial distribution asks whether as many would be chance, and of
those that it finds at most FALSE are expected to be chance (Benjamini and Hochberg 1995, by scipy).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tsclust.arrays import Bools, Floats
from tsclust.stages.reports.data import Month, Often, Where

MOST_NAMED = 4  # values of a carried column that are named
FALSE = 0.01  # of the values named, this share may be chance
LEAST, MORE = 3, 1.3  # series with the value, and times as often as all have it: fewer say nothing to people
UNIQUE = 0.5  # values for each series: a column with more of them names series
BEGAN = 0.001  # chance that a group that was always there has no series before its first
STRUCTURED = ("{", "[")  # how a column of JSON begins


def places(
    tallies: Mapping[str, pl.DataFrame], times: Mapping[str, object], group: int, size: int
) -> tuple[Where, ...]:
    """Of each carried column that says something: column -> a row per value: value, all, 0, 1, ... (members of each
    group); times: the columns of times, of which the values are months."""
    told = {name: _counts(tally, group) for name, tally in tallies.items() if _tells(tally)}
    if not told:
        return ()
    from scipy.stats import false_discovery_control  # half a second to import

    chance = np.concatenate([_chance(tally, size) for tally in told.values()])
    found = np.split(false_discovery_control(chance) <= FALSE, np.cumsum([len(tally) for tally in told.values()])[:-1])
    return tuple(
        _place(name, name in times, tally, often, size)
        for (name, tally), often in zip(told.items(), found, strict=True)
    )


def _counts(tally: pl.DataFrame, group: int) -> pl.DataFrame:
    return tally.select("value", "all", count=pl.col(str(group)))


def _tells(tally: pl.DataFrame) -> bool:
    """Whether a column's values are more than one, few enough to be names, and not JSON."""
    structured = bool(tally["value"].str.strip_chars_start().str.starts_with(STRUCTURED[0]).any())
    structured |= bool(tally["value"].str.strip_chars_start().str.starts_with(STRUCTURED[1]).any())
    return 1 < len(tally) <= max(2.0, UNIQUE * tally["all"].to_numpy().sum()) and not structured


def _chance(tally: pl.DataFrame, size: int) -> Floats:
    """(v,) of each value, the chance that so many of `size` series have it, if each does as often as all others."""
    from scipy.stats import binom

    every, count = tally["all"].to_numpy(), tally["count"].to_numpy()
    chance: Floats = binom.sf(count - 1, size, every / every.sum())
    return np.clip(chance, 0.0, 1.0)


def _place(column: str, month: bool, tally: pl.DataFrame, often: Bools, size: int) -> Where:
    """The values that occur too often, or the few there are, most frequent first."""
    rows = tally.with_columns(pl.Series("often", often), overall=pl.col("all") / pl.col("all").sum())
    more = pl.col("often") & (pl.col("count") >= LEAST) & (pl.col("count") >= MORE * size * pl.col("overall"))
    rows, distinct = rows.with_columns(sign=more), int((rows["count"] > 0).sum())
    few = distinct <= MOST_NAMED < len(rows) and not month
    rows = rows.filter((pl.col("count") > 0) if few else pl.col("sign"))
    top = rows.sort("count", "value", descending=[True, False]).head(MOST_NAMED)
    elsewhere = _elsewhere(top, tally, size)
    named = top.select("value", "count", "overall", "sign").iter_rows()
    return Where(column, month, distinct, len(tally), tuple(
        Often(value, count, count / size, overall, sign, times if sign and times != np.inf else None)
        for (value, count, overall, sign), times in zip(named, elsewhere, strict=True)
    ))  # fmt: skip


def _elsewhere(top: pl.DataFrame, tally: pl.DataFrame, size: int) -> Sequence[float]:
    """Of each value, how many times as often it occurs in the group as in all other series; infinite: only here."""
    others = max(int(tally["all"].sum()) - size, 1)
    rest = (top["all"] - top["count"]) / others
    return [float(here / there) if there > 0 else np.inf for here, there in zip(top["count"] / size, rest, strict=True)]


def began(months: Sequence[Month], size: int) -> str | None:
    """The month before which the group has no series, where chance does not explain that; None where it does."""
    first = next((at for at, month in enumerate(months) if month.members), 0)
    before = sum(month.series for month in months[:first])
    share = before / max(sum(month.series for month in months), 1)
    return months[first].month if months and share > 0 and (1 - share) ** size <= BEGAN else None
