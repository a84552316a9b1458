"""How many series each rule rejects: of a part, and of all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tsclust.config import Rule
from tsclust.workspace.manifest import Manifest


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
