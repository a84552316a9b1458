"""One sweep, from the features of its series to the files of clusters/ or of a drill-down in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Bools, Floats, Int64s
from tsclust.config import Cluster
from tsclust.engine.base import WORKERS, Listener, Progress, map_parts
from tsclust.errors import NoSeriesError
from tsclust.stages.clusters import groups, parts, passes, proposal, quality, restarts, sampled_silhouette, sweep
from tsclust.stages.clusters import stability as resampling
from tsclust.stages.clusters.coreset import Coreset
from tsclust.stages.clusters.facts import Advice, Asked, ClustersFacts, SweepFacts
from tsclust.stages.clusters.parts import GroupRow
from tsclust.stages.clusters.quality import SilhouetteSums
from tsclust.stages.clusters.renumbering import Renumbered
from tsclust.stages.clusters.sampled_silhouette import Sample
from tsclust.stages.clusters.scaling import GRID, Scaler, from_fine, to_fine
from tsclust.stages.clusters.scope import Scope
from tsclust.stages.clusters.scratch import ScaledPart
from tsclust.stages.clusters.shapes.joint import JointScaler
from tsclust.stages.clusters.shapes.scaling import ShapeScaler
from tsclust.stages.clusters.sweep import ClusterSums, Models
from tsclust.workspace.parquet import StageWriter, Written, write_part

SCRATCH = "scratch"
RESAMPLES = 5  # of the bootstrap
RULES = "See what each rule rejects with: tsclust filter --dry-run"
INSIDE = 0.5  # of a group's members: what is more than half of them is what is normal in it

Say = Callable[[str, int, int, str], None]  # what, done, of how many, in which unit
Scaled = tuple[Path, ScaledPart]  # a part of features/ and its scaled rows


@dataclass(frozen=True)
class SweepTask:
    """What a sweep is made of: its series, ks ascending, settings, the scaler and the names (d,) of the features."""

    scope: Scope
    ks: tuple[int, ...]
    settings: Cluster
    scaler: Scaler | ShapeScaler | JointScaler
    names: tuple[str, ...]


@dataclass(frozen=True)
class EvaluatedPart:
    """Of one part of `rows` series: see Evaluated."""

    rows: int
    silhouettes: SilhouetteSums
    shared: Int64s
    fine: Int64s
    samples: list[Sample]
    points: pa.Table
    assignments: Written


@dataclass(frozen=True)
class Evaluated:
    """What the last pass comes to over all series: see passes.Evaluation.

    points  the sample that the map is drawn of: series_id, k02, k03, ...
    assignments  the files that it wrote
    """

    silhouettes: SilhouetteSums
    shared: Int64s
    fine: Int64s
    samples: list[Sample]
    points: pa.Table
    assignments: tuple[Written, ...]


@dataclass(frozen=True)
class Swept:
    """What came of a sweep: its groups numbered from 1 on, facts for the manifest, tables, the points of the map.

    away    (g, d) how far the middle of each group is from what is normal, in scaled units
    points  a row per point: series_id, k02, k03, ..., in the order of place (n, 2)
    assignments  files that are there already; sweep and centers have yet to be written
    """

    groups: pl.DataFrame
    away: Floats
    facts: SweepFacts
    sweep: pa.Table
    centers: pa.Table
    assignments: tuple[Written, ...]
    points: pl.DataFrame
    place: Floats


def feasible_ks(ks: tuple[int, ...], rows: int, of: str = "left by the rules", then: str = RULES) -> tuple[int, ...]:
    """The k's that `rows` series allow: 1 where they are too few to divide. Raises NoSeriesError for no k."""
    most = proposal.largest_k(rows)
    fewer = tuple(k for k in ks if k <= most)
    if not fewer and (most > 1 or not rows):
        raise NoSeriesError(f"k = {ks[0]} needs at least {ks[0] * proposal.LEAST} series; {of}: {rows}", then)
    return fewer or (1,)


def run(task: SweepTask, folder: Path, under: str, listen: Listener) -> Swept:
    """Sweep. Assignments are written on the way to `folder`, the stage in the making, with names that begin with
    `under`: "" for the main sweep, "within-007/" for a drill-down."""

    def say(what: str, done: int, total: int, unit: str = "series") -> None:
        listen(Progress(f"cluster: {what}", done, total, unit))

    scaled = _scale(task, folder / SCRATCH, say)
    coreset = passes.draw_coreset(scaled, task.settings.coreset, WORKERS)
    models, sums = _refine(scaled, coreset, _best_starts(task, coreset, say), say)
    stable = _stability(task, coreset, models, say)
    evaluated = _evaluate(task, scaled, models, partial(_evaluate_part, task, models, sums, folder, under), say)
    shutil.rmtree(folder / SCRATCH)
    return _summary(task, coreset, models, sums, stable, evaluated)


