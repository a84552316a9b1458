"""One sweep, from the features of its series to the files of clusters/ or of a drill-down in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tsclust.arrays import Floats, Int64s
from tsclust.config import Cluster
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.errors import NoSeriesError
from tsclust.stages.clusters import groups, parts, passes, quality, sampled_silhouette, stability, sweep
from tsclust.stages.clusters import scope as kept
from tsclust.stages.clusters.coreset import Coreset
from tsclust.stages.clusters.facts import Advice, Asked, ClustersFacts, SweepFacts
from tsclust.stages.clusters.passes import Rows
from tsclust.stages.clusters.renumbering import Renumbered
from tsclust.stages.clusters.scaling import GRID, Scaler, from_fine, to_fine
from tsclust.stages.clusters.scope import Scope
from tsclust.stages.clusters.sweep import Models, Sums
from tsclust.stages.features.facts import FEATURES
from tsclust.workspace.parquet import StageWriter

WORKERS = 2
SCRATCH = "scratch"
RESAMPLES = 5  # of the bootstrap
RULES = "See what each rule rejects with: tsclust filter --dry-run"
INSIDE = 0.5  # of a group's members: what is more than half of them is what is normal in it


@dataclass(frozen=True)
class Sweep:
    """What a sweep is made of, and where it goes.

    scope    its series;  ks ascending;  asked, the settings;  scaler and names (d,) of the features
    writer   of the stage, and the folder `under` it: "" for the main sweep, "within-007/" for a drill-down
    """

    scope: Scope
    ks: tuple[int, ...]
    asked: Cluster
    scaler: Scaler
    names: tuple[str, ...]
    writer: StageWriter
    under: str
    listen: Listener

    def say(self, what: str, done: int, total: int, unit: str = "series") -> None:
        self.listen(Progress(f"cluster: {what}", done, total, unit))


@dataclass(frozen=True)
class Judged:
    """What the last pass says of all series: see passes.Verdict; points are the sample that the map is drawn of."""

    spreads: quality.Spreads
    shared: Int64s
    fine: Int64s
    samples: list[sampled_silhouette.Sample]
    points: pa.Table


@dataclass(frozen=True)
class Swept:
    """What came of a sweep: its groups numbered from 1 on, facts for the manifest, the points of the map.

    points  a row per point: series_id, k02, k03, ..., in the order of place (n, 2)
    """

    groups: pl.DataFrame
    facts: SweepFacts
    points: pl.DataFrame
    place: Floats


def possible(ks: tuple[int, ...], rows: int, of: str = "left by the rules", then: str = RULES) -> tuple[int, ...]:
    """The k's that `rows` series allow: fewer clusters than series."""
    fewer = tuple(k for k in ks if k < rows)
    if not fewer:
        raise NoSeriesError(f"{rows} series are {of}: more than {ks[0]} are needed for k = {ks[0]}", then)
    return fewer


def run(one: Sweep) -> Swept:
    """Sweep, and write its files but those with groups' numbers: see `write_groups`."""
    scaled = _scale(one)
    coreset = passes.draw_coreset(scaled, one.asked.coreset, WORKERS)
    models, sums = _refine(one, scaled, coreset, _start(one, coreset))
    stable = _stability(one, coreset, models)
    judged = _judge(one, scaled, models, sums)
    diagnosis = quality.diagnose(models, sums, judged.spreads)
    normal = _normal(one, models, sums)
    found = groups.find(models, sums, diagnosis.clusters, judged.shared, one.asked.groups, normal)
    per_k = stability.per_model(models, stable)
    sampled = sampled_silhouette.silhouettes(judged.samples, models, sums, WORKERS)
    _write(one, parts.SWEEP_FILE, parts.sweep_table(models.ks, diagnosis, sampled, per_k))
    worth = groups.worth_alone(models, sums, diagnosis.clusters, normal)
    about = {"size": sums.count, "silhouette": diagnosis.clusters, "stability": stable, "worth": worth}
    means = from_fine(one.scaler, judged.fine, sums.count)
    _write(one, parts.CENTERS_FILE, parts.centers_table(models, about, one.names, means))
    one.writer.remove(SCRATCH)
    advice = quality.advice(models.ks, diagnosis) | {"stability": _stable_k(models, sums, per_k)}
    facts = _facts(one, coreset, models, sums, found, Advice.model_validate(advice))
    return Swept(
        pl.DataFrame([asdict(g) for g in found], schema=parts.GROUPS),
        facts,
        pl.DataFrame(judged.points),
        sampled_silhouette.plane(judged.samples[-1]),
    )


