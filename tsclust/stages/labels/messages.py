"""Notes and facts of `tsclust labels import`, for people and for scripts."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tsclust.series import ID
from tsclust.stages.labels import resolution
from tsclust.stages.labels.agreement import alpha
from tsclust.stages.labels.answers import Answers
from tsclust.stages.labels.files import File
from tsclust.stages.labels.kinds import UNNAMED
from tsclust.stages.labels.tables import LabelTables, labellers
from tsclust.wording.english import counted
from tsclust.wording.names import difference, look_alikes

FEW = 5  # conflicts that are listed
SHORT = 120  # characters of a text from outside


@dataclass(frozen=True)
class Imported:
    """had, found: the labels there were and are now; kept: all that is kept; new: files taken in now; again: files
    known before."""

    had: pl.DataFrame
    found: pl.DataFrame
    kept: LabelTables
    new: Sequence[tuple[File, Answers]]
    again: int
    resolve: str

    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes())

    def _notes(self) -> Iterator[str]:
        yield f"{counted(len(self.new), 'answers file')} imported{self._known()}"
        series, who = self.found[ID].n_unique(), labellers(self.found)
        yield f"{series:,} series labelled, by {', '.join(name[:SHORT] for name in who[:FEW]) or 'nobody'}"
        yield from self._unnamed()
        yield from self._late()
        yield from self._taken_back()
        yield from self._look_alikes()
        yield from self._agreement()
        objections = self.kept.objections.filter("in_force")
        for (rule, labeller), series_ids in objections.group_by("rule", "labeller", maintain_order=True):
            ids = ", ".join(one[:SHORT] for one in series_ids[ID].head(FEW))
            see = f"tsclust filter --show {shlex.quote(str(rule))}"
            yield f"{labeller} reports that rule {rule} rejects real runs: {ids}; see: {see}"

    def _known(self) -> str:
        return f"; {counted(self.again, 'file')} imported before: no change" if self.again else ""

    def _unnamed(self) -> Iterator[str]:
        """Malfunctions without a name: nothing can be learned from them."""
        unnamed = self.found.filter(pl.col("kind") == UNNAMED)
        if len(unnamed):
            groups = [str(group) for group in unnamed["group"].drop_nulls().unique().sort()]
            where = f" (group {', '.join(groups[:FEW])}{', ...' if len(groups) > FEW else ''})" if groups else ""
            series = counted(unnamed[ID].n_unique(), "series", "series")
            yield f"{series} of a malfunction without a name{where}: enter it in the report, save and import again"

    def _late(self) -> Iterator[str]:
        """Files that do not count, and those whose clock was wrong."""
        for file, answers in self.new:
            row = self.kept.files.row(by_predicate=pl.col("sha256") == file.sha256, named=True)
            if row["saved_at"] < answers.saved_at:
                yield f"{file.name[:SHORT]} is dated {answers.saved_at:%Y-%m-%d}, in the future: treated as saved today"
            if not row["in_force"]:
                later = f"a file that {row['labeller']} saved later, or at the same time, about the same report"
                yield f"{file.name[:SHORT]} is superseded by {later}"

    def _taken_back(self) -> Iterator[str]:
        """What differs from what the same labeller answered before."""
        both = self.had.join(self.found, on=[ID, "labeller"], how="left", suffix="_now")
        other = both.filter(pl.col("kind_now").ne_missing(pl.col("kind")))
        lost = other.group_by("labeller", "kind", "kind_now").len().sort("len", "kind", descending=[True, False])
        for labeller, was, now, count in lost.head(FEW).iter_rows():
            becomes = f"are now {now[:SHORT]}" if now is not None else "no longer have a label"
            yield f"{count:,} series that {labeller} had named {was[:SHORT]} {becomes}"
        if len(lost) > FEW:
            yield f"{int(lost['len'][FEW:].sum()):,} more of other kinds"

    def _look_alikes(self) -> Iterator[str]:
        """Names that look like another one and are kept apart: nobody but their writers knows whether that is meant."""
        for what, of in (("kind", self.look_alikes("kind")), ("labeller", self.look_alikes("labeller"))):
            for name, other in of[:FEW]:
                yield (
                    f"{what}s {name[:SHORT]!r} and {other[:SHORT]!r} look alike and are kept apart: "
                    f"{difference(name, other)}"
                )
            if len(of) > FEW:
                yield f"... and {counted(len(of) - FEW, f'more {what}')} that look like another"
            if of:
                yield f"  if they are one {what}: use one spelling in the report, save and import its answers again"

    def look_alikes(self, column: str) -> list[tuple[str, str]]:
        """(name, one used more often that it looks like)."""
        counts = self.found.group_by(column).len().sort("len", column, descending=[True, False])
        return look_alikes(counts[column])

    def _agreement(self) -> Iterator[str]:
        conflicts, agree = resolution.conflicts(self.found), alpha(self.found)
        if agree is not None:
            yield f"agreement of labellers: alpha = {agree:.2f} (Krippendorff; 1 = full agreement, 0 = chance)"
        if len(conflicts):
            count = int(conflicts["series"].sum())
            done = (
                f"decided by {self.resolve}"
                if self.resolve
                else "left out until --resolve majority|newest|NAME decides"
            )
            yield f"{count:,} series with contradictory labels, {done}:"
        for said, series in conflicts.head(FEW).iter_rows():
            yield f"  {series:,}: {said[:SHORT]}"

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Kinds and how many series each has, the most frequent first."""
        counts = self.kinds()
        rows = [(kind[:SHORT], verdict, f"{series:,}") for kind, verdict, series in counts.iter_rows()]
        return (("kind", "verdict", "series"), *rows) if rows else ()

    def kinds(self) -> pl.DataFrame:
        """kind, verdict, series, of all labels that have a name."""
        named = self.found.filter(pl.col("kind") != UNNAMED)
        counts = named.group_by("kind", "verdict").agg(series=pl.col(ID).n_unique())
        return counts.sort("series", "kind", "verdict", descending=[True, False, False])

    def facts(self) -> dict[str, Any]:
        conflicts = resolution.conflicts(self.found)
        return {
            "new_files": [file.name for file, _ in self.new],
            "known_files": self.again,
            "labels": len(self.found),
            "rows": self.found[ID].n_unique(),
            "labellers": labellers(self.found),
            "kinds": self.kinds().to_dicts(),
            "unnamed": self.found.filter(pl.col("kind") == UNNAMED)[ID].n_unique(),
            "look_alikes": {
                f"{column}s": [list(pair) for pair in self.look_alikes(column)] for column in ("kind", "labeller")
            },
            "alpha": alpha(self.found),
            "conflicts": conflicts.to_dicts(),
            "resolve": self.resolve,
            "objections": self.kept.objections.filter("in_force").drop("in_force", "sha256").to_dicts(),
        }