def write(writer: StageWriter, under: str, swept: Swept) -> None:
    """The files of a sweep but those with groups' numbers."""
    for written in swept.assignments:
        writer.add(written)
    writer.write_table(f"{under}{parts.SWEEP_FILE}", swept.sweep)
    writer.write_table(f"{under}{parts.CENTERS_FILE}", swept.centers)


def write_groups(writer: StageWriter, under: str, swept: Swept, numbered: pl.DataFrame) -> None:
    """groups.parquet and map.parquet, under the numbers that the groups have now."""
    writer.write_table(f"{under}{parts.GROUPS_FILE}", numbered.to_arrow())
    points = parts.map_table(swept.points, swept.place, parts.group_rows(numbered))
    writer.write_table(f"{under}{parts.MAP_FILE}", points)


def facts_of(task: SweepTask, swept: Swept, numbered: Renumbered) -> ClustersFacts:
    """Of the main sweep, whose groups have their numbers: there is no drill-down in it yet."""
    settings, scaler, regimes = task.settings, task.scaler, task.scaler.regimes
    proposed = set(parts.to_review(numbered.groups)["group"])
    return ClustersFacts(
        **swept.facts.model_dump(exclude={"groups", "proposed"}),
        groups=len(numbered.groups), proposed=len(proposed), baseline=settings.baseline_columns,
        scaling=settings.scaling, baseline_too_few=scaler.too_few,
        baseline_groups=len(scaler.keys) - 1 if settings.baseline_columns else 0,
        regimes=0 if regimes is None else len(regimes.places), asked=Asked.model_validate(settings.model_dump()),
        left_out_k=len({*settings.ks} - {*task.ks}), highest=numbered.highest, compared=numbered.compared,
        kept_groups=numbered.kept, changed=tuple(sorted(proposed & set(numbered.changed))),
        new=tuple(sorted(proposed & set(numbered.new))), gone=tuple(numbered.gone),
    )  # fmt: skip


def _scale(task: SweepTask, folder: Path, say: Say) -> list[ScaledPart]:
    """The scaled rows of every part, laid down in the folder."""
    folder.mkdir()
    paths, scaled = task.scope.paths, list[ScaledPart]()
    for part in map_parts(partial(_scale_part, task, folder), paths):
        scaled.append(part)
        say("scaling", sum(part.series for part in scaled), task.scope.rows, "series")
    return scaled


def _scale_part(task: SweepTask, folder: Path, path: Path) -> ScaledPart:
    part = task.scope.read(path, task.names, task.settings.baseline_columns)
    rows = task.scaler.transform(part.x, part.keys)
    return ScaledPart.write(folder / path.stem, rows, part.hashes(task.settings.seed))


def _best_starts(task: SweepTask, coreset: Coreset, say: Say) -> Models:
    """The best start of every k."""
    ks, settings = task.ks, task.settings
    say("restarts on the coreset", 0, len(ks), "k")
    starts = restarts.best_starts(coreset, ks, settings.restarts, settings.seed, WORKERS)
    models = Models.of(ks, restarts.merge_down(coreset, starts))
    say("restarts on the coreset", len(ks), len(ks), "k")
    return models


def _refine(scaled: list[ScaledPart], coreset: Coreset, models: Models, say: Say) -> tuple[Models, ClusterSums]:
    """The last of the rounds on all rows."""
    rounds = []
    for refined in passes.refine(scaled, models, coreset, WORKERS):
        rounds.append(refined)
        say("rounds on all series", len(rounds), max(len(rounds), sweep.MAX_ITER + 1), "rounds")
    return rounds[-1]


def _stability(task: SweepTask, coreset: Coreset, models: Models, say: Say) -> Floats:
    """(c,) how well each cluster comes back in resamples."""
    found = list[Floats]()
    for of_resample in resampling.stability(coreset, models, RESAMPLES, task.settings.seed, WORKERS):
        found.append(of_resample)
        say("resamples", len(found), RESAMPLES, "resamples")
    mean: Floats = np.mean(found, axis=0)
    return mean


def _evaluate(
    task: SweepTask, scaled: list[ScaledPart], models: Models, one_part: Callable[[Scaled], EvaluatedPart], say: Say
) -> Evaluated:
    """The last pass over all series; assignments go to disk."""
    c, done = len(models.centers), 0
    silhouettes = SilhouetteSums(np.zeros(c, np.int64), np.zeros(c, np.int64))
    shared, fine = np.zeros((c, c), np.int64), np.zeros((c, len(task.names)), np.int64)
    samples, points, written = [], [], []
    paths = task.scope.paths
    for part in map_parts(one_part, [*zip(paths, scaled, strict=True)]):
        silhouettes, fine = silhouettes + part.silhouettes, fine + part.fine
        shared += part.shared  # in place: it is the largest of all
        samples.append(part.samples)
        points.append(part.points)
        written.append(part.assignments)
        done += part.rows
        say("silhouettes of all series", done, task.scope.rows, "series")
    order = sampled_silhouette.order_of([of_part[-1] for of_part in samples])
    joined, table = sampled_silhouette.joined(samples), pa.concat_tables(points).take(order)
    return Evaluated(silhouettes, shared, fine, joined, table, tuple(written))


