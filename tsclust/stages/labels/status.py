"""Lines of `tsclust status` about labels: how many series have one, of which kinds, what is contradictory or new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from tsclust.series import ID
from tsclust.stages.labels import resolution, tables
from tsclust.stages.labels.group_state import GroupState
from tsclust.wording.english import counted

FEW = 12  # kinds, and groups, that are named
WORDS = {"new": "new", "changed": "changed since", "contradicted": "contradictory", "named": "already named"}


@dataclass(frozen=True)
class LabelsStatus:
    """What there is of labels.

    labels      labels.parquet;  resolve: who decides where labels contradict each other
    unlabelled  series kept by the rules without a label; None before features/ is there
    groups      number -> state of the groups that a report shows; None where clusters/ is not up to date
    """

    labels: pl.DataFrame
    resolve: str
    unlabelled: int | None
    groups: Mapping[int, GroupState] | None

    def notes(self) -> tuple[str, ...]:
        """For people."""
        who, kinds = ", ".join(self._who), _named(self._kinds)
        notes = [f"labels: {self.labels[ID].n_unique():,} series, by {who}; {kinds}"]
        if self._contradictory:
            notes.append(
                f"{self._contradictory:,} series have contradictory labels: decide with --resolve or [labels] resolve"
            )
        if self.unlabelled:
            notes.append(f"{self.unlabelled:,} series kept by the rules without a label")
        return tuple(notes) if self.groups is None else (*notes, _groups(self.groups))

    def facts(self) -> dict[str, Any]:
        """For scripts."""
        facts: dict[str, Any] = {
            "series": self.labels[ID].n_unique(), "in_use": len(self._used), "labellers": self._who,
            "kinds": dict(self._kinds.iter_rows()), "contradictory": self._contradictory,
        }  # fmt: skip
        if self.unlabelled is not None:
            facts["unlabelled"] = self.unlabelled
        if self.groups is not None:
            facts["groups"] = {state: [n for n, one in self.groups.items() if one.state == state] for state in WORDS}
        return facts

    @property
    def _who(self) -> list[str]:
        return tables.labellers(self.labels)

    @cached_property
    def _used(self) -> pl.DataFrame:
        return resolution.resolved(self.labels, self.resolve)

    @cached_property
    def _kinds(self) -> pl.DataFrame:
        return tables.count_kinds(self._used)

    @cached_property
    def _contradictory(self) -> int:
        return int(resolution.conflicts(self.labels)["series"].sum())


def _named(kinds: pl.DataFrame) -> str:
    named = ", ".join(f"{kind} {count:,}" for kind, count in kinds.head(FEW).iter_rows())
    return named + (f" and {counted(len(kinds) - FEW, 'more kind')}" if len(kinds) > FEW else "")


def _groups(groups: Mapping[int, GroupState]) -> str:
    said = []
    for state, words in WORDS.items():
        numbers = [str(number) for number, one in groups.items() if one.state == state]
        some = f" ({', '.join(numbers[:FEW])}{', ...' if len(numbers) > FEW else ''})" if state != "named" else ""
        said += [f"{len(numbers)} {words}{some}"] if numbers else []
    return f"groups: {'; '.join(said)}"
