"""--since 7d, without a date written by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tsclust.errors import SettingsError
from tsclust.stages.scores.since import condition

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "first"),
    [
        ("7d", "2026-02-22 12:00:00"),
        ("36h", "2026-02-28 00:00:00"),
        ("2w", "2026-02-15 12:00:00"),
        ("5m", "2026-03-01 11:55:00"),
    ],
)
def test_the_condition(since: str, first: str) -> None:
    assert condition(since, "started", NOW) == f"\"started\" >= '{first}+00'"


def test_it_holds_besides_the_one_that_is_set() -> None:
    assert condition("1d", 'a"b', NOW, "x > 1 OR y") == '(x > 1 OR y) AND "a""b" >= \'2026-02-28 12:00:00+00\''


@pytest.mark.parametrize("since", ["", "7", "0d", "7 years", "-1d", "1d; drop"])
def test_another_form_is_refused(since: str) -> None:
    with pytest.raises(SettingsError, match="expected for example 7d"):
        condition(since, "started", NOW)


def test_no_column_says_when() -> None:
    with pytest.raises(SettingsError, match="no carried column says when"):
        condition("7d", None, NOW)
