"""What the members of a group were called before, and whether there is anything left to ask about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tsclust.arrays import Int64s
from tsclust.series import ID, is_in
from tsclust.stages.clusters.parts import SAME_SET, UNLABELLED_GROUP, ClusterRow
from tsclust.stages.labels.kinds import DONT_KNOW, MIXED, UNNAMED

State = Literal["new", "changed", "contradicted", "named"]


CLEAR = 0.9  # of the labels: where more than that agree there is one name


@dataclass(frozen=True)
class LabelIndex:
    """The labels of a workspace.

    kinds   every kind there is, the most frequent first
    named   of them the malfunctions
    codes   series_id, code: the place in kinds, a row for each series and kind
    asked   numbers of groups that were answered
    paid    of them those answered as a malfunction
    open    of them those answered with `mixed`, `don't know` or a malfunction without a name
    disputed  series_id of those that labellers call by different names
    """

    kinds: tuple[str, ...]
    named: tuple[str, ...]
    codes: pl.DataFrame
    asked: frozenset[int]
    paid: frozenset[int]
    open: frozenset[int]
    disputed: pl.Series

    def of_part(self, ids: pa.Array | pa.ChunkedArray) -> tuple[Int64s, Int64s]:
        """(row, code) of every label of the series with these ids; a series may have several."""
        rows = pl.DataFrame({ID: pl.Series(ids)}).with_row_index("row")
        found = rows.join(self.codes, on=ID)
        return found["row"].to_numpy().astype(np.int64), found["code"].to_numpy()


@dataclass(frozen=True)
class GroupState:
    """Of one group: how many members are labelled, kind -> members, the most frequent first, and what that means."""

    state: State
    labelled: int
    kinds: tuple[tuple[str, int], ...]


def tally(labelled: LabelIndex, ids: pa.Array | pa.ChunkedArray, inside: npt.NDArray[np.bool_]) -> Int64s:
    """(2 + kinds, g): members of each group that are labelled, that are disputed, then those of each kind.

    inside (n, g) of a part.
    """
    rows, codes = labelled.of_part(ids)
    label, group = np.nonzero(inside[rows])  # most series are in no group: adding up what is 0 would take the most time
    kinds, groups = len(labelled.kinds), inside.shape[1]
    of_kinds = np.bincount(codes[label] * groups + group, minlength=kinds * groups).reshape(kinds, groups)
    is_labelled = np.zeros(len(inside), bool)
    is_labelled[rows] = True
    disputed = is_in(ids, labelled.disputed.to_arrow())
    return np.vstack([*(np.count_nonzero(inside[of], axis=0) for of in (is_labelled, disputed)), of_kinds])


def state_of(labelled: LabelIndex, counts: Int64s, row: ClusterRow) -> GroupState:
    """Of the group in this row, from its column (2 + kinds,) of `tally`."""
    found = [(kind, int(n)) for kind, n in zip(labelled.kinds, counts[2:], strict=True) if n]
    found.sort(key=lambda pair: -pair[1])
    return GroupState(_state(labelled, counts[:2].tolist(), found, row), int(counts[0]), tuple(found))


def _state(labelled: LabelIndex, known: Sequence[int], found: Sequence[tuple[str, int]], row: ClusterRow) -> State:
    """Series that a classifier refused may have labels: a group of what is left is new until it was answered. One whose
    members were in several groups, each with a name of its own, has changed: nobody has contradicted anybody.

    known: how many members are labelled, and how many of them disputed.
    """
    number, size, (members, disputed) = row.group, row.size, known
    if row.within == UNLABELLED_GROUP and number not in labelled.asked:
        return "new"
    if members < SAME_SET * size:
        return "changed" if number in labelled.asked else "new"
    if found[0][1] < CLEAR * sum(n for _, n in found):
        return "contradicted" if disputed > (1 - CLEAR) * members else "changed"
    undecided = found[0][0] in (MIXED, DONT_KNOW, UNNAMED)
    return "new" if undecided and number not in labelled.open else "named"
