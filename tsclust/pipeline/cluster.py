"""cluster: features/ -> clusters/"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tsclust import config
from tsclust.atomic import StageWriter
from tsclust.cluster import groups, passes, quality, sweep
from tsclust.cluster.groups import Group
from tsclust.cluster.passes import Rows
from tsclust.cluster.scale import Scaler, from_fine, to_fine
from tsclust.cluster.sweep import Models, Sums
from tsclust.config import Cluster, Settings
from tsclust.engine import Listener, Progress, map_parts, silent
from tsclust.errors import NoSeriesError
from tsclust.features import catalogue
from tsclust.pipeline import kept, screening
from tsclust.pipeline.result import Result, of_stage, up_to_date
from tsclust.series import Floats, Int64s
from tsclust.workspace import Manifest, Meter, Workspace, command, write_manifest

WORKERS = 2
SCRATCH = "scratch"


def cluster(root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent) -> Result:
    """Run K-means++ over the whole sweep of k and find the groups hidden in it."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    meter = Meter()
    then = command("report", root)
    with workspace.locked():
        features, before = workspace.manifest("features"), workspace.find_manifest("clusters")
        inputs, digest = {"features": features.output_hash}, config.digest(settings.cluster)
        if before and (before.inputs, before.settings) == (inputs, digest):
            return up_to_date("cluster", workspace.stage("clusters"), before, then)
        if settings.cluster.baseline:
            screening.refuse_stale(workspace)
        ks = _possible(settings.cluster.ks, features.facts["kept"])
        with workspace.writing("clusters") as writer:
            facts = _sweep(workspace, writer, settings, ks, listen)
            writer.remove(SCRATCH)
            manifest = write_manifest(
                writer, meter, stage="clusters", settings=digest, inputs=inputs, seed=settings.cluster.seed,
                rows=features.facts["kept"], parts=features.parts, facts=facts,
            )  # fmt: skip
    return of_stage("cluster", workspace.stage("clusters"), manifest, then, notes=_notes(manifest, settings))


def _possible(ks: tuple[int, ...], rows: int) -> tuple[int, ...]:
    """The k's that `rows` series allow: fewer clusters than series."""
    possible = tuple(k for k in ks if k < rows)
    if not possible:
        raise NoSeriesError(
            f"{rows} series are left by the rules: more than {ks[0]} are needed for k = {ks[0]}",
            "See what each rule rejects with: tsclust filter --dry-run",
        )
    return possible


def _sweep(
    workspace: Workspace, writer: StageWriter, settings: Settings, ks: tuple[int, ...], listen: Listener
) -> dict[str, Any]:
    asked = settings.cluster
    scaler = kept.fit_scaler(workspace, asked)
    names = catalogue.clustered(kept.described_by(workspace))
    parts = _scale(workspace, writer, scaler, names, asked, listen)
    coreset = passes.draw_coreset(parts, asked.coreset, WORKERS)
    starts = []
    for start in sweep.start(coreset, ks, asked.restarts, asked.seed, WORKERS):
        starts.append(start)
        listen(Progress("cluster: restarts on the coreset", len(starts), len(ks), "k"))
    models, sums = _refine(parts, Models.of(ks, [centers for _, centers in starts]), listen)
    return _judge(workspace, writer, scaler, names, parts, models, sums, asked.groups, listen) | {
        "baseline": list(asked.baseline),
        "baseline_groups": len(scaler.keys) - 1,
        "baseline_too_few": scaler.too_few,
        "coreset": len(coreset.rows),
        "scaling": asked.scaling,
        "left_out_k": len(asked.ks) - len(ks),
    }


def _refine(parts: list[Rows], models: Models, listen: Listener) -> tuple[Models, Sums]:
    """The last of the rounds on all rows."""
    rounds = []
    for one in passes.refine(parts, models, WORKERS):
        rounds.append(one)
        listen(Progress("cluster: rounds on all series", len(rounds), sweep.ROUNDS + 1, "rounds"))
    return rounds[-1]


def _scale(
    workspace: Workspace, writer: StageWriter, scaler: Scaler, names: tuple[str, ...], asked: Cluster, listen: Listener
) -> list[Rows]:
    """The scaled rows of every part, laid down in the stage's scratch folder and mapped: memory stays free."""
    folder = writer.folder / SCRATCH
    folder.mkdir()

    def one_part(path: Path) -> Rows:
        part = kept.read(workspace, path, names, asked.baseline)
        rows = _laid_down(folder / f"{path.stem}.rows", scaler.transform(part.x, part.keys))
        return Rows(rows, _laid_down(folder / f"{path.stem}.hashes", part.hashes(asked.seed)))

    parts = []
    for rows in map_parts(one_part, workspace.parts("features"), WORKERS):
        parts.append(rows)
        total = workspace.manifest("features").facts["kept"]
        listen(Progress("cluster: scaling", sum(len(p.rows) for p in parts), total))
    return parts


