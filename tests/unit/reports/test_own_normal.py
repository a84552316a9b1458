"""The band of a group whose members are of machines each with a level of its own."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pyarrow as pa

from tsclust.stages.features.reference import MIN_SERIES
from tsclust.stages.reports.groups.own_normal import OwnNormals
from tsclust.stages.reports.groups.sample import Sample

LENGTH = 6


def drawn(known: int, unknown: int) -> tuple[OwnNormals, list[int]]:
    """Machine 1 is normally at 1, machine 2 at 10; of machine 3, at 100, too few are normal. The last `known` and
    `unknown` series are members, 2 above what is usual, of machines 2 and 3; the one before them is of machine 1."""
    own = [*[1] * MIN_SERIES, *[2] * MIN_SERIES, *[3] * 3, 1, *[2] * known, *[3] * unknown]
    normal = np.arange(len(own)) < 2 * MIN_SERIES + 3
    level = np.array([10.0 ** (machine - 1) for machine in own]) + 2.0 * ~normal
    table = pa.table({"series_id": list(range(len(own))), "values": [[each] * LENGTH for each in level.tolist()]})
    nothing: Any = np.zeros(len(own))
    sample = Sample(
        table, nothing, np.zeros(len(own), np.int64), nothing, nothing, nothing, normal, nothing, cast("Any", None)
    )
    return OwnNormals(sample, np.array(own, np.int64)), np.flatnonzero(~normal).tolist()


def test_members_are_moved_to_the_machine_of_the_typical_one_and_those_of_no_known_machine_left_out() -> None:
    normals, rows = drawn(known=8, unknown=3)
    band, around = normals.bands(np.array(rows), rows[0])
    assert (set(band.low), set(band.high)) == ({3.0}, {3.0})
    assert around is not None
    assert set(around.high) == {1.0}


def test_where_most_members_are_of_no_known_machine_the_band_is_as_recorded_and_the_normal_that_of_all() -> None:
    normals, rows = drawn(known=2, unknown=8)
    band, around = normals.bands(np.array(rows), rows[0])
    assert (max(band.high), around) == (102.0, None)
