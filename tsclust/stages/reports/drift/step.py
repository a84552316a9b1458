"""Scores that have drifted -> what the page shows. Of each machine a sample by the ids is read, whatever the parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Bools, Int64s, Keys, UInt64s
from tsclust.engine.base import map_parts
from tsclust.errors import TsclustError
from tsclust.hashing import hash_ids
from tsclust.series import SeriesBlock, keys
from tsclust.stages.features import freshness, kernels
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.catalogue import NAMES
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.model import carried_types
from tsclust.stages.model import parts as model_parts
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.facts import MODEL
from tsclust.stages.model.profile import ALL
from tsclust.stages.reports.drift.data import (
    DriftData,
    MachineDrift,
    Recordings,
    Scored,
    reasons_of,
    side_of,
    signs_of,
)
from tsclust.stages.reports.groups.cards import stage_of
from tsclust.stages.reports.groups.sample import SEED
from tsclust.stages.reports.measured import Measured
from tsclust.stages.scores import onset
from tsclust.stages.scores.drift import Changed, Drift
from tsclust.stages.scores.facts import ScoresFacts
from tsclust.stages.scores.onset import Sign
from tsclust.stages.scores.step import SeriesToScore
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest

SHOWN = 12  # machines that have a card
DRAWN = 1_000  # series of a side of a machine that are read: their band, their median
CHOSEN = {"card": pl.Int64, "hash": pl.UInt64, "part": pl.String, "row": pl.Int64}


@dataclass(frozen=True)
class Wanted:
    """Series of one side of a machine, None for all but the `named` ones; since: the first day, None for any."""

    machine: str | None
    named: frozenset[str]
    since: date | None = None

    def among(self, machine: Keys, days: pl.Series | None) -> Bools:
        """(n,) which of the series with these machines and days are wanted."""
        mine = onset.is_of(machine, Sign(self.machine, "rejected"), self.named)
        if self.since is None or days is None:
            return mine
        late: Bools = mine & (days >= self.since).fill_null(False).to_numpy()
        return late


@dataclass(frozen=True)
class Chosen:
    """rows: card, hash, part, row of series to be read, card by card by their hashes; series (cards,): how many there
    are in all."""

    rows: pl.DataFrame
    series: Int64s

    def of(self, card: int) -> Int64s:
        """Where the series of a card stand."""
        found: Int64s = np.flatnonzero(self.rows["card"].to_numpy() == card)
        return found


def collect(
    workspace: Workspace, source: SeriesToScore, scores: Manifest[ScoresFacts], title: str, measured: Measured
) -> DriftData:
    """Read series of the machines that have changed, those of training and the new ones."""
    drift = scores.facts.drift
    shown = drift.changed[:SHOWN]
    return DriftData(
        title, scores.facts.origin, drift.compared or 0,
        tuple(_cards(workspace, source, drift, shown)), tuple(one.machine for one in drift.changed[SHOWN:]),
        stage_of(scores) if shown else None, measured,
    )  # fmt: skip


def _cards(
    workspace: Workspace, source: SeriesToScore, drift: Drift, shown: Sequence[Changed]
) -> Iterator[MachineDrift]:
    if not shown:
        return
    named, model = frozenset(one.machine for one in drift.changed if one.machine is not None), source.model
    strange = [one.machine in drift.unknown for one in shown]
    late = [Wanted(one.machine, named, _day(one)) for one in shown]
    early = [
        Wanted(None, frozenset()) if new else replace(one, since=None) for one, new in zip(late, strange, strict=True)
    ]
    old = _chosen_of_training(workspace, model, early)
    new = _first(map_parts(partial(_of_new, source, late), source.paths), len(late))
    before, (after, scored) = _recordings(workspace.stage(SERIES), model, old), _scored(source, new)
    for n, one in enumerate(shown):
        rows, signs = new.of(n), list(signs_of(one, model.facts.features, _shares(model, one.machine)))
        then = side_of(before, int(old.series[n]), old.of(n))
        now = side_of(after, int(new.series[n]), rows[scored.keep[rows]])
        reasons = reasons_of(signs, after, scored, rows, (then.medians, now.medians))
        yield MachineDrift(one, then, now, reasons, strange[n])


def _day(one: Changed) -> date | None:
    return date.fromisoformat(one.since) if one.since else None


def _shares(model: ModelBundle, machine: str | None) -> tuple[float, float]:
    """(refused, rejected) in training."""
    return model.profile.shares_of(ALL if machine is None else machine)


def _of_new(source: SeriesToScore, wanted: Sequence[Wanted], path: Path) -> tuple[pl.DataFrame, Int64s]:
    """Of a part of the scored series those that are wanted, of what is compared."""
    folder, when = source.series, source.when(path)
    ids, machine = series_parts.read_ids(folder / path.name), _machines(folder / path.name, source.model)
    days, new = None if when is None else when.dt.date(), source.is_new(ids)
    return _drawn(ids, [one.among(machine, days) & new for one in wanted], path.name)


def _chosen_of_training(workspace: Workspace, model: ModelBundle, wanted: Sequence[Wanted]) -> Chosen:
    """None where the series of training, or what the rules say of them, are no longer there."""
    try:
        freshness.refuse_stale(workspace)
        trained = model_parts.read_trained(workspace.stage(MODEL))
        paths = workspace.parts(FEATURES)
    except TsclustError:
        return Chosen(pl.DataFrame(schema=CHOSEN), np.zeros(len(wanted), np.int64))
    one_part = partial(_of_training, workspace.stage(SERIES), model, trained, wanted)
    return _first(map_parts(one_part, paths), len(wanted))


def _of_training(
    folder: Path, model: ModelBundle, trained: UInt64s | None, wanted: Sequence[Wanted], path: Path
) -> tuple[pl.DataFrame, Int64s]:
    described = feature_parts.read(path)
    machine = _machines(folder / path.name, model)
    known = described.kept & model_parts.was_trained(described.ids, trained)
    return _drawn(described.ids, [one.among(machine, None) & known for one in wanted], path.name)


def _machines(path: Path, model: ModelBundle) -> Keys:
    """(n,) the machine of each series of a part of series/, as the model names it; "" where no column names one."""
    facts, ids = model.facts, series_parts.read_ids(path)
    if not facts.machine:
        return np.full(len(ids), "")
    table = series_parts.read_table(path, [facts.machine])
    return keys(carried_types.as_trained(table, [facts.machine], facts.feature_contract.carried or {}))


def _drawn(ids: pa.Array, wanted: Sequence[Bools], part: str) -> tuple[pl.DataFrame, Int64s]:
    """CHOSEN of a part, of each card those with the smallest hashes; how many there are."""
    hashes, tables = hash_ids(ids, SEED), [pl.DataFrame(schema=CHOSEN)]
    for card, mine in enumerate(wanted):
        rows = np.flatnonzero(mine)
        rows = rows[np.argsort(hashes[rows], kind="stable")[:DRAWN]]
        columns = pl.lit(card, pl.Int64).alias("card"), "hash", pl.lit(part).alias("part"), "row"
        tables.append(pl.DataFrame({"hash": hashes[rows], "row": rows}).select(*columns))
    return pl.concat(tables), np.array([np.count_nonzero(mine) for mine in wanted], np.int64)


def _first(parts: Iterable[tuple[pl.DataFrame, Int64s]], cards: int) -> Chosen:
    """Of all parts together."""
    tables, series = [pl.DataFrame(schema=CHOSEN)], np.zeros(cards, np.int64)
    for table, of_part in parts:
        tables.append(table)
        series += of_part
    rows = pl.concat(tables).sort("card", "hash", "part", "row")
    return Chosen(rows.filter(pl.int_range(pl.len()).over("card") < DRAWN), series)


def _recordings(folder: Path, model: ModelBundle, chosen: Chosen) -> Recordings:
    """The chosen ones of the parts in a folder of series/."""
    pieces, places = series_parts.by_part(chosen.rows)
    tables = list(map_parts(lambda piece: series_parts.read_rows(folder / piece[0], piece[1]), pieces))
    if not tables:
        return Recordings(pa.table({}), np.zeros((0, len(NAMES))))
    table = pa.concat_tables(tables).take(pa.array(places)).combine_chunks()
    return Recordings(table, kernels.describe(SeriesBlock.from_arrow(table), model.facts.feature_contract.sign))


def _scored(source: SeriesToScore, chosen: Chosen) -> tuple[Recordings, Scored]:
    """The chosen ones of the scored series, with their scores."""
    pieces, places = series_parts.by_part(chosen.rows)
    paths = {path.name: path for path in source.paths}
    found = list(map_parts(lambda piece: Scored.of(source.scores(paths[piece[0]], piece[1])), pieces))
    scored = Scored.none(len(source.model.facts.features)) if not found else Scored.joined(found, places)
    return _recordings(source.series, source.model, chosen), scored