def _laid_down(path: Path, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array, now a mapped file; one without rows stays as it is. (np.save hides that a disk is full.)"""
    path.write_bytes(np.ascontiguousarray(array).tobytes())
    return np.memmap(path, array.dtype, "r", shape=array.shape) if array.size else array


def _judge(
    workspace: Workspace, writer: StageWriter, scaler: Scaler, names: tuple[str, ...], parts: list[Rows],
    models: Models, sums: Sums, proposed: int, listen: Listener,
) -> dict[str, Any]:  # fmt: skip
    """The last pass: assignments to disk, diagnosis, groups, centers."""
    c = len(models.centers)
    spreads = quality.Spreads(np.zeros(c, np.int64), np.zeros(c, np.int64))
    shared, fine = np.zeros((c, c), np.int64), np.zeros((c, len(names)), np.int64)
    paths = workspace.parts("features")
    fine_of = [partial(_fine, workspace, path, names, scaler) for path in paths]
    with_features = list(zip(parts, fine_of, strict=True))
    done = 0
    for path, verdict in zip(paths, passes.judge(with_features, models, sums, WORKERS), strict=True):
        spreads, shared, fine = spreads + verdict.spreads, shared + verdict.shared, fine + verdict.fine
        _write_assignments(writer, path, models, verdict.labels)
        done += len(verdict.labels)
        listen(Progress("cluster: silhouettes of all series", done, int(sums.count[: models.first[1]].sum())))
    diagnosis = quality.diagnose(models, sums, spreads)
    found = groups.find(models, sums, diagnosis.clusters, shared, proposed)
    _write_sweep(writer, models, diagnosis)
    means = dict(zip(names, from_fine(scaler, fine, sums.count).T, strict=True))
    _write_centers(writer, models, sums, diagnosis, means)
    writer.write_table("groups.parquet", pl.DataFrame([asdict(g) for g in found], schema=_GROUPS).to_arrow())
    return {"advice": quality.advice(models.ks, diagnosis), **_counted(found)}


def _fine(workspace: Workspace, path: Path, names: tuple[str, ...], scaler: Scaler) -> Int64s:
    return to_fine(scaler, kept.read(workspace, path, names, ()).x)


def _write_assignments(writer: StageWriter, path: Path, models: Models, labels: Any) -> None:
    ids = kept.ids(path)
    columns = {f"k{k:02d}": pa.array(np.ascontiguousarray(labels[:, j])) for j, k in enumerate(models.ks)}
    writer.write_table(f"assignments/{path.name}", pa.table({"series_id": ids, **columns}))


def _write_sweep(writer: StageWriter, models: Models, diagnosis: quality.Diagnosis) -> None:
    names = ("inertia", "silhouette", "davies_bouldin", "calinski_harabasz", "smallest")
    columns = {"k": np.array(models.ks), **{name: getattr(diagnosis, name) for name in names}}
    writer.write_table("sweep.parquet", pa.table(columns))


def _write_centers(
    writer: StageWriter, models: Models, sums: Sums, diagnosis: quality.Diagnosis, means: dict[str, Floats]
) -> None:
    per_model = np.diff(models.first)
    columns: dict[str, Any] = {
        "k": np.repeat(models.ks, per_model),
        "cluster": np.concatenate([np.arange(n) for n in per_model]),
        "size": sums.count,
        "silhouette": diagnosis.clusters,
    }
    writer.write_table("centers.parquet", pa.table(columns | means))


_GROUPS: dict[str, type[pl.DataType]] = {
    "group": pl.Int64, "k": pl.Int64, "cluster": pl.Int64, "size": pl.Int64, "share": pl.Float64, "first_k": pl.Int64,
    "last_k": pl.Int64, "parent": pl.Int64, "within": pl.Int64, "silhouette": pl.Float64, "worth": pl.Float64,
    "normal": pl.Boolean, "proposed": pl.Boolean,
}  # fmt: skip


def _counted(found: list[Group]) -> dict[str, int]:
    return {"groups": len(found), "proposed": sum(g.proposed for g in found), "normal": sum(g.normal for g in found)}


def _notes(manifest: Manifest, settings: Settings) -> tuple[str, ...]:
    facts = manifest.facts
    elbow, silhouette = facts["advice"]["elbow"], facts["advice"]["silhouette"]
    notes = [
        f"{facts['groups']} distinct groups in the sweep, {facts['proposed']} of them proposed for a look",
        f"advice on k: elbow {elbow or 'shows no clear k'}, silhouette {silhouette}; the groups need no one k",
    ]
    if settings.cluster.baseline:
        names = ", ".join(settings.cluster.baseline)
        notes.append(f"baseline {names}: {facts['baseline_groups']} groups are compared with themselves")
    if facts["baseline_too_few"]:
        notes.append(f"{facts['baseline_too_few']} have too few series for that and are compared with the whole")
    if facts["left_out_k"]:
        notes.append(f"{facts['left_out_k']} k left out: there are only {manifest.rows} series")
    return tuple(notes)