def _evaluate_part(
    task: SweepTask, models: Models, sums: ClusterSums, folder: Path, under: str, part: Scaled
) -> EvaluatedPart:
    path, scaled = part
    series = task.scope.read(path, task.names, ())
    found = passes.evaluate_part(scaled, to_fine(task.scaler, series.x), models, sums)
    table = parts.assignments_table(series.ids, models.ks, found.labels)
    written = write_part(folder, f"{under}{parts.ASSIGNMENTS}/{path.name}", table)
    points = table.take(found.samples[-1].at)
    return EvaluatedPart(
        len(table), found.silhouettes, found.shared, found.fine, found.samples, points, written,
    )  # fmt: skip


def _summary(
    task: SweepTask, coreset: Coreset, models: Models, sums: ClusterSums, stable: Floats, evaluated: Evaluated
) -> Swept:
    """From the sums over all series; stable (c,)."""
    diagnosis = quality.diagnose(models, sums, evaluated.silhouettes)
    normal = _normal(task, models, sums)
    found = groups.find(models, sums, diagnosis.clusters, evaluated.shared, task.settings.groups, normal)
    found = groups.least_like_normal_first(found, models, sums) if task.scope.known is not None else found
    per_k = resampling.per_model(models, stable)
    sampled = sampled_silhouette.silhouettes(evaluated.samples, models, sums, WORKERS)
    worth = groups.worth_alone(models, sums, diagnosis.clusters, normal)
    about = {"size": sums.count, "silhouette": diagnosis.clusters, "stability": stable, "worth": worth}
    means = from_fine(task.scaler, evaluated.fine, sums.count)
    advice = _advice(models, sums, diagnosis, per_k)
    return Swept(
        groups=parts.groups_table(found),
        away=sums.means[[models.offsets[models.ks.index(one.k)] + one.cluster for one in found]] - normal.place,
        facts=_facts(task, coreset, models, sums, found, advice),
        sweep=parts.sweep_table(models.ks, diagnosis, sampled, per_k),
        centers=parts.centers_table(models, about, task.names, means),
        assignments=evaluated.assignments,
        points=pl.DataFrame(evaluated.points),
        place=sampled_silhouette.plane(evaluated.samples[-1]),
    )


def _advice(models: Models, sums: ClusterSums, diagnosis: quality.Diagnosis, per_k: Floats) -> Advice:
    """Of the models that have as many clusters as they should: of the others no k is any advice."""
    whole = _whole(models, sums)
    ks = tuple(np.array(models.ks)[whole].tolist())
    found = quality.advice(ks, diagnosis.inertia[whole], diagnosis.silhouette[whole])
    return Advice(**found, stability=resampling.stable_k(ks, per_k[whole]))


def _whole(models: Models, sums: ClusterSums) -> Bools:
    """(models,) which of them have k clusters, none of them empty."""
    there = [np.count_nonzero(part) for part in models.split(sums.count)]
    return np.equal(there, models.ks)


def _normal(task: SweepTask, models: Models, sums: ClusterSums) -> groups.Normal:
    """What is normal is at 0, and within a group in its middle. Rare is what is rare among all series."""
    if task.scope.members is None:
        rows = max(task.scope.rows, 1)
        share = max(groups.NORMAL_SHARE * task.scope.kept / rows, min(INSIDE, proposal.FEW / rows))
        return groups.Normal(np.zeros(len(task.names)), share)
    first = slice(0, models.offsets[1])  # any model's sums are those of all series
    return groups.Normal(sums.total[first].sum(axis=0) / sums.count[first].sum() / GRID, INSIDE)


def _facts(
    task: SweepTask, coreset: Coreset, models: Models, sums: ClusterSums, found: Sequence[GroupRow], advice: Advice
) -> SweepFacts:
    return SweepFacts(
        advice=advice, k=models.ks, rows=task.scope.rows, coreset=int(coreset.times.sum()),
        fewer_clusters=tuple(np.array(models.ks)[~_whole(models, sums)].tolist()), groups=len(found),
        proposed=sum(group.proposed and not group.normal for group in found),
        normal=sum(group.normal for group in found),
    )  # fmt: skip
