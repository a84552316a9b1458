"""What the members of a group were called before, and whether there is anything left to ask about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.series import Int64s
from tsclust.workspace import Workspace

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

    def are(self, kind: str, ids: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """(n,) whether series have this label; all where nothing has."""
        if kind not in self.kinds:
            return np.ones(len(ids), bool)
        mine = self.codes.filter(pl.col("code") == self.kinds.index(kind))["series_id"]
        return pl.Series(ids).is_in(mine.implode()).to_numpy()

    def of_part(self, ids: pa.ChunkedArray) -> tuple[Int64s, Int64s]:
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
    if workspace.find_manifest("labels") is None:
        return None
    columns = ["series_id", "verdict", "kind", "group"]
    found = pl.DataFrame(pq.read_table(workspace.stage("labels") / "labels.parquet", columns=columns))
    counts = found.group_by("kind").len().sort("len", "kind", descending=[True, False])
    kinds = counts["kind"].to_list()
    malfunctions = set(found.filter(pl.col("verdict") == "malfunction")["kind"])
    codes = found.select(
        "series_id", code=pl.col("kind").replace_strict(kinds, range(len(kinds)), return_dtype=pl.Int64)
    )
    undecided = found.filter(pl.col("verdict").is_in(UNDECIDED))
    return Labelled(
        tuple(kinds), tuple(kind for kind in kinds if kind in malfunctions), codes.unique(),
        frozenset(found["group"].drop_nulls()), frozenset(undecided["group"].drop_nulls()),
    )  # fmt: skip


def tally(labelled: Labelled, ids: pa.ChunkedArray, inside: npt.NDArray[np.bool_]) -> Int64s:
    """(1 + kinds, g): members of each group that are labelled, then those of each kind. inside (n, g) of a part."""
    rows, codes = labelled.of_part(ids)
    counts = np.zeros((1 + len(labelled.kinds), inside.shape[1]), np.int64)
    np.add.at(counts, 1 + codes, inside[rows])
    counts[0] = inside[np.unique(rows)].sum(axis=0)
    return counts


def known(labelled: Labelled, counts: Int64s, number: int | None, size: int) -> Known:
    """Of a group of `size` members, from its column (1 + kinds,) of `tally`."""
    found = [(kind, int(n)) for kind, n in zip(labelled.kinds, counts[1:], strict=True) if n]
    found.sort(key=lambda pair: -pair[1])
    return Known(_state(labelled, int(counts[0]), found, number, size), int(counts[0]), tuple(found))


def _state(labelled: Labelled, members: int, found: Sequence[tuple[str, int]], number: int | None, size: int) -> State:
    if members < COVERED * size:
        return "changed" if number in labelled.asked else "new"
    if found[0][1] < CLEAR * sum(n for _, n in found):
        return "contradicted"
    undecided = found[0][0] in ("mixed", "don't know")
    return "new" if undecided and number not in labelled.open else "named"
