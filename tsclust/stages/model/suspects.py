"""Labels that are probably wrong: each judged by classifiers that have not seen its machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsclust import config
from tsclust.arrays import Bools, Floats, Keys
from tsclust.config import Settings
from tsclust.engine.base import Listener, Progress, map_parts, silent
from tsclust.hashing import hash_ids
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.features import freshness
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import files
from tsclust.stages.model import classifier, examples, label_errors, novelty
from tsclust.stages.model.classifier import Learned, single_threaded_blas
from tsclust.stages.model.examples import Gathered
from tsclust.stages.model.label_errors import Suspect
from tsclust.workspace.folder import Workspace

WORKERS = 2


BUCKETS = 100  # of series, where no column names a machine


NEAREST = 30  # labelled series of each kind that are drawn beside a suspect


@dataclass(frozen=True)
class Judged:
    """What labels are judged by.

    judges  a classifier for each fold; place: machine -> fold
    seen    (folds, kinds) which kinds it has learned: of another one it would say of every label that it is wrong
    """

    gathered: Gathered
    learned: Learned
    judges: list[Any]
    place: dict[str, int]
    seen: Bools


def rank(root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent) -> pl.DataFrame:
    """Every label in use, the most suspicious first: series_id, kind, suggested, probability (of the label), margin."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    freshness.refuse_stale(workspace)
    with single_threaded_blas():
        return rank_labels(workspace, settings, judge_labels(workspace, settings, listen), listen).drop("part", "row")


def judge_labels(workspace: Workspace, settings: Settings, listen: Listener) -> Judged:
    used = files.in_use(workspace, settings)
    listen(Progress("review: learning the labels", 0, 0, ""))
    gathered = examples.gather(workspace, settings, used)
    if len(np.unique(gathered.examples.machine)) < 2:
        gathered = replace(gathered, machine="", examples=replace(gathered.examples, machine=_buckets(gathered.ids)))
    learned = classifier.learn(gathered.examples, settings.cluster.seed)
    estimator = classifier.candidates(settings.cluster.seed)[learned.name]
    judges = label_errors.fold_classifiers(estimator, gathered.examples, learned.folds)
    place = label_errors.fold_of(gathered.examples, learned.folds)
    return Judged(gathered, learned, judges, place, label_errors.kinds_seen(gathered.examples, learned.folds))


def _buckets(ids: pl.Series) -> Keys:
    """(n,) in place of machines, by the hash of the id."""
    return (hash_ids(ids.to_arrow(), examples.SEED) % np.uint64(BUCKETS)).astype(str)


def rank_labels(workspace: Workspace, settings: Settings, judged: Judged, listen: Listener) -> pl.DataFrame:
    used = files.in_use(workspace, settings)
    kinds = judged.gathered.examples.kinds
    codes = used.filter(pl.col("kind").is_in(kinds)).select("series_id", code=_code(kinds))
    one_part = partial(_of_part, workspace, settings, judged, codes)
    found = []
    for part in map_parts(one_part, workspace.parts(FEATURES), WORKERS):
        found.append(part)
        listen(Progress("review: checking labels", sum(map(len, found)), len(codes)))
    return pl.concat(found).sort("margin", "series_id", descending=[True, False])


def _code(kinds: tuple[str, ...]) -> pl.Expr:
    return pl.col("kind").replace_strict(kinds, range(len(kinds)), return_dtype=pl.Int64)


def _of_part(workspace: Workspace, settings: Settings, judged: Judged, codes: pl.DataFrame, path: Path) -> pl.DataFrame:
    part = examples.read(workspace, settings, judged.gathered.scaler, judged.gathered.machine, path)
    found = pl.DataFrame({"series_id": part.ids}).with_row_index("row").join(codes, on="series_id")
    rows, kind = found["row"].to_numpy(), found["code"].to_numpy()
    x = judged.gathered.scaler.of_deviations(part.z[rows]) / GRID
    machine = part.machine[rows] if judged.gathered.machine else _buckets(found["series_id"])
    fold = np.array([judged.place.get(str(one), 0) for one in machine], np.int64)
    kinds = judged.gathered.examples.kinds
    probability = label_errors.predict_by_fold(judged.judges, judged.learned.temperature, x, fold, len(kinds))
    suggested, margin = label_errors.suspicion(probability, kind)
    names, seen = pl.Series(kinds), judged.seen[fold, kind]
    judged_all = pl.DataFrame(
        {"series_id": found["series_id"], "kind": names.gather(kind), "suggested": names.gather(suggested),
         "probability": np.round(probability[np.arange(len(kind)), kind], 6), "margin": margin, "row": rows}
    ).with_columns(part=pl.lit(path.name))  # fmt: skip
    return judged_all.filter(pl.Series(seen))


def suspects_of(workspace: Workspace, settings: Settings, judged: Judged, ranked: pl.DataFrame) -> list[Suspect]:
    """The most suspicious, each with the labelled series of both kinds that are nearest to it."""
    found: dict[Any, Suspect] = {}
    for rows in ranked.partition_by("part"):
        path = workspace.stage(FEATURES) / rows["part"][0]
        part = examples.read(workspace, settings, judged.gathered.scaler, judged.gathered.machine, path)
        x = judged.gathered.scaler.of_deviations(part.z[rows["row"].to_numpy()]) / GRID
        for row, place in zip(rows.iter_rows(named=True), x, strict=True):
            near = [
                _nearest(judged.gathered, row["series_id"], place, kind) for kind in (row["kind"], row["suggested"])
            ]
            found[row["series_id"]] = Suspect(row["series_id"], row["kind"], row["suggested"], *near)
    return [found[series_id] for series_id in ranked["series_id"]]


def _nearest(gathered: Gathered, series_id: Any, x: Floats, kind: str) -> list[Any]:
    """The ids of the labelled series of a kind that are nearest to x (d,), itself left out."""
    mine = np.flatnonzero(gathered.examples.kind == gathered.examples.kinds.index(kind))
    order = mine[novelty.nearest(x, gathered.examples.x[mine], NEAREST + 1)]
    return [one for one in gathered.ids.gather(order).to_list() if one != series_id][:NEAREST]
