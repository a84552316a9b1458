"""incoming/ of a workspace: recordings that are "none of these": `cluster --unlabelled` finds new kinds in them.

A file for what one batch leaves, named by its first source: the same batch again writes the same file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.series import ID, VALUES
from tsclust.stages.labels.kinds import NONE_OF_THESE
from tsclust.stages.scores import parts
from tsclust.stream.judging import Verdict, text_of
from tsclust.stream.messages import Unreadable
from tsclust.workspace.atomic import appearing, make_folder


class Incoming:
    """Keeps what no kind fits, in a folder that is made when it is needed."""

    name = "the disk of incoming/"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, verdicts: Sequence[Verdict], scored_at: datetime) -> list[Unreadable]:
        unknown = [one for one in verdicts if one.said == NONE_OF_THESE]
        if unknown:
            make_folder(self._folder)
            name = re.sub(r"[^A-Za-z0-9_.-]", "-", unknown[0].of.source)
            with appearing(self._folder / f"part-{name}.parquet") as beside:
                pq.write_table(table_of(unknown, scored_at), beside)
        return []


def table_of(verdicts: Sequence[Verdict], scored_at: datetime) -> pa.Table:
    """series_id as text, values, what was carried along, and what was said: a row for each."""
    names = dict.fromkeys(name for one in verdicts for name in one.of.fields if name not in (ID, VALUES))
    columns: dict[str, pa.Array] = {
        ID: pa.array([str(one.of.fields[ID]) for one in verdicts]),
        VALUES: pa.array([_floats(one.of.fields[VALUES]) for one in verdicts], pa.list_(pa.float64())),
    }
    for name in names:
        columns[name] = _column([one.of.fields.get(name) for one in verdicts])
    columns[parts.SCORED_AT] = pa.repeat(pa.scalar(scored_at, pa.timestamp("us", "UTC")), len(verdicts))
    return pa.table(columns)


def _floats(values: Any) -> list[float | None] | np.ndarray:
    return [None if one is None else float(one) for one in values] if isinstance(values, list) else values


def _column(values: list[Any]) -> pa.Array:
    """As Arrow and Parquet take them; as text where they are of several types, or of one that Parquet has not: {}."""
    try:
        found, file = pa.array(values), pa.BufferOutputStream()
        pq.write_table(pa.table([found], ["_"]), file)
        pq.read_schema(pa.BufferReader(file.getvalue()))  # lists in lists are written a thousand deep, and not read
    except (pa.ArrowException, OSError, TypeError, ValueError, OverflowError, RecursionError):
        return pa.array([None if one is None else text_of(one) for one in values], pa.string())
    return found
