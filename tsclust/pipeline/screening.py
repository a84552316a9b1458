"""What features and filter share: applying the rules to a part and counting what they reject."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust import screen
from tsclust.config import Rule
from tsclust.engine import Listener, Progress
from tsclust.errors import NoSeriesError
from tsclust.features.catalogue import NAMES
from tsclust.workspace import Manifest, Workspace

CLEAR = 0.9  # share of the series that must agree on the direction of the peak before the others count as upside down
WORKERS = 2


@dataclass(frozen=True)
class Tally:
    """Rows of a part, how many the rules reject (first rule that does), and how many each would reject alone."""

    rows: int
    rejected: Counter[str]
    alone: Counter[str]

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.rows + other.rows, self.rejected + other.rejected, self.alone + other.alone)

    def facts(self, rules: tuple[Rule, ...]) -> dict[str, Any]:
        """For the manifest: every rule counts, those that reject nothing too."""
        return {
            "rules": [r.model_dump() for r in rules],
            "rejected": {r.name: self.rejected[r.name] for r in rules},
            "alone": {r.name: self.alone[r.name] for r in rules},
            "kept": self.rows - self.rejected.total(),
        }


def apply(
    rules: tuple[Rule, ...], frame: pl.DataFrame, ids: pa.ChunkedArray, carried: pl.DataFrame
) -> tuple[pa.Table, Tally]:
    """The features part of these rows with its column rejected_by, and the tally of it."""
    verdict = screen.screen(frame.hstack(carried), rules)
    table = frame.to_arrow().add_column(0, "series_id", ids)
    table = table.append_column("rejected_by", verdict.rejected_by.to_arrow().cast(pa.string()))
    counts = Counter(verdict.rejected_by.drop_nulls().to_list())
    return table, Tally(len(frame), counts, Counter(verdict.alone))


def total(tallies: Iterable[Tally], stage: str, rows: int, listen: Listener) -> Tally:
    """The sum over parts, told to the listener as it grows."""
    sum_ = Tally(0, Counter(), Counter())
    for tally in tallies:
        sum_ = functools.reduce(operator.add, (sum_, tally))
        listen(Progress(stage, sum_.rows, rows))
    return sum_


def carried_columns(workspace: Workspace, rules: tuple[Rule, ...]) -> list[str]:
    """The carried columns that the rules read."""
    paths = workspace.parts("series")
    if not paths or not workspace.manifest("series").rows:
        raise NoSeriesError(
            f"{workspace.stage('series')} holds no series", "Check the source, then run: tsclust extract"
        )
    carried = [name for name in pq.read_schema(paths[0]).names if name not in ("series_id", "values")]
    return sorted(screen.columns_used(rules, (*NAMES, *carried)) - set(NAMES))


def read_carried(path: Path, columns: list[str]) -> pl.DataFrame:
    """These columns of a series part; no columns, no reading."""
    return pl.DataFrame(pq.read_table(path, columns=columns)) if columns else pl.DataFrame()


def rule_table(manifest: Manifest) -> tuple[tuple[str, ...], ...]:
    """For people: what each rule rejects, alone and as the first, and what is kept."""
    facts = manifest.facts
    rows = [("rule", "alone", "rejected", "because")]
    for rule in facts["rules"]:
        name = rule["name"]
        rows.append((name, f"{facts['alone'][name]:,}", f"{facts['rejected'][name]:,}", rule["reason"]))
    return (*rows, ("kept", "", f"{facts['kept']:,}", f"of {manifest.rows:,} series"))
