"""Since when a machine is not what it was: the day after which, and not before which, too many of its series are of
the sort that shows it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from tsclust.arrays import Bools, Floats, Keys
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.deviations import Deviations
from tsclust.stages.model.profile import unlikeness

LEAST_SHARE = 1e-3  # what is taken for the share of series that never were of the sort in training

What = Literal["feature", "unlike", "refused", "rejected"]
DAYS = {"sign": pl.Int64, "day": pl.Date, "rows": pl.Int64, "hits": pl.Int64}


@dataclass(frozen=True)
class Sign:
    """What shows that a machine (None: all) has changed, series by series.

    what     a feature beyond an edge, unlikeness above it, no answer, or being impossible
    feature  its place;  edge: of its deviations, or of the unlikeness;  above: on which side
    then     the share of such series in training;  now: of the scored ones
    """

    machine: str | None
    what: What
    feature: int = 0
    edge: float = 0.0
    above: bool = True
    then: float = 0.0
    now: float = 0.0


def days_of(of: Deviations, refused: Bools, when: pl.Series, new: Bools, signs: Sequence[Sign]) -> pl.DataFrame:
    """sign, day, rows, hits: of a part, for each of the signs how many of the machine's series were recorded on each
    day, and how many show it. refused (n,): of the kept ones, right for those of which a sign asks it; when (all,):
    times, null where not known; new (all,): which series are compared."""
    days, named = when.dt.date(), _named(signs)
    tables = [_of_sign(of, refused, days, new, number, sign, named) for number, sign in enumerate(signs)]
    return pl.concat([pl.DataFrame(schema=DAYS), *tables])


def _of_sign(
    of: Deviations, refused: Bools, days: pl.Series, new: Bools, number: int, sign: Sign, named: Collection[str]
) -> pl.DataFrame:
    mine = is_of(of.machine, sign, named) & new[of.keep]  # first: of hundreds of machines each has few series
    kept = pl.DataFrame(
        {"day": days.gather(np.flatnonzero(of.keep)[mine]), "hits": hits(of.z[mine], refused[mine], sign)}
    )
    if sign.what == "rejected":
        out = days.gather(np.flatnonzero(~of.keep)[is_of(of.rejected, sign, named) & new[~of.keep]])
        kept = pl.concat([kept, pl.DataFrame({"day": out, "hits": np.ones(len(out), bool)})])
    by_day = (
        kept.drop_nulls("day")
        .group_by("day")
        .agg(rows=pl.len().cast(pl.Int64), hits=pl.col("hits").sum().cast(pl.Int64))
    )
    return by_day.select(pl.lit(number, pl.Int64).alias("sign"), "day", "rows", "hits")


def refused_of(model: ModelBundle, of: Deviations, signs: Sequence[Sign]) -> Bools:
    """(n,) which of the kept series get no answer; of machines of which no sign asks that it is not looked for."""
    mine, refused = np.zeros(len(of.z), bool), np.zeros(len(of.z), bool)
    for sign in signs:
        if sign.what == "refused":
            mine |= is_of(of.machine, sign, _named(signs))
    _, probability, novelty = model.predict(of.z[mine])
    refused[mine] = model.refuses(probability, novelty)
    return refused


def _named(signs: Sequence[Sign]) -> frozenset[str]:
    return frozenset(sign.machine for sign in signs if sign.machine is not None)


def is_of(machine: Keys, sign: Sign, named: Collection[str]) -> Bools:
    """(n,) which series are of the machine: all together are all but those that are `named`."""
    if sign.machine is None:
        return np.isin(machine, list(named), invert=True)
    mine: Bools = machine == sign.machine
    return mine


def hits(z: Floats, refused: Bools, sign: Sign) -> Bools:
    """(n,) which of the possible series show it: deviations z (n, d), refused (n,)."""
    if sign.what == "refused":
        return refused
    if sign.what == "rejected":
        return np.zeros(len(z), bool)
    value = unlikeness(z) if sign.what == "unlike" else z[:, sign.feature]
    beyond: Bools = value > sign.edge if sign.above else value <= sign.edge
    return beyond


def since(days: pl.DataFrame, signs: Sequence[Sign]) -> list[str | None]:
    """The day since when it is so, for each sign; None where no day is known."""
    together = days.group_by("sign", "day").agg(pl.col("rows", "hits").sum()).sort("sign", "day")
    return [_first(together.filter(pl.col("sign") == number), sign.then) for number, sign in enumerate(signs)]


def _first(days: pl.DataFrame, then: float) -> str | None:
    if not len(days):
        return None
    at = int(evidence(days["rows"].to_numpy(), days["hits"].to_numpy(), then).argmax())
    return str(days["day"][at])


def evidence(rows: np.ndarray, hits: np.ndarray, then: float) -> Floats:
    """(days,) how much likelier it is that from each day on the share of hits is another, higher one than `then`: the
    logarithm of the likelihood ratio of a change on that day (Page 1954 for a change that lasts)."""
    n, x = (one[::-1].cumsum()[::-1].astype(float) for one in (rows, hits))
    before, now = min(max(then, LEAST_SHARE), 1 - LEAST_SHARE), np.clip(x / np.maximum(n, 1), 1e-9, 1 - 1e-9)
    ratio = x * np.log(now / before) + (n - x) * np.log((1 - now) / (1 - before))
    found: Floats = np.where(now > before, ratio, 0.0)
    return found
