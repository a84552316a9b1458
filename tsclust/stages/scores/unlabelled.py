"""cluster --unlabelled: the series about which nothing is known yet, neither from an expert nor from the classifier."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.engine.base import map_parts
from tsclust.errors import NoSeriesError
from tsclust.series import ID, is_in
from tsclust.stages.clusters.scope import Scope
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model.deviations import Yardstick
from tsclust.stages.model.parts import DeviationReader
from tsclust.stages.model.profile import unlikeness
from tsclust.stages.scores import parts
from tsclust.workspace.commands import command

LIKE = 0.95  # of the series taken for normal are left alone: the others, least like normal, come up
MASS = 0.1  # of all series: nobody has looked at each series of a group that is larger


def find(files: FeatureFiles, labelled: pl.DataFrame, scores: Sequence[Path], yardstick: Yardstick | None) -> Scope:
    """Kept series of which neither a label nor score says what they are, and those that score refused: a label that a
    group of thousands has got weighs little against that. And those that are taken for normal, by score or since the
    whole mass was called so, and are the least like normal of these: what a model misses is among them.

    labelled   series_id, kind, size: of the smallest group that it was labelled in
    scores     the parts of scores/ that are about these features
    yardstick  of the model, None where there is none
    Raises NoSeriesError where nothing is left.
    """
    answered, refused = _scored(scores, files.series.id_type)
    known = pl.concat([labelled[ID], answered[ID]]).unique()
    taken = answered.filter(pl.col(parts.SAID) == NORMAL)[ID]
    strange = _strange(files, labelled, taken, yardstick) if yardstick is not None else taken.clear()
    known = known.filter(~known.is_in(pl.concat([refused, strange]).implode()))
    rows = count(files.paths, known)
    if not rows and files.facts.kept:
        nothing = f"every series of {files.root} has a label or a kind: no series are left to group"
        raise NoSeriesError(nothing, f"See the counts: {command('status', files.root)}")
    return Scope.of(files).without(known.to_arrow(), rows)


def count(paths: Sequence[Path], known: pl.Series) -> int:
    """How many series of these parts of features/ the rules keep, less those `known`."""
    return sum(map_parts(partial(_left, known.to_arrow()), paths))


def _strange(files: FeatureFiles, labelled: pl.DataFrame, taken: pl.Series, yardstick: Yardstick) -> pl.Series:
    """Of the series `taken` for normal those least like the labelled normal, unless somebody has looked at them, or at
    a group that is not most of all."""
    reader = DeviationReader(files.series.folder, yardstick)
    far = pl.concat(map_parts(partial(_unlikeness, reader), files.paths))
    looked = labelled.filter((pl.col("kind") != NORMAL) | (pl.col("size") <= MASS * files.facts.kept))[ID]
    others = far.filter(pl.col(ID).is_in(taken.implode()) & ~pl.col(ID).is_in(looked.implode()))
    limit = others["far"].quantile(LIKE, "higher") or 0.0
    return others.filter(pl.col("far") > limit)[ID]


def _unlikeness(reader: DeviationReader, path: Path) -> pl.DataFrame:
    part = reader(path)
    return pl.DataFrame({ID: pl.Series(part.kept_ids), "far": unlikeness(part.z)})


def _scored(scores: Sequence[Path], id_type: pl.DataType) -> tuple[pl.DataFrame, pl.Series]:
    """The series that got a kind from score (series_id, said), and those that it refused."""
    if not scores:
        return pl.DataFrame(schema={ID: id_type, parts.SAID: pl.String()}), pl.Series(ID, [], id_type)
    scored = pl.concat([parts.read(path, [ID, parts.SAID, parts.KIND]).drop_nulls(parts.KIND) for path in scores])
    answered = pl.col(parts.SAID) == pl.col(parts.KIND)
    return scored.filter(answered).select(ID, parts.SAID), scored.filter(~answered)[ID]


def _left(known: pa.Array, path: Path) -> int:
    rows = feature_parts.read(path)
    return int(np.count_nonzero(rows.kept & ~is_in(rows.ids, known)))
