"""labels review: labels that are probably wrong, most suspicious first, as a report whose answers become labels."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsclust import config
from tsclust.atomic import write_file
from tsclust.cluster.scale import GRID
from tsclust.config import Settings
from tsclust.engine import Listener, Progress, map_parts, silent
from tsclust.labels import learn, novel, suspect
from tsclust.labels.drift import Bools, Keys
from tsclust.labels.learn import Learned, in_one_order
from tsclust.pipeline import examples, labels_kept, models, screening
from tsclust.pipeline.examples import Gathered
from tsclust.pipeline.report import checked
from tsclust.pipeline.result import Result
from tsclust.report import review
from tsclust.report.review import Suspect
from tsclust.series import Floats, hash_ids
from tsclust.workspace import Meter, Workspace

WORKERS = 2
BUCKETS = 100  # of series, where no column names a machine
NEAREST = 30  # labelled series of each kind that are drawn beside a suspect
FEW, SHORT = 5, 60  # kinds that are named, characters of a name
NAME = "review"


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


def labels_review(
    root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent, *, limit: int = 40, name: str = NAME
) -> Result:
    """Write a report of the `limit` most suspicious labels, each with the kind it should rather be. Its answers are
    imported like those of any other."""
    workspace, meter, name = Workspace.open(root), Meter(), checked(name)
    settings = config.load(workspace.config, flags)
    with workspace.locked(), in_one_order():
        screening.refuse_stale(workspace)
        judged = _judged(workspace, settings, listen)
        ranked = _rank(workspace, settings, judged, listen)
        doubted = ranked.filter(pl.col("margin") > 0)
        shown = doubted.filter(~pl.col("series_id").is_in(_confirmed(workspace).implode())).head(limit)
        path = _write(workspace, settings, judged, shown, name)
    notes = (
        f"{len(doubted):,} of {len(ranked):,} labels would rather be of another kind; shown are {len(shown)}, the most"
        " so first",
        *_unjudged(workspace, settings, judged, ranked),
        "send it to the people who know the machine; take in what comes back with: tsclust labels import",
    )
    facts = {"rows": len(ranked), "suspicious": len(doubted), "shown": len(shown)}
    then = f"open {shlex.quote(str(path))}"
    return Result("labels review", path, *meter.read(), notes=notes, then=then, facts=facts)


def _write(workspace: Workspace, settings: Settings, judged: Judged, shown: pl.DataFrame, name: str) -> Path:
    """The page about the labels shown."""
    suspects, labels = _suspects(workspace, settings, judged, shown), workspace.manifest("labels").output_hash
    verdicts = dict(labels_kept.in_use(workspace, settings).select("kind", "verdict").unique("kind").iter_rows())
    verdicts = {examples.NORMAL: examples.NORMAL} | verdicts
    models.remember_review(workspace, labels)
    found = review.collect(workspace, settings.report, suspects, verdicts, labels)
    path = workspace.reports / f"{name}.html"
    write_file(path, review.render(found, settings.report.lang, name))
    return path


def _confirmed(workspace: Workspace) -> pl.Series:
    """Series that an expert has looked at one by one: what was said of them need not be asked again."""
    kept = labels_kept.read(workspace)
    single = kept.answers.filter("in_force", pl.col("members_hash").is_null(), pl.col("verdict").is_not_null())
    return kept.members.join(single, on="answer", how="semi")["series_id"]


def _unjudged(workspace: Workspace, settings: Settings, judged: Judged, ranked: pl.DataFrame) -> list[str]:
    used = labels_kept.in_use(workspace, settings)
    left = used.filter(pl.col("kind").is_in(judged.gathered.examples.kinds))
    kinds = left.join(ranked, on="series_id", how="anti")["kind"].unique().sort().to_list()
    names = ", ".join(kind[:SHORT] for kind in kinds[:FEW])
    return [f"not judged, since they occur on too few machines: labels of {names}"] if kinds else []


def rank(root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent) -> pl.DataFrame:
    """Every label in use, the most suspicious first: series_id, kind, suggested, probability (of the label), margin."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    screening.refuse_stale(workspace)
    with in_one_order():
        return _rank(workspace, settings, _judged(workspace, settings, listen), listen).drop("part", "row")


def _judged(workspace: Workspace, settings: Settings, listen: Listener) -> Judged:
    used = labels_kept.in_use(workspace, settings)
    listen(Progress("review: learning the labels", 0, 0, ""))
    gathered = examples.gather(workspace, settings, used)
    if len(np.unique(gathered.examples.machine)) < 2:
        gathered = replace(gathered, machine="", examples=replace(gathered.examples, machine=_buckets(gathered.ids)))
    learned = learn.learn(gathered.examples, settings.cluster.seed)
    estimator = learn.candidates(settings.cluster.seed)[learned.name]
    judges = suspect.judges(estimator, gathered.examples, learned.folds)
    place = suspect.fold_of(gathered.examples, learned.folds)
    return Judged(gathered, learned, judges, place, suspect.seen(gathered.examples, learned.folds))


def _buckets(ids: pl.Series) -> Keys:
    """(n,) in place of machines, by the hash of the id."""
    return (hash_ids(ids.to_arrow(), examples.SEED) % np.uint64(BUCKETS)).astype(str)


def _rank(workspace: Workspace, settings: Settings, judged: Judged, listen: Listener) -> pl.DataFrame:
    used = labels_kept.in_use(workspace, settings)
    kinds = judged.gathered.examples.kinds
    codes = used.filter(pl.col("kind").is_in(kinds)).select("series_id", code=_code(kinds))
    one_part = partial(_of_part, workspace, settings, judged, codes)
    found = []
    for part in map_parts(one_part, workspace.parts("features"), WORKERS):
        found.append(part)
        listen(Progress("review: asking about labels", sum(map(len, found)), len(codes)))
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
    probability = suspect.ask(judged.judges, judged.learned.temperature, x, fold, len(kinds))
    suggested, margin = suspect.suspicion(probability, kind)
    names, seen = pl.Series(kinds), judged.seen[fold, kind]
    judged_all = pl.DataFrame(
        {"series_id": found["series_id"], "kind": names.gather(kind), "suggested": names.gather(suggested),
         "probability": np.round(probability[np.arange(len(kind)), kind], 6), "margin": margin, "row": rows}
    ).with_columns(part=pl.lit(path.name))  # fmt: skip
    return judged_all.filter(pl.Series(seen))


def _suspects(workspace: Workspace, settings: Settings, judged: Judged, ranked: pl.DataFrame) -> list[Suspect]:
    """The most suspicious, each with the labelled series of both kinds that are nearest to it."""
    found: dict[Any, Suspect] = {}
    for rows in ranked.partition_by("part"):
        path = workspace.stage("features") / rows["part"][0]
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
    order = mine[novel.nearest(x, gathered.examples.x[mine], NEAREST + 1)]
    return [one for one in gathered.ids.gather(order).to_list() if one != series_id][:NEAREST]
