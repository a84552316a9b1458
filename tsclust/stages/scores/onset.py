"""Since when a machine is not what it was: the day after which, and not before which, too many of its series are of
the sort that shows it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from tsclust.arrays import Bools, Floats, Int64s, Keys
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.deviations import Deviations
from tsclust.stages.model.profile import unlikeness

LEAST_SHARE = 1e-3  # what is taken for the share of series that never were of the sort in training

What = Literal["feature", "unlike", "refused", "rejected"]
_NONE = np.zeros(0, np.int64)
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
    compared = new & when.is_not_null().to_numpy()
    days, named = when.dt.date().to_physical().fill_null(0).to_numpy(), _named(signs)
    kept, out = _rows_of(of.machine, compared[of.keep], named), _rows_of(of.rejected, compared[~of.keep], named)
    of_kept, of_out, tables = days[of.keep], days[~of.keep], [pl.DataFrame(schema=DAYS)]
    for number, sign in enumerate(signs):
        mine, lost = kept.get(sign.machine, _NONE), out.get(sign.machine, _NONE)
        day, hit = of_kept[mine], hits(of.z[mine], refused[mine], sign)
        if sign.what == "rejected":
            day = np.concatenate([day, of_out[lost]])
            hit = np.concatenate([hit, np.ones(len(lost), bool)])
        tables.append(_counted(number, day, hit))
    return pl.concat(tables)


def _rows_of(machine: Keys, wanted: Bools, named: Collection[str]) -> dict[str | None, Int64s]:
    """Which of the wanted rows (n,) each of the named machines has; None has those of all others."""
    rows = pl.DataFrame({"machine": machine}).with_row_index("row").filter(pl.Series(wanted))
    of = pl.when(pl.col("machine").is_in(list(named))).then("machine").alias("of")
    together = rows.group_by(of, maintain_order=True).agg("row")
    return {who: one.to_numpy().astype(np.int64) for who, one in zip(together["of"], together["row"], strict=True)}


def _counted(number: int, day: Int64s, hit: Bools) -> pl.DataFrame:
    """DAYS of one sign: of series of these days (n,), since 1970, which of them show it (n,)."""
    days, at = np.unique(day, return_inverse=True)
    counts = np.bincount(at, minlength=len(days)), np.bincount(at[hit], minlength=len(days))
    dates = pl.Series(days, dtype=pl.Int32).cast(pl.Date)
    return pl.DataFrame([np.full(len(days), number), dates, *counts], schema=DAYS)


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
