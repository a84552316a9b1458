"""What features and filter share: applying the rules to a part and counting what they reject."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust import screen
from tsclust.config import Rule
from tsclust.engine import Listener, Progress, map_parts
from tsclust.errors import NoSeriesError, StageMissingError
from tsclust.features.catalogue import Feature
from tsclust.pipeline.look import as_columns
from tsclust.workspace import Manifest, Workspace, command

CLEAR = 0.9  # share of the series that must agree on the direction of the peak before the others count as upside down
WORKERS = 2

Judge = Callable[[pl.DataFrame, pa.ChunkedArray, Path], tuple[pa.Table, "Tally"]]


@dataclass(frozen=True)
class Tally:
    """Rows of a part; per rule: how many it is the first to reject, how many it rejects, and how many no other does."""

    rows: int
    rejected: Counter[str]
    in_all: Counter[str]
    alone: Counter[str]

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.rows + other.rows, self.rejected + other.rejected, self.in_all + other.in_all, self.alone + other.alone
        )

    def facts(self, rules: tuple[Rule, ...]) -> dict[str, Any]:
        """For the manifest: every rule counts, those that reject nothing too."""
        return {
            "rules": plain(rules),
            "rejected": {r.name: self.rejected[r.name] for r in rules},
            "in_all": {r.name: self.in_all[r.name] for r in rules},
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
        tally = {name: dict(getattr(self.tally, name)) for name in ("rejected", "in_all", "alone")}
        return {"series": self.series, "votes": self.votes, "rows": self.tally.rows, **tally}


def parts_of(manifest: Manifest) -> dict[str, Part]:
    """The parts of a features/ by the names of their files."""
    return {
        name: Part(
            p["series"],
            (p["votes"][0], p["votes"][1]),
            Tally(p["rows"], Counter(p["rejected"]), Counter(p["in_all"]), Counter(p["alone"])),
        )
        for name, p in manifest.facts.get("by_part", {}).items()
    }


def unchanged(before: Manifest, series: Manifest) -> dict[str, Part]:
    """Those of `before` that describe a part of `series` as it is now."""
    return {name: part for name, part in parts_of(before).items() if series.outputs.get(name) == part.series}


def plain(rules: tuple[Rule, ...]) -> list[dict[str, str]]:
    """Rules for the manifest."""
    return [rule.model_dump() for rule in rules]


def judge(
    workspace: Workspace,
    rules: tuple[Rule, ...],
    typical: Mapping[str, tuple[float, float]],
    features: Sequence[Feature],
) -> Judge:
    """What gives each row its `rejected_by`. Raises SettingsError for a rule that reads what is not there."""
    names = [f.name for f in features]
    carried = [
        n for n in pq.read_schema(workspace.parts("series")[0]).names if n not in ("series_id", "values", *names)
    ]
    constants = as_columns(typical)
    used = screen.columns_used(rules, (*names, *carried, *constants))
    columns, given = sorted(used & set(carried)), {n: pl.lit(v) for n, v in constants.items() if n in used}

    def judged(frame: pl.DataFrame, ids: pa.ChunkedArray, path: Path) -> tuple[pa.Table, Tally]:
        carried = pl.DataFrame(pq.read_table(path, columns=columns)) if columns else pl.DataFrame()
        carried = carried.with_columns(
            cs.float().fill_nan(None)
        )  # NaN is greater than all: missing, it rejects nothing
        verdict = screen.screen(frame.hstack(carried).with_columns(**given), rules)
        table = frame.to_arrow().add_column(0, "series_id", ids)
        table = table.append_column("rejected_by", verdict.rejected_by.to_arrow().cast(pa.string()))
        first = Counter(verdict.rejected_by.drop_nulls().to_list())
        return table, Tally(len(frame), first, Counter(verdict.in_all), Counter(verdict.alone))

    return judged


def features_used(rules: tuple[Rule, ...], names: Sequence[str]) -> list[str]:
    """Those of the features `names` that the rules read."""
    return [name for name in names if name in screen.columns_read(rules)]


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum over parts."""
    return functools.reduce(operator.add, tallies, Tally(0, Counter(), Counter(), Counter()))


def heard(
    function: Callable[[Path], Tally], paths: Sequence[Path], stage: str, done: int, rows: int, listen: Listener
) -> dict[str, Tally]:
    """The tally of every part by its name, the progress told to the listener; `done` of `rows` were there before."""

    def lean(path: Path) -> Tally:
        tally = function(path)
        pa.default_memory_pool().release_unused()  # else pieces pile up: 60 MB more for three million series
        return tally

    tallies = {}
    for path, tally in zip(paths, map_parts(lean, paths, WORKERS), strict=True):
        tallies[path.name] = tally
        done += tally.rows
        listen(Progress(stage, done, rows))
    return tallies


def refuse_stale(workspace: Workspace) -> None:
    """Raises StageMissingError where a part of features/ describes other series than series/ holds now."""
    series, parts = workspace.manifest("series"), parts_of(workspace.manifest("features"))
    if any(series.outputs.get(name) != part.series for name, part in parts.items()):
        raise workspace.other_series()


def refuse_other_features(workspace: Workspace) -> None:
    """Raises StageMissingError where clusters/ was made from other features than there are now."""
    now = workspace.manifest("features").output_hash
    if workspace.manifest("clusters").inputs.get("features", now) != now:
        raise other_features(workspace)


def other_features(workspace: Workspace) -> StageMissingError:
    """The error for a clusters/ that was made from other features than there are now."""
    return StageMissingError(
        f"{workspace.stage('clusters')} was made from other features than there are now",
        f"Run: {command('cluster', workspace.root)}",
    )


def refuse_nothing(workspace: Workspace) -> None:
    """Raises NoSeriesError where series/ is empty."""
    if not workspace.manifest("series").rows:
        raise NoSeriesError(
            f"{workspace.stage('series')} holds no series", "Check the source, then run: tsclust extract"
        )


def rule_table(manifest: Manifest) -> tuple[tuple[str, ...], ...]:
    """For people: what each rule rejects in all, what it alone does, what it is the first to, and what is kept."""
    facts = manifest.facts
    rows = [("rule", "in all", "alone", "rejected", "because")]
    for rule in facts["rules"]:
        counts = (f"{facts[key][rule['name']]:,}" for key in ("in_all", "alone", "rejected"))
        rows.append((rule["name"], *counts, rule["reason"]))
    return (*rows, ("kept", "", "", f"{facts['kept']:,}", f"of {manifest.rows:,} series"))


def change_table(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """For people: what each rule rejects now and what it would, from the facts of two manifests."""
    reasons = {r["name"]: r["reason"] for facts in (before, after) for r in facts["rules"]}
    rows = [("rule", "now", "would be", "change", "because")]
    for name, reason in reasons.items():
        rows.append((name, *_change(before["rejected"].get(name, 0), after["rejected"].get(name, 0)), reason))
    return (*rows, ("kept", *_change(before["kept"], after["kept"]), ""))


def _change(now: int, then: int) -> tuple[str, str, str]:
    return f"{now:,}", f"{then:,}", f"{then - now:+,}" if then != now else ""
