"""cluster --unlabelled: the series about which nothing is known yet, neither from an expert nor from the classifier."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust import config
from tsclust.config import Settings
from tsclust.engine.base import map_parts
from tsclust.errors import NoSeriesError
from tsclust.series import ID, is_in
from tsclust.stages.clusters.drilldown import Inside
from tsclust.stages.clusters.parts import UNLABELLED_GROUP
from tsclust.stages.clusters.scope import Scope
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import files
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.scores import parts
from tsclust.stages.scores.facts import SCORES
from tsclust.stages.series import parts as series_parts
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace


def found(workspace: Workspace, settings: Settings) -> Inside:
    """Kept series of which neither a label nor score says what they are, and those that score refused: a label that a
    group of thousands has got weighs little against that.

    Raises StageMissingError before labels were imported, NoSeriesError where nothing is left.
    """
    labelled, (answered, refused) = files.in_use(workspace, settings)[ID], _scored(workspace)
    known = pl.concat([labelled, answered]).unique()
    known = known.filter(~known.is_in(refused.implode()))
    rows = count(workspace, known)
    if not rows and workspace.manifest(FEATURES).facts.kept:
        nothing = f"every series of {workspace.root} has a label or a kind: no series are left to group"
        raise NoSeriesError(nothing, f"See the counts: {command('status', workspace.root)}")
    scope = Scope(workspace, rows, known=known.to_arrow())
    return Inside(UNLABELLED_GROUP, scope, "without a name", _state(workspace, settings))


def count(workspace: Workspace, known: pl.Series) -> int:
    """How many series there are that the rules keep, less those `known`."""
    return sum(map_parts(partial(_left, known.to_arrow()), workspace.parts(FEATURES)))


def _state(workspace: Workspace, settings: Settings) -> str:
    """A hash of what says which series have a name."""
    manifests = (workspace.find_manifest(stage) for stage in (LABELS, SCORES))
    return config.digest(settings.labels, *(one.output_hash for one in manifests if one))


def _scored(workspace: Workspace) -> tuple[pl.Series, pl.Series]:
    """The series of this workspace's features/ that got a kind from score, and those that it refused."""
    none = pl.Series(ID, [], series_parts.type_of_ids(workspace))
    scores = workspace.find_manifest(SCORES)
    if scores is None or scores.inputs.get("features") != workspace.manifest(FEATURES).output_hash:
        return none, none
    scored = pl.concat(
        [parts.read(path, [ID, parts.SAID, parts.KIND]).drop_nulls(parts.KIND) for path in workspace.parts(SCORES)]
    )
    answered = pl.col(parts.SAID) == pl.col(parts.KIND)
    return scored.filter(answered)[ID], scored.filter(~answered)[ID]


def _left(known: pa.Array, path: Path) -> int:
    rows = feature_parts.read(path)
    return int(np.count_nonzero(rows.kept & ~is_in(rows.ids, known)))
