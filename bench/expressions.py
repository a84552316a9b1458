"""The features that Polars' list expressions can say, for bench/features.py."""

from __future__ import annotations

import polars as pl

from tsclust.stages.features.shape import LAGS, WINDOW

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def ready_made() -> dict[str, pl.Expr]:
    """Moments, line, quantiles: in the fastest of the forms we tried, group_by over exploded rows was slower."""
    x, one = pl.col("values").list, pl.element()
    n = x.len().cast(pl.Float64)
    tilt = x.agg(one.dot(pl.int_range(one.len()))) - (n - 1) / 2 * x.sum()
    return {
        "n_values": x.len(), "min": x.min(), "max": x.max(), "first_level": x.first(), "area": x.sum(),
        "last_level": x.tail(3).list.min(), "peak_position": x.arg_max(), "mean": x.mean(), "std": x.std(ddof=0),
        "skewness": x.agg(one.skew()), "kurtosis": x.agg(one.kurtosis()), "slope": 12 * tilt / (n**3 - n),
        "roughness": x.diff().list.eval(one.abs()).list.mean(),
        **{f"p{100 * q:02.0f}": x.agg(one.quantile(q, "linear")) for q in QUANTILES},
    }  # fmt: skip


def composed() -> dict[str, pl.Expr]:
    """What can be composed of its expressions: run, longest flat run, largest step, oscillation."""
    x, level, one = pl.col("values").list, pl.col("level").list, pl.element()
    runs = one - one.first() > 0.03 * (one.max() - one.first())
    means = one.rolling_mean(WINDOW)
    swings = [level.agg((one * one.shift(lag)).sum()) for lag in range(LAGS[0], LAGS[1] + 1)]
    return {
        "start": x.agg(runs.arg_true().first()), "end": x.agg(runs.arg_true().last()),
        "flat_run": x.agg(one.rle().struct.field("len").max()),
        "step": x.agg((means.shift(-WINDOW) - means).abs().max()),
        "oscillation": pl.max_horizontal(swings) / level.agg(one.dot(one)),
    }  # fmt: skip
