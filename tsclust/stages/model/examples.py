"""The labelled series as a classifier sees them: their features scaled as those of a sweep are, drawn by their ids."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsclust.arrays import Bools, Floats, Int64s, Keys, UInt64s
from tsclust.config import Settings
from tsclust.engine.base import map_parts
from tsclust.errors import NoSeriesError, SettingsError, StageMissingError
from tsclust.hashing import hash_ids, limit
from tsclust.stages.clusters import membership
from tsclust.stages.clusters.facts import CLUSTERS, sweep_hash
from tsclust.stages.clusters.scaling import GRID, Scaler
from tsclust.stages.clusters.scope import described_by, fit_scaler
from tsclust.stages.features import catalogue
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model.classifier import MIN_PER_KIND, Examples
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace

PER_KIND = 20_000  # series of a kind that are learned from: more say no more
SEED = 3
WORKERS = 2


@dataclass(frozen=True)
class Found:
    """What of a part, or of all, is learned from. n rows.

    hashes, ids, x, kind, machine  (n,) or (n, d); kind is a place in Gathered.kinds
    counts                         kind -> labelled series that the rules keep; the plain normal ones count too
    plain                          how many of them nobody has labelled
    """

    hashes: UInt64s
    ids: pl.Series
    x: Floats
    kind: Int64s
    machine: Keys
    counts: Counter[int]
    plain: int

    def __add__(self, other: Found) -> Found:
        names = ("hashes", "x", "kind", "machine")
        hashes, x, kind, machine = (np.concatenate([getattr(self, n), getattr(other, n)]) for n in names)
        ids = pl.concat([self.ids, other.ids])
        counts, plain = self.counts + other.counts, self.plain + other.plain
        return Found(hashes, ids, x, kind, machine, counts, plain)


@dataclass(frozen=True)
class Gathered:
    """Examples in the order of their ids' hashes, and what they are made of.

    ids      (n,) series_id of each
    counts   kind -> labelled series; too_few: kinds with less than MIN_PER_KIND of them, which are left out
    assumed  series that were taken for normal though nobody said so
    """

    examples: Examples
    ids: pl.Series
    counts: dict[str, int]
    too_few: dict[str, int]
    assumed: int
    scaler: Scaler
    machine: str


@dataclass(frozen=True)
class Asked:
    """used: series_id, code; limits (kinds,) largest hash drawn.

    plain  take also series that nobody has labelled, as kind 0: those of the normal mass of the sweep in the folder
           `mass`, or, where there is none, those in which nothing exceeds normal
    """

    used: pl.DataFrame
    limits: UInt64s
    plain: bool
    mass: Path | None


def gather(workspace: Workspace, settings: Settings, used: pl.DataFrame) -> Gathered:
    """From labels in use: series_id, kind, and, where fewer series are labelled normal than anything else, from those
    that nobody has labelled and nothing is strange about: a handful of labels must not stand for all that is normal.

    Raises StageMissingError where too few are labelled to learn from, NoSeriesError where the rules keep none.
    """
    if not workspace.manifest(FEATURES).facts.kept:
        raise NoSeriesError(f"the rules reject all series of {workspace.root}", "See why: tsclust filter")
    machine = machine_column(workspace, settings)
    scaler = fit_scaler(workspace, settings.cluster)
    counts = used["kind"].value_counts().sort("count", "kind", descending=[True, False])
    normal = counts.filter(pl.col("kind") == NORMAL)["count"].sum()
    assume = settings.train.assume_normal and 2 * normal < len(used)
    kinds = [NORMAL] * assume + [kind for kind in counts["kind"] if not (assume and kind == NORMAL)]
    asked = _asked(workspace, used, kinds, assume)
    one_part = partial(_of_part, workspace, settings, scaler, machine, asked)
    found = reduce(lambda a, b: a + b, map_parts(one_part, workspace.parts(FEATURES), WORKERS))
    return _gathered(workspace, found, kinds, scaler, machine)


def compared_by(settings: Settings) -> dict[str, Any]:
    """What decides on what is normal: a model holds for series that are compared in the same way."""
    names = ("scaling", "baseline", "regimes")
    return {name: value for name, value in settings.cluster.model_dump(mode="json").items() if name in names}


def machine_column(workspace: Workspace, settings: Settings) -> str:
    """The carried column that names a machine, "" for none. Raises SettingsError for one that is not there."""
    named = settings.train.machine or next(iter(settings.cluster.baseline), "")
    there = series_parts.carried_columns(workspace)
    if named and named not in there:
        near = difflib.get_close_matches(named, there, n=3) or there or ["none"]
        raise SettingsError(
            f"[train] machine: no carried column {named!r} (there are: {', '.join(near)})", "Correct it"
        )
    return named


def _asked(workspace: Workspace, used: pl.DataFrame, kinds: Sequence[str], assume: bool) -> Asked:
    code = pl.col("kind").replace_strict(kinds, range(len(kinds)), return_dtype=pl.Int64)
    codes = used.select("series_id", code=code)
    sizes = dict(codes["code"].value_counts().iter_rows())
    if assume:
        sizes[0] = workspace.manifest(FEATURES).facts.kept
    limits = np.array([limit(PER_KIND, sizes.get(n, 0)) for n in range(len(kinds))], np.uint64)
    return Asked(codes, limits, assume, _mass(workspace))


def _mass(workspace: Workspace) -> Path | None:
    """Where there is a sweep of all series: it knows which of them are normal."""
    return workspace.stage(CLUSTERS) if sweep_of(workspace) else None


def sweep_of(workspace: Workspace) -> str:
    """The hash of the sweep that knows what is normal, "" where there is none of features/ as it is."""
    clusters = workspace.find_manifest(CLUSTERS)
    fresh = clusters and clusters.inputs == {"features": workspace.manifest(FEATURES).output_hash}
    return sweep_hash(clusters) if clusters and fresh else ""


def _of_part(workspace: Workspace, settings: Settings, scaler: Scaler, machine: str, asked: Asked, path: Path) -> Found:
    """What is learned from of one part."""
    part = read(workspace, settings, scaler, machine, path)
    ids, machines, z = part.ids, part.machine, part.z
    found = pl.DataFrame({"series_id": ids}).with_row_index("row").join(asked.used, on="series_id")
    kind = np.full(len(ids), -1)
    kind[found["row"].to_numpy()] = found["code"].to_numpy()
    hashes = hash_ids(ids.to_arrow(), SEED)
    x, labelled = scaler.of_deviations(z), kind >= 0
    if asked.plain:
        mass = None if asked.mass is None else pl.Series(membership.normal_ids(asked.mass, path.name))
        kind[(kind < 0) & (~x.any(axis=1) if mass is None else ids.is_in(mass.implode()).to_numpy())] = 0
    rows = np.flatnonzero((kind >= 0) & (hashes <= asked.limits[kind]))
    counts = Counter(dict(zip(*(c.tolist() for c in np.unique(kind[kind >= 0], return_counts=True)), strict=True)))
    return Found(
        hashes[rows], ids.gather(rows), x[rows] / GRID, kind[rows], machines[rows], counts,
        int(np.count_nonzero((kind >= 0) & ~labelled)),
    )  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A part of features/: all its series, which of them the rules keep, and of these the deviations and machines.

    series_id, rejected_by  (all,);  keep (all,);  z (n, d);  machine (n,);  rejected (all - n,) machine of the others
    """

    rows: pl.DataFrame
    keep: Bools
    z: Floats
    machine: Keys
    rejected: Keys

    @property
    def ids(self) -> pl.Series:
        """(n,) of the kept ones."""
        return self.rows["series_id"].filter(pl.Series(self.keep))


