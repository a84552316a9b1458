"""After answers the next report leans to the view that paid: of two views over the same series, by features and by
shapes, one is often blind to what goes wrong on this mechanism."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tsclust.stages.clusters.parts import SHAPES, ClusterRow, GroupRow

Row = TypeVar("Row", bound=ClusterRow)

PAID, LOOKED = 2, 4  # looks that each view starts with: one answer alone turns nothing over


@dataclass(frozen=True)
class Payoff:
    """Of each view the share of looks that showed a malfunction."""

    features: float = PAID / LOOKED
    shapes: float = PAID / LOOKED

    @classmethod
    def of(cls, groups: Sequence[GroupRow], answered: Collection[int], malfunctions: Collection[int]) -> Payoff:
        """Of the groups of the sweeps over all series, given the numbers of those answered and of the malfunctions."""
        looked = [row for row in groups if row.of_all and row.group in answered]
        shares = []
        for of_shapes in (False, True):
            seen = [row.group in malfunctions for row in looked if (row.within == SHAPES) == of_shapes]
            shares.append((PAID + sum(seen)) / (LOOKED + len(seen)))
        return cls(*shares)

    def leaned(self, groups: Sequence[Row]) -> list[Row]:
        """The groups, most worth looking at first, in the order in which they are worth it now: a place in the list is
        divided by what its view pays."""
        places = [at / (self.shapes if row.within == SHAPES else self.features) for at, row in enumerate(groups, 1)]
        return [groups[at] for at in sorted(range(len(groups)), key=lambda at: (places[at], at))]
