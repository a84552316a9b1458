"""English plurals in messages of the command line."""

from __future__ import annotations

import pytest

from tsclust.wording.english import counted


@pytest.mark.parametrize(
    ("n", "one", "many", "words"),
    [
        (1, "group keeps its number", "groups keep their numbers", "1 group keeps its number"),
        (1_234, "group keeps its number", "groups keep their numbers", "1,234 groups keep their numbers"),
        (0, "answers file", "", "0 answers files"),
        (1, "part", "", "1 part"),
    ],
)
def test_a_number_with_what_it_counts(n: int, one: str, many: str, words: str) -> None:
    assert counted(n, one, many) == words