def _scale(one: Sweep) -> list[Rows]:
    """The scaled rows of every part, laid down in the stage's scratch folder and mapped: memory stays free."""
    folder = one.writer.folder / SCRATCH
    folder.mkdir()

    def one_part(path: Path) -> Rows:
        part = kept.read(one.scope, path, one.names, one.asked.baseline)
        rows = _laid_down(folder / f"{path.stem}.rows", one.scaler.transform(part.x, part.keys))
        return Rows(rows, _laid_down(folder / f"{path.stem}.hashes", part.hashes(one.asked.seed)))

    parts: list[Rows] = []
    for rows in map_parts(one_part, one.scope.workspace.parts(FEATURES), WORKERS):
        parts.append(rows)
        one.say("scaling", sum(len(p.rows) for p in parts), one.scope.rows)
    return parts


def _laid_down(path: Path, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array, now a mapped file; one without rows stays as it is. (np.save hides that a disk is full.)"""
    beside = path.with_name(f"{path.name}.{uuid4().hex}")  # whoever does the same part too writes the same
    beside.write_bytes(np.ascontiguousarray(array).tobytes())
    beside.replace(path)
    return np.memmap(path, array.dtype, "r", shape=array.shape) if array.size else array


def _start(one: Sweep, coreset: Coreset) -> Models:
    """The best start of every k."""
    starts = []
    for start in sweep.start(coreset, one.ks, one.asked.restarts, one.asked.seed, WORKERS):
        starts.append(start)
        one.say("restarts on the coreset", len(starts), len(one.ks), "k")
    return Models.of(one.ks, sweep.merged(coreset, [centers for _, centers in starts]))


def _refine(one: Sweep, parts: list[Rows], coreset: Coreset, models: Models) -> tuple[Models, Sums]:
    """The last of the rounds on all rows."""
    rounds = []
    for refined in passes.refine(parts, models, coreset, WORKERS):
        rounds.append(refined)
        one.say("rounds on all series", len(rounds), max(len(rounds), sweep.ROUNDS + 1), "rounds")
    return rounds[-1]


def _stability(one: Sweep, coreset: Coreset, models: Models) -> Floats:
    """(c,) how well each cluster comes back in resamples."""
    found = []
    for _, of_model in stability.stability(coreset, models, RESAMPLES, one.asked.seed, WORKERS):
        found.append(of_model)
        one.say("resamples", len(found), len(models.ks), "k")
    return np.concatenate(found)


def _stable_k(models: Models, sums: Sums, per_k: Floats) -> int | None:
    """What stability says; one cluster that comes back is no advice."""
    several = np.array([(part > 0).sum() > 1 for part in models.split(sums.count)])
    return stability.stable_k([int(k) for k in np.array(models.ks)[several]], per_k[several])


def _judge(one: Sweep, scaled: list[Rows], models: Models, sums: Sums) -> Judged:
    """The last pass over all series; assignments go to disk."""
    c, done = len(models.centers), 0
    spreads = quality.Spreads(np.zeros(c, np.int64), np.zeros(c, np.int64))
    shared, fine = np.zeros((c, c), np.int64), np.zeros((c, len(one.names)), np.int64)
    samples, points = [], []
    for path, verdict in _verdicts(one, scaled, models, sums):
        spreads, fine = spreads + verdict.spreads, fine + verdict.fine
        shared += verdict.shared  # in place: it is the largest of all
        table = parts.assignments_table(kept.ids(one.scope, path), models.ks, verdict.labels)
        _write(one, f"{parts.ASSIGNMENTS}/{path.name}", table)
        samples.append(verdict.samples)
        points.append(table.take(verdict.samples[-1].at))
        done += len(verdict.labels)
        one.say("silhouettes of all series", done, one.scope.rows)
    order = sampled_silhouette.order_of([of_part[-1] for of_part in samples])
    return Judged(spreads, shared, fine, sampled_silhouette.joined(samples), pa.concat_tables(points).take(order))


def _verdicts(one: Sweep, scaled: list[Rows], models: Models, sums: Sums) -> Iterator[tuple[Path, passes.Verdict]]:
    paths = one.scope.workspace.parts(FEATURES)
    with_features = [(part, partial(_fine, one, path)) for part, path in zip(scaled, paths, strict=True)]
    return zip(paths, passes.judge(with_features, models, sums, WORKERS), strict=True)


def _fine(one: Sweep, path: Path) -> Int64s:
    return to_fine(one.scaler, kept.read(one.scope, path, one.names, ()).x)


def _normal(one: Sweep, models: Models, sums: Sums) -> groups.Normal:
    """What is normal lies at 0, and inside of a group in its middle. Rare is what is rare among all series."""
    if one.scope.members is None:
        everything = one.scope.workspace.manifest(FEATURES).facts.kept
        return groups.Normal(np.zeros(len(one.names)), groups.NORMAL * everything / max(one.scope.rows, 1))
    return groups.Normal(sums.total[: models.first[1]].sum(axis=0) / sums.count[: models.first[1]].sum() / GRID, INSIDE)


def write_groups(one: Sweep, swept: Swept, numbered: pl.DataFrame) -> None:
    """groups.parquet and map.parquet, under the numbers that the groups have now."""
    _write(one, parts.GROUPS_FILE, numbered.to_arrow())
    _write(one, parts.MAP_FILE, parts.map_table(swept.points, swept.place, numbered))


def _write(one: Sweep, name: str, table: pa.Table) -> None:
    one.writer.write_table(f"{one.under}{name}", table)


def _facts(
    one: Sweep, coreset: Coreset, models: Models, sums: Sums, found: Sequence[groups.Group], advice: Advice
) -> SweepFacts:
    short = np.diff(models.first) < models.ks
    empty = np.array([(part == 0).any() for part in models.split(sums.count)])
    return SweepFacts(
        advice=advice, k=models.ks, rows=one.scope.rows, coreset=int(coreset.times.sum()),
        fewer_clusters=tuple(np.array(models.ks)[short | empty].tolist()), groups=len(found),
        proposed=sum(group.proposed for group in found), normal=sum(group.normal for group in found),
    )  # fmt: skip


def facts_of(one: Sweep, swept: SweepFacts, numbered: Renumbered) -> ClustersFacts:
    """Of the main sweep, whose groups have their numbers: there is no drill-down in it yet."""
    regimes, proposed = one.scaler.regimes, set(numbered.groups.filter("proposed")["group"])
    return ClustersFacts(
        **swept.model_dump(), baseline=one.asked.baseline, scaling=one.asked.scaling,
        baseline_groups=len(one.scaler.keys) - 1 if regimes is None else 0, baseline_too_few=one.scaler.too_few,
        regimes=0 if regimes is None else len(regimes.places), asked=Asked.model_validate(one.asked.model_dump()),
        left_out_k=len(one.asked.ks) - len(one.ks), highest=numbered.highest, compared=numbered.compared,
        kept_groups=numbered.kept, changed=tuple(sorted(proposed & set(numbered.changed))),
        new=tuple(sorted(proposed & set(numbered.new))), gone=tuple(numbered.gone),
    )  # fmt: skip
