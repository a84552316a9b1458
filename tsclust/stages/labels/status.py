"""Lines of `tsclust status` about labels: how many series have one, of which kinds, what is contradictory or new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from tsclust.wording.english import counted

FEW = 12  # kinds, and groups, that are named
WORDS = {"new": "new", "changed": "changed since", "contradicted": "contradictory", "named": "already named"}


class LabelsStatus(BaseModel):
    """What there is of labels.

    series      that have one;  in_use: of these those on which labellers agree, or that [labels] resolve decides
    labellers   who labelled;  kinds: name -> series in use, the most first
    contradictory  series whose labels are
    unlabelled  series kept by the rules without a label; None before features/ is there
    groups      state -> numbers of the groups that a report shows; None where clusters/ is not up to date
    """

    model_config = ConfigDict(frozen=True)

    series: int
    in_use: int
    labellers: tuple[str, ...]
    kinds: dict[str, int]
    contradictory: int
    unlabelled: int | None = None
    groups: dict[str, tuple[int, ...]] | None = None

    def notes(self) -> tuple[str, ...]:
        """For people."""
        notes = [f"labels: {self.series:,} series, by {', '.join(self.labellers)}; {_named(self.kinds)}"]
        if self.contradictory:
            notes.append(
                f"{self.contradictory:,} series have contradictory labels: decide with --resolve or [labels] resolve"
            )
        if self.unlabelled:
            notes.append(f"{self.unlabelled:,} series kept by the rules without a label")
        return tuple(notes) if self.groups is None else (*notes, _groups(self.groups))

    def facts(self) -> dict[str, Any]:
        """For scripts: without what is not known."""
        return self.model_dump(mode="json", exclude_none=True)


def _named(kinds: Mapping[str, int]) -> str:
    named = ", ".join(f"{kind} {count:,}" for kind, count in [*kinds.items()][:FEW])
    return named + (f" and {counted(len(kinds) - FEW, 'more kind')}" if len(kinds) > FEW else "")


def _groups(groups: Mapping[str, tuple[int, ...]]) -> str:
    said = []
    for state, words in WORDS.items():
        numbers = [str(number) for number in groups.get(state, ())]
        some = f" ({', '.join(numbers[:FEW])}{', ...' if len(numbers) > FEW else ''})" if state != "named" else ""
        said += [f"{len(numbers)} {words}{some}"] if numbers else []
    return f"groups: {'; '.join(said)}"
