"""What the members of a group were called before, and whether there is anything left to ask about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tsclust.arrays import Int64s
from tsclust.engine.base import map_parts
from tsclust.stages.clusters import membership
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import UNLABELLED_GROUP
from tsclust.stages.clusters.selection import THE_SWEEP, SelectedGroups, choose
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.files import labels
from tsclust.workspace.folder import Workspace

State = Literal["new", "changed", "contradicted", "named"]


COVERED = (
    0.7  # of the members: with so many labelled the set is the one that was answered (as of clusters that are one)
)


CLEAR = 0.9  # of the labels: with so many alike there is one name


UNDECIDED = ("mixed", "dont_know")  # verdicts that say nothing of the parts of a group


@dataclass(frozen=True)
class Labelled:
    """The labels of a workspace.

    kinds   every kind there is, the most frequent first
    named   of them the malfunctions
    codes   series_id, code: the place in kinds, a row for each series and kind
    asked   numbers of groups that were answered
    open    of them those answered with `mixed` or `don't know`
    """

    kinds: tuple[str, ...]
    named: tuple[str, ...]
    codes: pl.DataFrame
    asked: frozenset[int]
    open: frozenset[int]

    def of_part(self, ids: pa.Array | pa.ChunkedArray) -> tuple[Int64s, Int64s]:
        """(row, code) of every label of the series with these ids; a series may have several."""
        rows = pl.DataFrame({"series_id": pl.Series(ids)}).with_row_index("row")
        found = rows.join(self.codes, on="series_id")
        return found["row"].to_numpy().astype(np.int64), found["code"].to_numpy()


@dataclass(frozen=True)
class Known:
    """Of one group: how many members are labelled, kind -> members, the most frequent first, and what that means."""

    state: State
    labelled: int
    kinds: tuple[tuple[str, int], ...]


def read(workspace: Workspace) -> Labelled | None:
    """None where nothing is labelled yet."""
    if workspace.find_manifest(LABELS) is None:
        return None
    found = labels(workspace)
    counts = found.group_by("kind").len().sort("len", "kind", descending=[True, False])
    kinds = counts["kind"].to_list()
    malfunctions = set(found.filter(pl.col("verdict") == "malfunction")["kind"])
    places = pl.DataFrame({"kind": kinds, "code": range(len(kinds))}, {"kind": pl.String, "code": pl.Int64})
    codes = found.join(places, on="kind").select("series_id", "code")
    undecided = found.filter(pl.col("verdict").is_in(UNDECIDED))
    return Labelled(
        tuple(kinds), tuple(kind for kind in kinds if kind in malfunctions), codes.unique(),
        frozenset(found["group"].drop_nulls()), frozenset(undecided["group"].drop_nulls()),
    )  # fmt: skip


def tally(labelled: Labelled, ids: pa.Array | pa.ChunkedArray, inside: npt.NDArray[np.bool_]) -> Int64s:
    """(1 + kinds, g): members of each group that are labelled, then those of each kind. inside (n, g) of a part."""
    rows, codes = labelled.of_part(ids)
    counts = np.zeros((1 + len(labelled.kinds), inside.shape[1]), np.int64)
    np.add.at(counts, 1 + codes, inside[rows])
    counts[0] = inside[np.unique(rows)].sum(axis=0)
    return counts


def known(labelled: Labelled, counts: Int64s, row: Mapping[str, Any]) -> Known:
    """Of a row of groups.parquet, from its column (1 + kinds,) of `tally`."""
    found = [(kind, int(n)) for kind, n in zip(labelled.kinds, counts[1:], strict=True) if n]
    found.sort(key=lambda pair: -pair[1])
    return Known(_state(labelled, int(counts[0]), found, row), int(counts[0]), tuple(found))


def _state(labelled: Labelled, members: int, found: Sequence[tuple[str, int]], row: Mapping[str, Any]) -> State:
    """Series that a classifier refused may have labels: a group of what is left is new until it was answered."""
    number, size = row["group"], row["size"]
    if row["within"] == UNLABELLED_GROUP and number not in labelled.asked:
        return "new"
    if members < COVERED * size:
        return "changed" if number in labelled.asked else "new"
    if found[0][1] < CLEAR * sum(n for _, n in found):
        return "contradicted"
    undecided = found[0][0] in ("mixed", "don't know")  # kinds of UNDECIDED verdicts
    return "new" if undecided and number not in labelled.open else "named"


WORKERS = 2


def standing(workspace: Workspace, labelled: Labelled) -> dict[int, Known]:
    """Of each group that a report would show. Raises StageMissingError for a workspace without clusters."""
    chosen = choose(workspace, THE_SWEEP)
    one_part = partial(_tally, workspace, chosen, labelled)
    counts = reduce(np.add, map_parts(one_part, workspace.parts(FEATURES), WORKERS))
    rows = chosen.cards
    return {row["group"]: known(labelled, counts[:, j], row) for j, row in enumerate(rows)}


def _tally(workspace: Workspace, chosen: SelectedGroups, labelled: Labelled, path: Path) -> Int64s:
    rows = feature_parts.read(path)
    inside = membership.inside_of(workspace.stage(CLUSTERS), path.name, chosen.members, rows.ids, rows.kept)
    return tally(labelled, rows.ids, inside)