def read(workspace: Workspace, settings: Settings, scaler: Scaler, machine: str, path: Path) -> Part:
    """The features of a part as deviations from what is normal."""
    names, baseline = catalogue.clustered(described_by(workspace)), settings.cluster.baseline
    rows = feature_parts.read(path, names)
    keep, series = rows.kept, workspace.stage(SERIES) / path.name
    keys = series_parts.read_keys(series, baseline, keep)
    named = partial(series_parts.read_keys, series, [machine] if machine else [])
    machines = keys if tuple(baseline) == (machine,) else named(keep)
    about = pl.DataFrame({"series_id": pl.Series(rows.ids), "rejected_by": pl.Series(rows.rejected_by)})
    return Part(about, keep, scaler.deviations(rows.x[keep], keys), machines, named(~keep))


def _gathered(workspace: Workspace, found: Found, kinds: Sequence[str], scaler: Scaler, machine: str) -> Gathered:
    enough = [code for code in range(len(kinds)) if found.counts[code] >= MIN_PER_KIND]
    if len(enough) < 2:
        fewest = f"kinds of {workspace.root} with at least {MIN_PER_KIND} labelled series"
        raise StageMissingError(
            f"{fewest}: {len(enough)}; expected two or more",
            f"Get more groups answered, then run: {command('labels import', workspace.root)} answers-*.json",
        )
    order = np.argsort(found.hashes, kind="stable")
    order = order[np.isin(found.kind[order], enough)]
    drawn = Counter(found.kind[order].tolist())
    place = {code: at for at, code in enumerate(enough)}
    kind = np.array([place[code] for code in found.kind[order].tolist()], np.int64)
    weight = np.array([found.counts[code] / drawn[code] for code in found.kind[order].tolist()])
    names = tuple(kinds[code] for code in enough)
    examples = Examples(found.x[order], kind, weight, found.machine[order], names)
    counts = {kinds[code]: found.counts[code] for code in enough}
    few = {kinds[code]: n for code, n in found.counts.items() if code not in enough}
    return Gathered(examples, found.ids.gather(order), counts, few, found.plain, scaler, machine)
