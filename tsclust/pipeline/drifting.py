"""Whether scored series are still like those that were learned from: as a whole, and machine by machine, since when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.engine import map_parts
from tsclust.labels import drift
from tsclust.labels.drift import ALL, Bools, Lying, Shift
from tsclust.pipeline.examples import Part
from tsclust.pipeline.trained import Trained
from tsclust.report.counted import possible
from tsclust.workspace import Workspace

WORKERS = 2
LOOKED_AT = 100  # machines of whose months is asked: where more have changed, all together say since when
AND = "\x1e"  # between a machine and a month

Read = Callable[[Path], Part]
Refused = Callable[[Path], Bools]  # a part -> (n,) which of its kept series get no answer


@dataclass(frozen=True)
class Changed:
    """A machine, None for all together, that is not what it was.

    shifts   the features that lie otherwise, most first
    refused  the share of its rows that got no answer; more: whether that is more than it was
    since    the month from which on it is so, like 2024-03; None where no column of times says
    """

    machine: str | None
    rows: int
    refused: float
    more: bool
    shifts: tuple[Shift, ...]
    since: str | None = None


@dataclass(frozen=True)
class Drift:
    """changed: what is not as it was; unknown: machines that were not there when it was learned.

    rejected  the share of series that the rules reject; more: whether that is more than it was
    """

    changed: tuple[Changed, ...]
    unknown: tuple[str, ...]
    rejected: float
    more: bool

    def plain(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "found": bool(self.changed) or self.more,
            "changed": [asdict(one) for one in self.changed],
            "unknown": list(self.unknown),
            "rejected": self.rejected,
            "rejected_more": self.more,
        }


def find(workspace: Workspace, now: Lying, model: Trained, names: Sequence[str], read: Read, refused: Refused) -> Drift:
    """What has changed in the series of a workspace, which lie so `now`; names (d,) of the features."""
    there, each = set(model.lying.machines.tolist()), now.machines.tolist()
    apart = bool(model.facts["machine"]) and ALL not in there and ALL not in each
    known = [i for i, machine in enumerate(each) if apart and machine in there]
    candidates = [_changed(now.whole(), 0, model, names), *(_changed(now, i, model, names, len(known)) for i in known)]
    changed = [one for one in candidates if one]
    if changed:
        most = sorted(changed, key=lambda one: (one.machine is not None, -one.rows))[: LOOKED_AT + 1]
        when = _since(workspace, [_key(one) for one in most], model, read, refused)
        changed = [replace(one, since=when.get(_key(one))) for one in changed]
    unknown = tuple(machine for machine in each if apart and machine not in there)
    return Drift(tuple(changed), unknown, *_rejected(workspace, model))


def _changed(now: Lying, i: int, model: Trained, names: Sequence[str], machines: int = 1) -> Changed | None:
    machine, rows, refused = str(now.machines[i]), int(now.rows[i]), int(now.refused[i])
    shifts = drift.shifts(now.counts[i], model.lying.counts_of(machine), names)
    more = drift.too_many(refused, rows, model.facts["refused"], machines)
    found = Changed(None if machine == ALL else machine, rows, round(refused / max(rows, 1), 6), more, shifts)
    return found if shifts or more else None


def _key(one: Changed) -> str:
    return ALL if one.machine is None else one.machine


def _rejected(workspace: Workspace, model: Trained) -> tuple[float, bool]:
    """(the share that the rules reject, whether that is more than in training)."""
    described = workspace.manifest("features")
    rejected = described.rows - described.facts["kept"]
    more = drift.too_many(rejected, described.rows, model.facts["rejected"])
    return round(rejected / max(described.rows, 1), 6), more


def _since(
    workspace: Workspace, machines: Sequence[str], model: Trained, read: Read, refused: Refused
) -> dict[str, str | None]:
    """machine -> the month from which on it is not what it was."""
    column = _times(workspace)
    if column is None:
        return {}
    one_part = partial(_by_month, workspace, column, machines, read, refused)
    total = reduce(lambda a, b: a + b, map_parts(one_part, workspace.parts("features"), WORKERS))
    share = model.facts["refused"]
    return {who: drift.since(_months_of(total, who), model.lying.counts_of(who), share) for who in machines}


def _times(workspace: Workspace) -> str | None:
    """The first carried column of times."""
    schema = pq.read_schema(workspace.parts("series")[0])
    return next((f.name for f in schema if pa.types.is_timestamp(f.type) or pa.types.is_date(f.type)), None)


def _by_month(
    workspace: Workspace, column: str, machines: Sequence[str], read: Read, refused: Refused, path: Path
) -> Lying:
    """How the series lie of each of these machines and each month, called `machine AND month`."""
    part, no_answer = read(path), refused(path)
    carried = pl.DataFrame(pq.read_table(workspace.stage("series") / path.name, columns=[column]))
    times = possible(carried[column].filter(pl.Series(part.keep)))
    month = times.dt.strftime("%Y-%m").fill_null("").to_numpy().astype(str)
    found = Lying.none(part.z.shape[1])
    for who in (np.full(len(month), ALL), part.machine):
        mine = np.flatnonzero((month != "") & np.isin(who, machines))
        names = np.char.add(np.char.add(who[mine], AND), month[mine])
        found += Lying.of(part.z[mine], names, no_answer[mine])
    return found


def _months_of(total: Lying, machine: str) -> Lying:
    rows = np.flatnonzero(np.char.startswith(total.machines, machine + AND))
    months = np.char.rpartition(total.machines[rows], AND)[:, 2]
    return Lying(months, total.counts[rows], total.refused[rows])
