"""The labelled series as a classifier sees them: their features scaled as those of a sweep are, drawn by their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path

import numpy as np
import polars as pl

from tsclust.arrays import Bools, Floats, Grid, Int64s, Keys, UInt64s
from tsclust.engine.base import map_parts
from tsclust.errors import StageMissingError
from tsclust.hashing import hash_ids, limit
from tsclust.series import ID
from tsclust.stages.clusters import membership
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model.classifier import MIN_PER_KIND, Examples
from tsclust.stages.model.deviations import Yardstick
from tsclust.stages.model.files import LabelledSeries
from tsclust.stages.model.parts import DeviationReader

PER_KIND = 8_000  # series of a kind that are learned from: more cost time and recognise no more (docs/decisions.md)
SEED = 3


@dataclass(frozen=True)
class Drawn:
    """What is learned from of a part, or of all. n rows.

    hashes, ids, x, kind, machine  (n,) or (n, d); kind is a place in DrawPlan.kinds
    counts                         kind -> labelled series that the rules keep; the assumed ones count too
    labelled                       (n,) whether somebody has labelled it
    assumed                        how many nobody has labelled, drawn or not
    """

    hashes: UInt64s
    ids: pl.Series
    x: Floats
    kind: Int64s
    machine: Keys
    labelled: Bools
    counts: Counter[int]
    assumed: int

    def __add__(self, other: Drawn) -> Drawn:
        names = ("hashes", "x", "kind", "machine", "labelled")
        hashes, x, kind, machine, labelled = (np.concatenate([getattr(self, n), getattr(other, n)]) for n in names)
        ids = pl.concat([self.ids, other.ids])
        counts, assumed = self.counts + other.counts, self.assumed + other.assumed
        return Drawn(hashes, ids, x, kind, machine, labelled, counts, assumed)


@dataclass(frozen=True)
class Gathered:
    """Examples in the order of their ids' hashes, and what they are made of.

    ids      (n,) series_id of each;  labelled: (n,) whether somebody has labelled it
    counts   kind -> labelled series; too_few: kinds with less than MIN_PER_KIND of them, which are left out
    assumed  series that were taken for normal though nobody labelled them
    """

    examples: Examples
    ids: pl.Series
    labelled: Bools
    counts: dict[str, int]
    too_few: dict[str, int]
    assumed: int
    yardstick: Yardstick


@dataclass(frozen=True)
class DrawPlan:
    """Which series are drawn. codes: series_id, code (index into kinds); limits (kinds,) largest hash drawn.

    assume  draw also series that nobody has labelled, as kind 0: those of the normal mass of the sweep in the folder
            `normal`, or, where there is none, those in which nothing exceeds normal
    """

    kinds: tuple[str, ...]
    codes: pl.DataFrame
    limits: UInt64s
    assume: bool
    normal: Path | None


def gather(source: LabelledSeries, assume_normal: bool) -> Gathered:
    """Examples from labels in use and, if `assume_normal` and fewer series are labelled normal than anything else, from
    series that nobody has labelled and nothing is strange about: a handful of labels must not stand for all of them.

    Raises StageMissingError where too few are labelled to learn from.
    """
    plan = _plan(source, assume_normal)
    drawn = map_parts(partial(_of_part, source.reader, plan), source.parts)
    return _gathered(source, plan.kinds, reduce(lambda a, b: a + b, drawn))


def _plan(source: LabelledSeries, assume_normal: bool) -> DrawPlan:
    used = source.used
    counts = used["kind"].value_counts().sort("count", "kind", descending=[True, False])
    normal = counts.filter(pl.col("kind") == NORMAL)["count"].sum()
    assume = assume_normal and 2 * normal < len(used)
    kinds = [NORMAL] * assume + [kind for kind in counts["kind"] if not (assume and kind == NORMAL)]
    code = pl.col("kind").replace_strict(kinds, range(len(kinds)), return_dtype=pl.Int64)
    codes = used.select(ID, code=code)
    sizes = dict(codes["code"].value_counts().iter_rows())
    if assume:
        sizes[0] = source.kept
    limits = np.array([limit(PER_KIND, sizes.get(n, 0)) for n in range(len(kinds))], np.uint64)
    return DrawPlan(tuple(kinds), codes, limits, assume, source.normal)


def _of_part(reader: DeviationReader, plan: DrawPlan, path: Path) -> Drawn:
    """What is learned from of one part."""
    part = reader(path)
    ids = pl.Series(ID, part.kept_ids)
    found = pl.DataFrame({ID: ids}).with_row_index("row").join(plan.codes, on=ID)
    kind = np.full(len(ids), -1)
    kind[found["row"].to_numpy()] = found["code"].to_numpy()
    hashes = hash_ids(ids.to_arrow(), SEED)
    x, labelled = reader.yardstick.scaler.of_deviations(part.z), kind >= 0
    if plan.assume:
        kind[(kind < 0) & _normal(plan, path, ids, x)] = 0
    rows = np.flatnonzero((kind >= 0) & (hashes <= plan.limits[kind]))
    counts = Counter(dict(zip(*(c.tolist() for c in np.unique(kind[kind >= 0], return_counts=True)), strict=True)))
    return Drawn(
        hashes[rows], ids.gather(rows), x[rows] / GRID, kind[rows], part.machine[rows], labelled[rows], counts,
        int(np.count_nonzero((kind >= 0) & ~labelled)),
    )  # fmt: skip


def _normal(plan: DrawPlan, path: Path, ids: pl.Series, x: Grid) -> Bools:
    """(n,) whether a series is taken for normal unless a label says otherwise."""
    if plan.normal is None:
        return np.logical_not(x.any(axis=1))
    return ids.is_in(pl.Series(membership.normal_ids(plan.normal, path.name)).implode()).to_numpy()


def _gathered(source: LabelledSeries, kinds: Sequence[str], found: Drawn) -> Gathered:
    enough = [code for code in range(len(kinds)) if found.counts[code] >= MIN_PER_KIND]
    if len(enough) < 2:
        raise StageMissingError(
            f"{source.root} has too few kinds with at least {MIN_PER_KIND} labelled series: {len(enough)}, expected two"
            " or more",
            f"Get more groups answered, then run: {LABELS.command(source.root)}",
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
    return Gathered(
        examples, found.ids.gather(order), found.labelled[order], counts, few, found.assumed, source.reader.yardstick
    )
