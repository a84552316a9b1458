"""What features and filter share: applying the rules to a part and counting what they reject."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust import screen
from tsclust.config import Rule
from tsclust.engine import Listener, Progress, map_parts
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
            "rules": plain(rules),
            "rejected": {r.name: self.rejected[r.name] for r in rules},
            "alone": {r.name: self.alone[r.name] for r in rules},
            "kept": self.rows - self.rejected.total(),
        }


@dataclass(frozen=True)
class Part:
    """What is remembered of a part of features/."""

    series: str  # sha256 of the part of series/ that it describes
    votes: tuple[int, int]  # how many series point up, how many down
    tally: Tally

    def plain(self) -> dict[str, Any]:
        """For the manifest."""
        tally = {"rows": self.tally.rows, "rejected": dict(self.tally.rejected), "alone": dict(self.tally.alone)}
        return {"series": self.series, "votes": self.votes, **tally}


def parts_of(manifest: Manifest) -> dict[str, Part]:
    """The parts of a features/ by the names of their files."""
    return {
        name: Part(
            p["series"], (p["votes"][0], p["votes"][1]), Tally(p["rows"], Counter(p["rejected"]), Counter(p["alone"]))
        )
        for name, p in manifest.facts.get("by_part", {}).items()
    }


def unchanged(before: Manifest, series: Manifest) -> dict[str, Part]:
    """Those of `before` that describe a part of `series` as it is now."""
    return {name: part for name, part in parts_of(before).items() if series.outputs.get(name) == part.series}


def plain(rules: tuple[Rule, ...]) -> list[dict[str, str]]:
    """Rules for the manifest."""
    return [rule.model_dump() for rule in rules]


def apply(
    rules: tuple[Rule, ...], frame: pl.DataFrame, ids: pa.ChunkedArray, carried: pl.DataFrame
) -> tuple[pa.Table, Tally]:
    """The features part of these rows with its column rejected_by, and the tally of it."""
    verdict = screen.screen(frame.hstack(carried), rules)
    table = frame.to_arrow().add_column(0, "series_id", ids)
    table = table.append_column("rejected_by", verdict.rejected_by.to_arrow().cast(pa.string()))
    counts = Counter(verdict.rejected_by.drop_nulls().to_list())
    return table, Tally(len(frame), counts, Counter(verdict.alone))


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum over parts."""
    return functools.reduce(operator.add, tallies, Tally(0, Counter(), Counter()))


def heard(
    function: Callable[[Path], Tally], paths: Sequence[Path], stage: str, done: int, rows: int, listen: Listener
) -> dict[str, Tally]:
    """The tally of every part by its name, the progress told to the listener; `done` of `rows` were there before."""
    tallies = {}
    for path, tally in zip(paths, map_parts(function, paths, WORKERS), strict=True):
        tallies[path.name] = tally
        done += tally.rows
        listen(Progress(stage, done, rows))
    return tallies


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
