"""Whether scored series are still like those that were learned from: as a whole, and machine by machine, since when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np

from tsclust.arrays import Bools, Int64s, Keys
from tsclust.engine.base import map_parts
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.examples import Part
from tsclust.stages.model.profile import ALL, FeatureProfile
from tsclust.stages.scores import drift
from tsclust.stages.scores.drift import Shift
from tsclust.stages.scores.recent import times
from tsclust.stages.series import parts as series_parts
from tsclust.workspace.folder import Workspace

WORKERS = 2
LOOKED_AT = 100  # machines of whose months is asked: where more have changed, all together say since when
AND = "\x1e"  # between a machine and a month

Read = Callable[[Path], Part]
Refused = Callable[[Path], Bools]  # a part -> (n,) which of its kept series get no answer


@dataclass(frozen=True)
class CurrentProfile:
    """How the series lie that are scored: all of them, and the last ones alone; None where there are no others."""

    whole: FeatureProfile
    last: FeatureProfile | None

    def __add__(self, other: CurrentProfile) -> CurrentProfile:
        last = (self.last + other.last).bounded() if self.last is not None and other.last is not None else None
        return CurrentProfile((self.whole + other.whole).bounded(), last)


@dataclass(frozen=True)
class Changed:
    """A machine, None for all together, that is not what it was.

    shifts    the features that lie otherwise, most first
    refused   the share of its possible series that got no answer; refused_more: whether that is more than it was
    rejected  the share of its series that are impossible; rejected_more: whether that is more than it was
    last      whether it is so in the last weeks alone, and all series together are as they were
    since     the month from which on it is so, like 2024-03; None where no column of times says
    """

    machine: str | None
    rows: int
    refused: float
    refused_more: bool
    rejected: float
    rejected_more: bool
    shifts: tuple[Shift, ...]
    last: bool = False
    since: str | None = None


@dataclass(frozen=True)
class Drift:
    """changed: what is not as it was; unknown: machines that were not there when it was learned."""

    changed: tuple[Changed, ...]
    unknown: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """For the manifest."""
        changed = [asdict(one) for one in self.changed]
        return {"found": bool(changed), "changed": changed, "unknown": list(self.unknown)}


def find(
    workspace: Workspace, now: CurrentProfile, model: ModelBundle, names: Sequence[str], read: Read, refused: Refused
) -> Drift:
    """What has changed in the series of a workspace, which lie so `now`; names (d,) of the features."""
    there, each = set(model.lying.machines.tolist()), now.whole.machines.tolist()
    apart = bool(model.facts["machine"]) and ALL not in there and ALL not in each
    known = [machine for machine in each if apart and machine in there]
    changed = [one for who in (ALL, *known) if (one := _changed(now, who, model, names, 1 + len(known)))]
    if changed:
        most = sorted(changed, key=lambda one: (one.machine is not None, -one.rows))[: LOOKED_AT + 1]
        when = _since(workspace, [_key(one) for one in most], model, read, refused)
        changed = [replace(one, since=when.get(_key(one))) for one in changed]
    unknown = tuple(machine for machine in each if apart and machine not in there)
    return Drift(tuple(changed), unknown)


def _changed(
    now: CurrentProfile, machine: str, model: ModelBundle, names: Sequence[str], machines: int
) -> Changed | None:
    """A machine, or ALL, if it is not what it was, in all its series or in the last ones."""
    whole = _compared(now.whole.of_machine(machine), machine, model, names, machines)
    if whole is not None or now.last is None:
        return whole
    last = _compared(now.last.of_machine(machine), machine, model, names, machines)
    return replace(last, last=True) if last else None


def _compared(
    now: FeatureProfile, machine: str, model: ModelBundle, names: Sequence[str], machines: int
) -> Changed | None:
    rows, out, refused = int(now.rows[0]), int(now.rejected[0]), int(now.refused[0])
    most_refused, most_rejected = _most(model, machine)
    shifts = drift.shifts(now.counts[0], model.lying.counts_of(machine), names)
    more = drift.too_many(refused, rows, most_refused, machines)
    impossible = drift.too_many(out, rows + out, most_rejected, machines)
    found = Changed(
        None if machine == ALL else machine, rows + out, round(refused / max(rows, 1), 6), more,
        round(out / max(rows + out, 1), 6), impossible, shifts,
    )  # fmt: skip
    return found if shifts or more or impossible else None


def _most(model: ModelBundle, machine: str) -> tuple[float, float]:
    """The shares of series that got no answer and were impossible in training: of all, or of the machine if more."""
    refused, rejected = model.lying.shares_of(machine)
    return max(model.facts["refused"], refused), max(model.facts["rejected"], rejected)


def _key(one: Changed) -> str:
    return ALL if one.machine is None else one.machine


def _since(
    workspace: Workspace, machines: Sequence[str], model: ModelBundle, read: Read, refused: Refused
) -> dict[str, str | None]:
    """machine -> the month from which on it is not what it was."""
    column = series_parts.column_of_times(workspace)
    if column is None:
        return {}
    one_part = partial(_by_month, workspace, column, machines, read, refused)
    total = reduce(lambda a, b: a + b, map_parts(one_part, workspace.parts(FEATURES), WORKERS))
    months = {who: _months_of(total, who) for who in machines}
    return {who: drift.since(of, model.lying.counts_of(who), *_most(model, who)) for who, of in months.items()}


def _by_month(
    workspace: Workspace, column: str, machines: Sequence[str], read: Read, refused: Refused, path: Path
) -> FeatureProfile:
    """How the series lie of each of these machines and each month, called `machine AND month`."""
    part, no_answer = read(path), refused(path)
    months = times(workspace, column, path).dt.strftime("%Y-%m").fill_null("").to_numpy().astype(str)
    month, out = months[part.keep], months[~part.keep]
    found = FeatureProfile.none(part.z.shape[1])
    for who, whose in ((np.full(len(month), ALL), np.full(len(out), ALL)), (part.machine, part.rejected)):
        mine, names = _named(who, month, machines)
        _, rejected = _named(whose, out, machines)
        found += FeatureProfile.of(part.z[mine], names, no_answer[mine], rejected)
    return found


def _named(who: Keys, month: Keys, machines: Sequence[str]) -> tuple[Int64s, Keys]:
    """(the rows of these machines whose month is known, what each is called)."""
    rows = np.flatnonzero((month != "") & np.isin(who, machines))
    return rows, np.char.add(np.char.add(who[rows], AND), month[rows])


def _months_of(total: FeatureProfile, machine: str) -> FeatureProfile:
    rows = np.flatnonzero(np.char.startswith(total.machines, machine + AND))
    months = np.char.rpartition(total.machines[rows], AND)[:, 2]
    return FeatureProfile(months, total.counts[rows], total.refused[rows], total.rejected[rows])
