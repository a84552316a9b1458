"""cluster --unlabelled: the series about which nothing is known yet, neither from an expert nor from the classifier."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust import config
from tsclust.config import Labels
from tsclust.engine.base import map_parts
from tsclust.errors import NoSeriesError
from tsclust.series import ID, is_in
from tsclust.stages.clusters.scope import Scope
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.scores import parts
from tsclust.workspace.commands import command
from tsclust.workspace.manifest import Manifest


def find(files: FeatureFiles, labelled: pl.Series, scores: Sequence[Path]) -> Scope:
    """Kept series of which neither a label nor score says what they are, and those that score refused: a label that a
    group of thousands has got weighs little against that.

    labelled  series_id;  scores: the parts of scores/ that are about these features
    Raises NoSeriesError where nothing is left.
    """
    answered, refused = _scored(scores, files.series.id_type)
    known = pl.concat([labelled, answered]).unique()
    known = known.filter(~known.is_in(refused.implode()))
    rows = count(files.paths, known)
    if not rows and files.facts.kept:
        nothing = f"every series of {files.root} has a label or a kind: no series are left to group"
        raise NoSeriesError(nothing, f"See the counts: {command('status', files.root)}")
    return Scope.of(files).without(known.to_arrow(), rows)


def state_of(asked: Labels, *manifests: Manifest[Any] | None) -> str:
    """A hash of what decides which series these are: the settings, labels/ and, where they are about the features that
    there are, scores/."""
    return config.digest(asked, *(one.output_hash for one in manifests if one))


def count(paths: Sequence[Path], known: pl.Series) -> int:
    """How many series of these parts of features/ the rules keep, less those `known`."""
    return sum(map_parts(partial(_left, known.to_arrow()), paths))


def _scored(scores: Sequence[Path], id_type: pl.DataType) -> tuple[pl.Series, pl.Series]:
    """The series that got a kind from score, and those that it refused."""
    if not scores:
        return pl.Series(ID, [], id_type), pl.Series(ID, [], id_type)
    scored = pl.concat([parts.read(path, [ID, parts.SAID, parts.KIND]).drop_nulls(parts.KIND) for path in scores])
    answered = pl.col(parts.SAID) == pl.col(parts.KIND)
    return scored.filter(answered)[ID], scored.filter(~answered)[ID]


def _left(known: pa.Array, path: Path) -> int:
    rows = feature_parts.read(path)
    return int(np.count_nonzero(rows.kept & ~is_in(rows.ids, known)))
