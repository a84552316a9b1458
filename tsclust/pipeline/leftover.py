"""cluster --unlabelled: the series about which nothing is known yet, neither from an expert nor from the classifier."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tsclust.config import Settings
from tsclust.engine import map_parts
from tsclust.errors import NoSeriesError
from tsclust.pipeline import labels_kept
from tsclust.pipeline.kept import Scope
from tsclust.workspace import Workspace, command

WORKERS = 2
COLUMNS = ["series_id", "said", "kind"]


def scope(workspace: Workspace, settings: Settings) -> Scope:
    """Kept series of which neither a label nor score says what they are, and those that score refused: a label that a
    group of thousands has got weighs little against that.

    Raises StageMissingError before labels were imported, NoSeriesError where nothing is left.
    """
    labelled, (told, refused) = labels_kept.in_use(workspace, settings)["series_id"], _scored(workspace)
    known = pl.concat([labelled, told]).unique()
    known = known.filter(~known.is_in(refused.implode())).to_arrow()
    rows = sum(map_parts(partial(_left, known), workspace.parts("features"), WORKERS))
    if not rows:
        nothing = f"every series of {workspace.root} has a label or a kind: nothing is left to look for"
        raise NoSeriesError(nothing, f"Look at all of them again: {command('cluster', workspace.root)}")
    return Scope(workspace, rows, known=known)


def _scored(workspace: Workspace) -> tuple[pl.Series, pl.Series]:
    """The series of this workspace's features/ that got a kind from score, and those that it refused."""
    none = pl.Series("series_id", [], labels_kept.type_of_ids(workspace))
    scores = workspace.find_manifest("scores")
    if scores is None or scores.inputs.get("features") != workspace.manifest("features").output_hash:
        return none, none
    parts = [pl.DataFrame(pq.read_table(path, columns=COLUMNS)) for path in workspace.parts("scores")]
    asked = pl.concat([part.drop_nulls("kind") for part in parts])
    told = pl.col("said") == pl.col("kind")
    return asked.filter(told)["series_id"], asked.filter(~told)["series_id"]


def _left(known: pa.Array, path: Path) -> int:
    table = pq.read_table(path, columns=["series_id", "rejected_by"])
    left = pc.and_(pc.is_null(table["rejected_by"]), pc.invert(pc.is_in(table["series_id"], value_set=known)))
    return int(pc.sum(left).as_py() or 0)
