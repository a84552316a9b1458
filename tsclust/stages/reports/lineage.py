"""Which group came out of which, for those shown: their order and their links, as plain values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tsclust.stages.clusters.parts import GroupRow

EDGE = 0.4  # of a k, that a bar reaches beyond its first and last: a group of one k has a bar too

GroupRows = Mapping[int, GroupRow]  # by group


@dataclass(frozen=True)
class Bar:
    """A group on its line; lines are counted from the top.

    parent  the line of the nearest shown group that it came out of; None where there is none
    """

    group: int
    size: int
    share: float
    first_k: int
    last_k: int
    normal: bool
    parent: int | None

    @property
    def left(self) -> float:
        return self.first_k - EDGE

    @property
    def right(self) -> float:
        return self.last_k + EDGE


def bars(groups: Sequence[GroupRow], shown: Collection[int]) -> list[Bar]:
    """The groups `shown`, every one below what it came out of. Groups stand in the order of their worth.

    Children that came later stand nearer to their parent, so no link crosses a bar.
    """
    rows = {row.group: row for row in groups}
    parents = {group: _shown_parent(group, rows, shown) for group in rows if group in shown}
    order = _ordered(parents, rows)
    line = {group: at for at, group in enumerate(order)}
    return [_bar(rows[group], None if (up := parents[group]) is None else line[up]) for group in order]


def links(found: list[Bar]) -> str:
    """The path, in k and lines: from each parent to where its child starts, which may be after the parent's end."""
    steps = [(found[bar.parent], bar, line) for line, bar in enumerate(found) if bar.parent is not None]
    return "".join(f"M{min(up.right, bar.left):g},{bar.parent}H{bar.left:g}V{line}" for up, bar, line in steps)


def _bar(row: GroupRow, parent: int | None) -> Bar:
    return Bar(row.group, row.size, row.share, row.first_k, row.last_k, row.normal, parent)


def _shown_parent(group: int, rows: GroupRows, shown: Collection[int]) -> int | None:
    """Up to the nearest that is shown. An ancestor starts at a smaller k: whatever the file says, this ends."""
    above = rows[group].parent
    if above is None or above not in rows or rows[above].first_k >= rows[group].first_k:
        return None
    return above if above in shown else _shown_parent(above, rows, shown)


def _ordered(parents: Mapping[int, int | None], rows: GroupRows) -> list[int]:
    children: dict[int | None, list[int]] = defaultdict(list)
    for group, parent in parents.items():
        children[parent].append(group)

    def family(group: int) -> list[int]:
        latest_first = sorted(children[group], key=lambda child: -rows[child].first_k)
        return [group, *(member for child in latest_first for member in family(child))]

    return [member for root in children[None] for member in family(root)]
