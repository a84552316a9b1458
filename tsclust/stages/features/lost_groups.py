"""Groups of series (a machine, a product, a month) of which one rule rejects so much that it may be wrong there."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from pydantic import BaseModel, ConfigDict

from tsclust.times import drop_out_of_range

MUCH = 1 / 3  # of a group
FEWEST = 5  # rejected series: two of five are chance
EACH = 5  # sampled series that a value has on average where a column names groups, and not each series
FEW = 20  # values that always name groups
KEPT = 100  # groups that are remembered


class LostGroup(BaseModel):
    """Of `series` series with this value in a carried column (a time: in this month) a rule rejects `rejected` as the
    first. column: "" for all series."""

    model_config = ConfigDict(frozen=True)

    rule: str
    column: str
    value: str
    series: int
    rejected: int


def columns_of_groups(carried: pl.DataFrame) -> tuple[str, ...]:
    """Those of the carried columns of a sample of series that name groups of them; of times, the first."""
    cs = pl.selectors  # not imported by itself: who only reads facts does without Polars
    named = carried.select(cs.string() | cs.integer() | cs.boolean() | cs.categorical())
    few = [c.name for c in named.iter_columns() if c.n_unique() <= max(FEW, len(carried) // EACH)]
    times = carried.select(cs.datetime() | cs.date()).columns[:1]
    return (*few, *times)


def count(carried: pl.DataFrame, rejected_by: pl.Series) -> pl.DataFrame:
    """column, value, rule (null: kept) and len: the series of a part by what their columns of groups say."""
    values = [pl.Series("", [""], pl.String).new_from_index(0, len(rejected_by)), *map(_values, carried.iter_columns())]
    frames = (pl.DataFrame({"value": column.rename("value"), "rule": rejected_by}) for column in values)
    named = (
        frame.select(column=pl.lit(column.name), value="value", rule="rule")
        for frame, column in zip(frames, values, strict=True)
    )
    return pl.concat([frame.group_by(pl.all()).len().cast({"len": pl.Int64}) for frame in named])


def _values(column: pl.Series) -> pl.Series:
    if column.dtype.is_temporal():
        return drop_out_of_range(column).dt.strftime("%Y-%m")
    return column.cast(pl.String)


def found(counted: Sequence[pl.DataFrame]) -> tuple[LostGroup, ...]:
    """The groups of which a rule rejects too much, from the counts of all parts; those that lose most come first.

    Where a rule rejects that much of all series, no group of them is named.
    """
    if not counted:
        return ()
    groups = pl.concat(list(counted)).drop_nulls("value").group_by("column", "value", "rule").agg(pl.sum("len"))
    groups = groups.with_columns(series=pl.sum("len").over("column", "value")).drop_nulls("rule")
    much = groups.filter(pl.col("len") >= FEWEST, pl.col("len") > MUCH * pl.col("series"))
    of_all = much.filter(column="")["rule"].implode()
    much = much.filter((pl.col("column") == "") | ~pl.col("rule").is_in(of_all))
    rows = much.sort("len", "rule", "column", "value", descending=[True, False, False, False]).head(KEPT)
    return tuple(
        LostGroup(rule=r["rule"], column=r["column"], value=r["value"], series=r["series"], rejected=r["len"])
        for r in rows.iter_rows(named=True)
    )
