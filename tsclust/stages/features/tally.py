"""How many series each rule rejects: of a part, and of all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Tally:
    """Rows of a part; per rule: how many it is the first to reject, how many it rejects, and how many no other does."""

    rows: int
    rejected: Counter[str]
    in_all: Counter[str]
    alone: Counter[str]

    @classmethod
    def nothing(cls) -> Tally:
        """Of no rows."""
        return cls(0, Counter(), Counter(), Counter())

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.rows + other.rows, self.rejected + other.rejected, self.in_all + other.in_all, self.alone + other.alone
        )
