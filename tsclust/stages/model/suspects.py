"""Labels that are probably wrong: each predicted by classifiers that have not seen its machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsclust.arrays import Bools, Floats, Keys
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.hashing import hash_ids
from tsclust.series import ID
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.model import classifier, examples, label_errors, novelty
from tsclust.stages.model.classifier import Learned
from tsclust.stages.model.deviations import Deviations
from tsclust.stages.model.examples import Gathered
from tsclust.stages.model.files import LabelledSeries
from tsclust.stages.model.label_errors import Suspect
from tsclust.stages.model.parts import DeviationReader

BUCKETS = 100  # of series, where no column names a machine
NEAREST = 30  # labelled series of each kind that are drawn beside a suspect


@dataclass(frozen=True)
class LabelJudge:
    """What labels are compared with.

    place  machine -> the fold in which it is predicted
    seen   (folds, kinds) which kinds it has learned: of another one it would call every label wrong
    """

    reader: DeviationReader
    gathered: Gathered
    learned: Learned
    place: dict[str, int]
    seen: Bools

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.gathered.examples.kinds

    def scaled(self, part: Deviations, rows: Any) -> Floats:
        """(rows, d) scaled features of these kept series of a part."""
        return self.reader.yardstick.scaler.of_deviations(part.z[rows]) / GRID

    def folds_of(self, part: Deviations, rows: Any) -> Any:
        """(rows,) the fold whose classifier has not seen the machine."""
        by_name = self.reader.yardstick.machine
        machine = part.machine[rows] if by_name else _buckets(pl.Series(part.kept_ids).gather(rows))
        return np.array([self.place.get(str(one), 0) for one in machine], np.int64)

    def probability(self, part: Deviations, rows: Any) -> Floats:
        """(rows, kinds) by classifiers that have not seen the machine."""
        x, fold = self.scaled(part, rows), self.folds_of(part, rows)
        return label_errors.predict_by_fold(self.learned.by_fold, self.learned.temperature, x, fold, len(self.kinds))


def learn_labels(source: LabelledSeries, seed: int, assume_normal: bool, listen: Listener) -> LabelJudge:
    """Learn the labels fold by fold. Raises what `examples.gather` raises."""
    listen(Progress("review: learning the labels", 0, 0, ""))
    gathered = _with_machines(examples.gather(source, assume_normal))
    learned = classifier.learn(gathered.examples, seed)
    return LabelJudge(
        replace(source.reader, yardstick=gathered.yardstick), gathered, learned,
        label_errors.fold_of(gathered.examples, learned.folds),
        label_errors.kinds_seen(gathered.examples, learned.folds),
    )  # fmt: skip


def _with_machines(gathered: Gathered) -> Gathered:
    """The same, with buckets of series in place of machines where there are no two of them."""
    if len(np.unique(gathered.examples.machine)) > 1:
        return gathered
    buckets = replace(gathered.examples, machine=_buckets(gathered.ids))
    return replace(gathered, yardstick=replace(gathered.yardstick, machine=""), examples=buckets)


def _buckets(ids: pl.Series) -> Keys:
    """(n,) in place of machines, by the hash of the id."""
    return (hash_ids(ids.to_arrow(), examples.SEED) % np.uint64(BUCKETS)).astype(str)


def rank_labels(source: LabelledSeries, judge: LabelJudge, listen: Listener) -> pl.DataFrame:
    """Every label in use, the most suspicious first: series_id, kind, suggested, probability (of the label), margin,
    and where it is: part, row (among the kept ones)."""
    code = pl.col("kind").replace_strict(judge.kinds, range(len(judge.kinds)), return_dtype=pl.Int64)
    codes = source.used.filter(pl.col("kind").is_in(judge.kinds)).select(ID, code=code)
    ranked = []
    for part in map_parts(partial(_of_part, judge, codes), source.parts):
        ranked.append(part)
        listen(Progress("review: checking labels", sum(map(len, ranked)), len(codes)))
    return pl.concat(ranked).sort("margin", ID, descending=[True, False])


def _of_part(judge: LabelJudge, codes: pl.DataFrame, path: Path) -> pl.DataFrame:
    part = judge.reader(path)
    ids = pl.Series(ID, part.kept_ids)
    found = pl.DataFrame({ID: ids}).with_row_index("row").join(codes, on=ID)
    rows, kind = found["row"].to_numpy(), found["code"].to_numpy()
    probability = judge.probability(part, rows)
    suggested, margin = label_errors.suspicion(probability, kind)
    names, seen = pl.Series(judge.kinds), judge.seen[judge.folds_of(part, rows), kind]
    ranked = pl.DataFrame(
        {ID: found[ID], "kind": names.gather(kind), "suggested": names.gather(suggested),
         "probability": np.round(probability[np.arange(len(kind)), kind], 6), "margin": margin, "row": rows}
    ).with_columns(part=pl.lit(path.name))  # fmt: skip
    return ranked.filter(pl.Series(seen))


def unjudged_kinds(source: LabelledSeries, judge: LabelJudge, ranked: pl.DataFrame) -> list[str]:
    """The kinds of labels that no classifier could judge: they occur on too few machines."""
    judgeable = source.used.filter(pl.col("kind").is_in(judge.kinds))
    return judgeable.join(ranked, on=ID, how="anti")["kind"].unique().sort().to_list()


def suspects_of(source: LabelledSeries, judge: LabelJudge, ranked: pl.DataFrame) -> list[Suspect]:
    """The labels of these rows, each with the labelled series of both kinds that are nearest to it."""
    found: dict[Any, Suspect] = {}
    paths = {path.name: path for path in source.parts}
    for rows in ranked.partition_by("part"):
        x = judge.scaled(judge.reader(paths[rows["part"][0]]), rows["row"].to_numpy())
        for row, place in zip(rows.iter_rows(named=True), x, strict=True):
            series_id, kinds = row[ID], (row["kind"], row["suggested"])
            near = [_nearest(judge.gathered, series_id, place, kind) for kind in kinds]
            found[series_id] = Suspect(series_id, *kinds, *near)
    return [found[series_id] for series_id in ranked[ID]]


def _nearest(gathered: Gathered, series_id: Any, x: Floats, kind: str) -> list[Any]:
    """The ids of the labelled series of a kind that are nearest to x (d,), itself left out."""
    mine = np.flatnonzero(gathered.examples.kind == gathered.examples.kinds.index(kind))
    order = mine[novelty.nearest(x, gathered.examples.x[mine], NEAREST + 1)]
    return [one for one in gathered.ids.gather(order).to_list() if one != series_id][:NEAREST]
