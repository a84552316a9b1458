"""What features/ remembers of its making."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tsclust import config
from tsclust.config import Rule
from tsclust.stages.features import catalogue
from tsclust.stages.features.catalogue import Feature
from tsclust.stages.features.explained import Explained
from tsclust.stages.features.lost_groups import LostGroup
from tsclust.stages.features.tally import Tally
from tsclust.stages.features.typical import Kinds
from tsclust.workspace.manifest import Facts, Stage


class PartFacts(BaseModel):
    """What is remembered of a part of features/.

    series  sha256 of the part of series/ that it describes
    votes   how many of its series say that the peak points up, how many down
    rows    how many there are;  rejected, in_all, alone: see Tally
    """

    model_config = ConfigDict(frozen=True)

    series: str
    votes: tuple[int, int]
    rows: int
    rejected: dict[str, int]
    in_all: dict[str, int]
    alone: dict[str, int]

    @classmethod
    def of(cls, series: str, votes: tuple[int, int], tally: Tally) -> PartFacts:
        """With the counts of a tally."""
        return cls(
            series=series, votes=votes, rows=tally.rows, rejected=tally.rejected, in_all=tally.in_all, alone=tally.alone
        )

    @property
    def tally(self) -> Tally:
        """The counts by themselves."""
        return Tally(self.rows, Counter(self.rejected), Counter(self.in_all), Counter(self.alone))


class _StoredRule(BaseModel):
    name: str
    when: str
    reason: str


def _stored(rule: Any) -> Rule:
    """A rule that was applied: the one that always holds may be longer than what a user may write."""
    if isinstance(rule, Rule):
        return rule
    return Rule.model_construct(**_StoredRule.model_validate(rule).model_dump())


StoredRule = Annotated[Rule, BeforeValidator(_stored)]


class FeaturesFacts(Facts):
    """By which features series are described, and what the rules reject.

    peak       which way the peak points; `agreement` is the share of the series that say so
    typical    feature -> (median, robust deviation) of all series; what rules call typical_... and spread_... is that
               of a series' kind, in typical.arrow
    kinds      by what series are told apart for that; None: made by a tsclust that did not
    catalogue  the features in force, in the order of their columns
    rules      those applied, in their order; per rule: rejected  series it is the first to reject, in_all  series it
               rejects, alone  series that no other rejects
    chosen     the baseline that tsclust chose, where the settings name none and do not switch it off; else None
    groups     carried columns that name groups of series;  lost_groups: those that a rule rejects by more than a third
    kept       series that no rule rejects;  by_part  the same of each file
    """

    INTERNAL: ClassVar[frozenset[str]] = frozenset({"by_part", "catalogue", "typical", "kinds", "groups"})
    LONG: ClassVar[frozenset[str]] = frozenset({"by_part", "typical", "kinds"})

    peak: Literal["max", "min"]
    agreement: float
    typical: dict[str, tuple[float, float]]
    kinds: Kinds | None = None
    catalogue: tuple[Feature, ...]
    rules: tuple[StoredRule, ...]
    rejected: dict[str, int]
    in_all: dict[str, int]
    alone: dict[str, int]
    kept: int
    chosen: tuple[Explained, ...] | None = None
    groups: tuple[str, ...] = ()
    lost_groups: tuple[LostGroup, ...] = ()
    by_part: dict[str, PartFacts] = Field(default_factory=dict)

    @property
    def sign(self) -> int:
        """1 where the peak is a maximum, -1 where it is a minimum."""
        return 1 if self.peak == "max" else -1

    @property
    def described(self) -> str:
        """A hash of how series are described and screened, and of the first of them: further ones do not change it."""
        first = min(self.by_part.items(), default=("", None), key=lambda pair: pair[0])[1]
        return config.digest(repr(self.identity()), self.peak, self.rules, first.series if first else "")

    def lost_groups_of(self, rule: str) -> tuple[LostGroup, ...]:
        """The groups that this rule rejects by more than a third."""
        return tuple(group for group in self.lost_groups if group.rule == rule)

    def summary(self) -> dict[str, Any]:
        """What is kept."""
        return {"kept": self.kept}

    def identity(self) -> object:
        """Which features count is not seen in the files: a feature may be skipped."""
        return catalogue.plain(self.catalogue)


def counted(rules: Sequence[Rule], by_part: Mapping[str, PartFacts]) -> dict[str, Any]:
    """The facts that applying rules to all parts makes: every rule counts, those that reject nothing too."""
    total = sum((part.tally for part in by_part.values()), Tally.nothing())
    return {
        "rules": tuple(rules),
        "rejected": {r.name: total.rejected[r.name] for r in rules},
        "in_all": {r.name: total.in_all[r.name] for r in rules},
        "alone": {r.name: total.alone[r.name] for r in rules},
        "kept": total.rows - total.rejected.total(),
        "by_part": dict(by_part),
    }


FEATURES = Stage("features", "features", FeaturesFacts)
