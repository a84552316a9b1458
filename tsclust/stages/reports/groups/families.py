"""Which groups get a card of their own, and which are a row under the card that has shown most of their series.

A card shows something new: at least NEW of its series are on no earlier card. A proposed group that does not is a row
under the card that shows most of it, if that is at least ROW of its series; otherwise nobody could judge it by that
card, and it gets one of its own. What is freed so goes to further groups of the sweep, in their order. Groups of a
drill-down were asked for, and always get a card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tsclust.arrays import Bools, Int64s
from tsclust.stages.clusters.parts import ClusterRow, GroupRow

NEW = 0.8  # of the series of a card, at least, were on no earlier one
ROW = 0.5  # of the series of a row, at least, are on the one card that it stands under
BITS = 64  # of a word, by which sets are told apart
FURTHER = 120  # groups of the sweep that are looked at for the places freed


@dataclass(frozen=True)
class Likes:
    """Series by the groups that they are members of: inside (p, g) the sets that occur, count (p,) how often."""

    inside: Bools
    count: Int64s

    @classmethod
    def of(cls, inside: Bools, count: Int64s) -> Likes:
        """inside (n, g) with repetitions."""
        padded = np.zeros((len(inside), -(-inside.shape[1] // BITS) * BITS // 8), np.uint8)
        packed = np.packbits(inside, axis=1)
        padded[:, : packed.shape[1]] = packed
        sets = pl.DataFrame({str(at): word for at, word in enumerate(padded.view(np.uint64).T)})
        rows = sets.with_columns(count=count).with_row_index("row").group_by(sets.columns)
        found = rows.agg(pl.col("row").first(), pl.col("count").sum()).sort("row")
        return cls(inside[found["row"].to_numpy()], found["count"].to_numpy())

    def of_first(self, groups: int) -> Likes:
        """By the first of the groups alone."""
        return Likes.of(self.inside[:, :groups], self.count)

    @classmethod
    def joined(cls, parts: Sequence[Likes]) -> Likes:
        """Of all parts together."""
        return cls.of(np.concatenate([p.inside for p in parts]), np.concatenate([p.count for p in parts]))


@dataclass(frozen=True)
class Family:
    """at: the candidate that gets a card; rows: candidates of which it shows at least ROW, with the share of each that
    is on this card."""

    at: int
    rows: tuple[tuple[int, float], ...] = ()


def families(likes: Likes, asked: Sequence[bool], most: int) -> list[Family]:
    """At most `most` cards of the candidates, in their order, and the rows under each.

    asked (g,): which of them are proposed, all of which are a card or a row; of the others those that are not new are
    left out.
    """
    size = likes.count @ likes.inside
    seen, cards, rows = np.zeros(len(likes.count), bool), list[int](), dict[int, list[tuple[int, float]]]()
    for g in range(len(size)):
        own = likes.inside[:, g]
        new = likes.count[own & ~seen].sum() >= NEW * size[g]
        shared = likes.count[own] @ likes.inside[own][:, cards] / max(size[g], 1)
        if (new and len(cards) < most) or (asked[g] and max(shared, default=0.0) < ROW):
            cards.append(g)
            seen |= own
        elif asked[g]:
            at = int(shared.argmax())
            rows.setdefault(cards[at], []).append((g, float(shared[at])))
    return [Family(g, tuple(rows.get(g, ()))) for g in cards]


def candidates(cards: Sequence[ClusterRow], groups: Sequence[GroupRow]) -> tuple[list[ClusterRow], list[ClusterRow]]:
    """The proposed cards of the main sweep, and further groups of it, in the order in which they come."""
    asked = [row for row in cards if not row.normal and row.of_all]
    there = {row.group for row in asked}
    more = [row for row in groups if row.of_all and not row.normal and row.worth > 0 and row.group not in there]
    return asked, [*more[:FURTHER]]


Arranged = tuple[list[ClusterRow], dict[int, tuple[int, float]]]


def arranged(
    likes: Callable[[Sequence[ClusterRow]], Likes], cards: Sequence[ClusterRow], groups: Sequence[GroupRow]
) -> Arranged:
    """The cards in their order, each row behind the card it belongs to; and number of a row -> (number of its card, the
    share of its series that are on that card). likes: counts series by the groups that it is given."""
    asked, more = candidates(cards, groups)
    if len(asked) < 2:
        return list(cards), {}
    found = likes([*asked, *more])
    alone = found.of_first(len(asked))
    if not any(family.rows for family in families(alone, [True] * len(asked), len(asked))):
        found = alone
    among = [*asked, *more][: found.inside.shape[1]]
    made = families(found, [at < len(asked) for at in range(len(among))], len(asked))
    order = [among[at] for family in made for at in (family.at, *(row for row, _ in family.rows))]
    under = {_number(among[row]): (_number(among[f.at]), share) for f in made for row, share in f.rows}
    others = [row for row in cards if row.normal or not row.of_all]
    return [*order, *others], under


def _number(row: ClusterRow) -> int:
    """Groups have one; only clusters of one model have none."""
    return -1 if row.group is None else row.group
