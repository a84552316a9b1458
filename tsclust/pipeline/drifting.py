"""Whether scored series are still like those that were learned from: as a whole, and machine by machine, since when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.engine import map_parts
from tsclust.labels import drift
from tsclust.labels.drift import ALL, Lying, Shift
from tsclust.pipeline.examples import Part
from tsclust.pipeline.trained import Trained
from tsclust.series import Int64s
from tsclust.workspace import Workspace

WORKERS = 2

Months = dict[tuple[str, str], Int64s]  # (machine, month) -> counts (d, BINS)
Read = Callable[[Path], Part]


@dataclass(frozen=True)
class Changed:
    """A machine, "" for all together, that is not what it was.

    shifts   the features that lie otherwise, most first
    refused  the share of its rows that got no answer; more: whether that is more than it was
    since    the month from which on it is so, like 2024-03; None where no column of times says
    """

    machine: str
    rows: int
    refused: float
    more: bool
    shifts: tuple[Shift, ...]
    since: str | None


@dataclass(frozen=True)
class Drift:
    """changed: what is not as it was; unknown: machines that were not there when it was learned."""

    changed: tuple[Changed, ...]
    unknown: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "found": bool(self.changed),
            "changed": [asdict(one) for one in self.changed],
            "unknown": list(self.unknown),
        }


def find(workspace: Workspace, now: Lying, model: Trained, names: Sequence[str], read: Read) -> Drift:
    """What has changed in the series of a workspace, which lie so `now`; names (d,) of the features."""
    there = set(model.lying.machines.tolist())
    unknown = [machine for machine in now.machines.tolist() if machine not in there]
    each = [] if now.machines.tolist() == [ALL] else [i for i, one in enumerate(now.machines.tolist()) if one in there]
    candidates = [_changed(now.whole(), 0, model, names), *(_changed(now, i, model, names) for i in each)]
    changed = [one for one in candidates if one]
    if changed:
        when = _since(workspace, [one.machine for one in changed], model, read)
        changed = [_dated(one, when.get(one.machine)) for one in changed]
    return Drift(tuple(changed), tuple(unknown))


def _changed(now: Lying, i: int, model: Trained, names: Sequence[str]) -> Changed | None:
    machine, rows, refused = str(now.machines[i]), int(now.rows[i]), int(now.refused[i])
    shifts = drift.shifts(now.counts[i], model.lying.counts_of(machine), names)
    more = drift.too_many(refused, rows, model.facts["refused"])
    return Changed(machine, rows, round(refused / max(rows, 1), 6), more, shifts, None) if shifts or more else None


def _dated(one: Changed, since: str | None) -> Changed:
    return Changed(one.machine, one.rows, one.refused, one.more, one.shifts, since)


def _since(workspace: Workspace, machines: Sequence[str], model: Trained, read: Read) -> dict[str, str]:
    """machine -> the month from which on its features lie otherwise."""
    column = _times(workspace)
    if column is None:
        return {}
    parts = map_parts(partial(_by_month, workspace, column, machines, read), workspace.parts("features"), WORKERS)
    total: Months = reduce(_merged, parts, {})
    found: dict[str, str] = {}
    for machine in machines:
        months = sorted(month for who, month in total if who == machine)
        counts = np.array([total[machine, month] for month in months])
        first = drift.since(counts, model.lying.counts_of(machine)) if months else None
        found |= {} if first is None else {machine: months[first]}
    return found


def _times(workspace: Workspace) -> str | None:
    """The first carried column of times."""
    schema = pq.read_schema(workspace.parts("series")[0])
    return next((f.name for f in schema if pa.types.is_timestamp(f.type) or pa.types.is_date(f.type)), None)


def _by_month(workspace: Workspace, column: str, machines: Sequence[str], read: Read, path: Path) -> Months:
    part = read(path)
    carried = pl.DataFrame(pq.read_table(workspace.stage("series") / path.name, columns=[column]))
    times = carried[column].filter(pl.Series(part.keep))
    month = times.dt.strftime("%Y-%m").fill_null("").to_numpy().astype(str)
    found: Months = {}
    for who in machines:
        mine = np.flatnonzero((month != "") & ((part.machine == who) | (who == ALL)))
        months, at = np.unique(month[mine], return_inverse=True)
        counts = drift.count(part.z[mine], at, len(months))
        found |= {(who, str(one)): counts[i] for i, one in enumerate(months)}
    return found


def _merged(a: Months, b: Months) -> Months:
    return a | b | {key: a[key] + b[key] for key in a.keys() & b.keys()}
