"""Names for the columns of a CSV without a header, where it is clear that they are an id and the values of a series."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from tsclust.source.numbered import FEWEST_WIDE

_NUMBER = r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?"
_WHOLE = r"[+-]?\d+"
_FEWEST = 3  # rows that show that no id is there twice


def names(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """id, v0, v1, ... for rows each of which begins with an id of its own, numbers behind it; () for any others.

    The first line may be a header all the same where its numbers ascend: 0,1,2,...
    """
    cells = [[cell.strip() for cell in row] for row in rows]
    width = len(cells[0]) if cells else 0
    if len(cells) < _FEWEST or width <= FEWEST_WIDE or any(len(row) != width for row in cells):
        return ()
    ids, values = [row[0] for row in cells], [cell for row in cells for cell in row[1:] if cell]
    if not _are_ids(ids) or not all(re.fullmatch(_NUMBER, cell) for cell in values) or not all(cells[0]):
        return ()
    first = [float(cell.replace(",", ".")) for cell in cells[0][1:]]
    if all(a < b for a, b in pairwise(first)):
        return ()
    if all(re.fullmatch(_WHOLE, cell) for cell in values) and not _count(ids):
        return ()
    return ("id", *(f"v{i}" for i in range(width - 1)))


def _are_ids(cells: Sequence[str]) -> bool:
    """Has each row another one: a whole number, or a text that is no number and begins no array?"""
    whole = all(re.fullmatch(_WHOLE, cell) for cell in cells)
    texts = all(cell and not re.fullmatch(_NUMBER, cell) and cell[0] not in "{[" for cell in cells)
    return len(set(cells)) == len(cells) and (whole or texts)


def _count(ids: Sequence[str]) -> bool:
    """Whole numbers one after another, or texts: what is no sample among samples that are whole numbers too."""
    if not all(re.fullmatch(_WHOLE, cell) for cell in ids):
        return True
    return all(int(b) - int(a) == 1 for a, b in pairwise(ids))
