"""Whether scored series are still like those that were learned from: as a whole, and machine by machine, since when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from tsclust.arrays import Bools, Int64s, Keys
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.profile import ALL, FeatureProfile
from tsclust.stages.scores import drift
from tsclust.stages.scores.drift import Changed, Drift
from tsclust.stages.scores.scorer import Scores

MOST_MACHINES = 100  # machines that are looked at month by month: where more have changed, all together say since when
AND = "\x1e"  # between a machine and a month

ByMonth = Callable[[Sequence[str]], FeatureProfile | None]  # machines -> their months, called `machine AND month`


@dataclass(frozen=True)
class CurrentProfile:
    """The profile of the series that are scored: all of them, and the last ones alone; None where that is all."""

    whole: FeatureProfile
    last: FeatureProfile | None

    @classmethod
    def empty(cls, d: int, with_last: bool) -> CurrentProfile:
        nothing = FeatureProfile.empty(d)
        return cls(nothing, nothing if with_last else None)

    @classmethod
    def from_scores(cls, scores: Scores, late: Bools | None) -> CurrentProfile:
        """Of a part; late (all,): which of its series are among the last, None where there are no others."""
        of, refused = scores.deviations, scores.refused
        whole = FeatureProfile.from_deviations(of.z, of.machine, refused, of.rejected)
        if late is None:
            return cls(whole, None)
        kept, out = late[of.keep], late[~of.keep]
        last = FeatureProfile.from_deviations(of.z[kept], of.machine[kept], refused[kept], of.rejected[out])
        return cls(whole, last)

    def __add__(self, other: CurrentProfile) -> CurrentProfile:
        last = (self.last + other.last).bounded() if self.last is not None and other.last is not None else None
        return CurrentProfile((self.whole + other.whole).bounded(), last)


def detect_drift(now: CurrentProfile, model: ModelBundle, by_month: ByMonth) -> Drift:
    """What has changed since training. `by_month` is asked only where something has; it gives None without times."""
    there, each = set(model.profile.machines.tolist()), now.whole.machines.tolist()
    apart = bool(model.facts.machine) and ALL not in there and ALL not in each
    judged = (ALL, *each) if apart else (ALL,)
    changed = [one for who in judged if (one := _changed(now, who, model, len(judged)))]
    if changed:
        most = sorted(changed, key=lambda one: (one.machine is not None, -one.rows))[: MOST_MACHINES + 1]
        when = _since([_key(one) for one in most], model, by_month)
        changed = [replace(one, since=when.get(_key(one))) for one in changed]
    unknown = tuple(machine for machine in each if apart and machine not in there)
    return Drift(
        bool(changed), tuple(changed), unknown, *_hardly_judged(now.whole, [w for w in judged if w not in unknown])
    )


def _hardly_judged(
    now: FeatureProfile, machines: Sequence[str]
) -> tuple[tuple[str | None, ...], tuple[str | None, ...]]:
    """(machines judged only by their shares, machines not judged at all)."""
    series = {who: int((mine := now.of_machine(who)).rows[0] + mine.rejected[0]) for who in machines}
    bounds = ((drift.FEW, drift.ENOUGH), (0, drift.FEW))
    few, none = (tuple(_name(who) for who, n in series.items() if low <= n < high) for low, high in bounds)
    return few, none


def _changed(now: CurrentProfile, machine: str, model: ModelBundle, machines: int) -> Changed | None:
    """A machine, or ALL, if it is not what it was, in all its series or in the last ones."""
    whole = _compared(now.whole.of_machine(machine), machine, model, machines)
    if whole is not None or now.last is None:
        return whole
    last = _compared(now.last.of_machine(machine), machine, model, machines)
    return replace(last, last=True) if last else None


def _compared(now: FeatureProfile, machine: str, model: ModelBundle, machines: int) -> Changed | None:
    rows, out, refused = int(now.rows[0]), int(now.rejected[0]), int(now.refused[0])
    most_refused, most_rejected = _most(model, machine)
    shifts = drift.shifts(now.counts[0], model.profile.counts_of(machine), model.facts.features)
    more = drift.too_many(refused, rows, most_refused, machines)
    impossible = drift.too_many(out, rows + out, most_rejected, machines)
    found = Changed(
        _name(machine), rows + out, round(refused / max(rows, 1), 6), more,
        round(out / max(rows + out, 1), 6), impossible, shifts,
    )  # fmt: skip
    return found if shifts or more or impossible else None


def _most(model: ModelBundle, machine: str) -> tuple[float, float]:
    """The shares of series that got no answer and were impossible in training: of all, or of the machine if more."""
    refused, rejected = model.profile.shares_of(machine)
    return max(model.facts.refused, refused), max(model.facts.rejected, rejected)


def _name(machine: str) -> str | None:
    return None if machine == ALL else machine


def _key(one: Changed) -> str:
    return ALL if one.machine is None else one.machine


def _since(machines: Sequence[str], model: ModelBundle, by_month: ByMonth) -> dict[str, str | None]:
    """machine -> the month from which on it is not what it was."""
    total = by_month(machines)
    if total is None:
        return {}
    months = {who: _months_of(total, who) for who in machines}
    return {who: drift.since(of, model.profile.counts_of(who), *_most(model, who)) for who, of in months.items()}


def profile_by_month(scores: Scores, when: pl.Series, machines: Sequence[str]) -> FeatureProfile:
    """The profile of each of these machines and each month of a part; when (all,): times, null where not known."""
    of = scores.deviations
    months = when.dt.strftime("%Y-%m").fill_null("").to_numpy().astype(str)
    month, out = months[of.keep], months[~of.keep]
    found = FeatureProfile.empty(of.z.shape[1])
    for who, whose in ((np.full(len(month), ALL), np.full(len(out), ALL)), (of.machine, of.rejected)):
        mine, names = _named(who, month, machines)
        _, rejected = _named(whose, out, machines)
        found += FeatureProfile.from_deviations(of.z[mine], names, scores.refused[mine], rejected)
    return found


def _named(who: Keys, month: Keys, machines: Sequence[str]) -> tuple[Int64s, Keys]:
    """(the rows of these machines whose month is known, what each is called)."""
    rows = np.flatnonzero((month != "") & np.isin(who, machines))
    return rows, np.char.add(np.char.add(who[rows], AND), month[rows])


def _months_of(total: FeatureProfile, machine: str) -> FeatureProfile:
    rows = np.flatnonzero(np.char.startswith(total.machines, machine + AND))
    months = np.char.rpartition(total.machines[rows], AND)[:, 2]
    return FeatureProfile(months, total.counts[rows], total.refused[rows], total.rejected[rows])
