"""What is unusual about a group, and where it occurs: against series of its own machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.report_workspace import plain, write
from tsclust.config import Report
from tsclust.stages.features.reference import MIN_SERIES
from tsclust.stages.reports.groups.step import collect


@pytest.mark.parametrize(("weak", "strong"), [("weak", "strong"), (0.5, 1.5)])
def test_within_a_baseline_a_series_is_compared_with_its_own(tmp_path: Path, weak: Any, strong: Any) -> None:
    """1.5 times the level of its own weak machine is still less than what a strong machine always has."""
    levels = {weak: 1.0, strong: 4.0}
    made = [
        plain(i, level=levels[name] * (1 + 0.01 * (i % 5)), machine=name) for i, name in enumerate([weak, strong] * 40)
    ]
    made += [plain(100 + i, group="stiff", level=1.5, machine=weak) for i in range(4)]
    made = [replace(m, features=m.features | dict.fromkeys(("p25", "p50"), m.features["side_mean"])) for m in made]
    alone = collect(write(tmp_path / "alone", made), Report())
    regimes = collect(write(tmp_path / "regimes", made, regimes=2), Report())
    against = collect(write(tmp_path / "against", made, baseline=["machine"]), Report())
    assert alone.groups[0].unusual == ()
    assert (alone.regimes, regimes.regimes, against.regimes) == (0, 2, 0)
    for data in (regimes, against):  # without the column they are told apart by what they are
        (unusual,) = data.groups[0].unusual
        assert (unusual.feature, unusual.times) == ("side_mean", pytest.approx(1.5, rel=0.03))
    usual = against.groups[0].members[0].usual
    assert usual is not None
    assert usual.at == (-1, 0, 1, 2, 3, 4)
    assert usual.values == pytest.approx((0, 5, 1, 1, 1, 0), abs=0.05)
    assert alone.groups[0].members[0].usual is None


def test_few_of_a_machine_are_enough_to_know_what_is_usual_for_it(tmp_path: Path) -> None:
    """As many as the sweep compares a series with; where those end that run on longer, nothing is usual."""
    made = [plain(i, level=1.0 + i % 8, machine=f"W{i % 8}") for i in range(8 * MIN_SERIES)]
    made += [plain(500 + i, group="stiff", level=1.5 * (1 + i), machine=f"W{i}") for i in range(8)]
    made += [replace(m, series_id=600 + m.series_id, values=[*m.values[:-1], 1.0, 1.0, 1.0, 0.0]) for m in made[:40]]
    stiff = collect(write(tmp_path / "ws", made, baseline=["machine"]), Report()).groups[0]
    (unusual,) = stiff.unusual
    assert (unusual.feature, unusual.times) == ("side_mean", pytest.approx(1.5, rel=0.03))
    assert all(m.usual and m.usual.at[-1] == 4 for m in stiff.members)


def test_where_a_group_occurs_on_few_machines_they_are_named(tmp_path: Path) -> None:
    made = [plain(i, machine=f"W{i % 10}") for i in range(100)]
    made += [plain(100 + i, group="high", level=3.0, machine=f"W{i}") for i in range(2)]
    (where,) = collect(write(tmp_path / "ws", made), Report()).groups[0].where
    assert (where.distinct, where.known) == (2, 10)
    assert [(often.value, often.count, often.share) for often in where.often] == [("W0", 1, 0.5), ("W1", 1, 0.5)]
