"""Ways of being normal that may be none: the report asks of regimes, and of machines that differ as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.report_workspace import NORMAL, Made, lifelike, write
from tsclust.config import Report
from tsclust.stages.reports.data import ReportData
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect

ODD = "W3"


def higher(made: list[Made], which: Callable[[int, Made], bool]) -> list[Made]:
    """All of these twice as high."""
    return [
        replace(m, values=[None if v is None else 2 * v for v in m.values]) if which(i, m) else m
        for i, m in enumerate(made)
    ]


@pytest.fixture(scope="module")
def odd_machine(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    made = higher(lifelike(600), lambda _, m: m.carried["machine"] == ODD)
    return collect(write(tmp_path_factory.mktemp("odd") / "ws", made, baseline=["machine"]), Report())


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    """A twelfth of the series, which no column names, are normal in another way; or are they?"""
    usual = [m for m in lifelike(1_200) if m.group == NORMAL or m.series_id in (1, 17, 33)]
    made = higher(usual, lambda i, m: i % 12 == 7 and m.group == NORMAL)
    return collect(write(tmp_path_factory.mktemp("regime") / "ws", made, regimes=2), Report())


def test_a_machine_that_differs_as_a_whole_is_shown(odd_machine: ReportData) -> None:
    (way,) = odd_machine.ways
    assert way.name == "machine"
    assert dict(way.typical.carried)["machine"] == ODD
    assert "whole_curve" in {one.feature for one in way.unusual}
    assert 0.05 < way.share < 0.15


def test_of_few_machines_or_machines_alike_none_is_shown(tmp_path: Path) -> None:
    alike = collect(write(tmp_path / "alike", lifelike(600), baseline=["machine"]), Report())
    few = [m for m in lifelike(600) if m.carried["machine"] in ("W1", "W2", ODD)]
    made = higher(few, lambda _, m: m.carried["machine"] == ODD)
    assert alike.ways == collect(write(tmp_path / "few", made, baseline=["machine"]), Report()).ways == ()


def test_a_machine_is_compared_with_others_of_the_same_product(tmp_path: Path) -> None:
    """Products differ by more than the machine does from the others."""
    made = [
        replace(m, carried=dict(m.carried) | {"product": "A" if i % 3 else "B"}) for i, m in enumerate(lifelike(900))
    ]
    made = higher(made, lambda _, m: m.carried["machine"] == ODD)
    made = higher(higher(made, lambda i, _: i % 3 == 0), lambda i, _: i % 3 == 0)
    (way,) = collect(write(tmp_path / "ws", made, baseline=["product", "machine"]), Report()).ways
    assert (way.name, dict(way.typical.carried)["machine"]) == ("machine", ODD)


def test_every_regime_is_shown_the_most_frequent_first(regime: ReportData) -> None:
    often, rare = regime.ways
    assert (often.name, rare.name, regime.regimes) == ("", "", 2)
    assert often.share + rare.share == pytest.approx(1)
    assert 0.05 < rare.share < 0.12
    assert often.unusual == ()
    assert [one.times for one in rare.unusual if one.feature == "whole_curve"] == [pytest.approx(2, abs=0.1)]


@pytest.mark.parametrize(
    ("lang", "title", "machine", "kind"),
    [
        ("en", "Is this normal?", "Machine W3: all of its series", "A regime: "),
        ("ru", "Нормально ли это?", "W3: все записи", "Режим: "),
    ],
)
def test_the_page_asks(
    odd_machine: ReportData, regime: ReportData, lang: str, title: str, machine: str, kind: str
) -> None:
    page = render(odd_machine, lang)
    assert title in page
    assert machine.lower() in page.lower()
    assert "regimes = false" not in page
    page = render(regime, lang)
    assert page.count(kind) >= 2
    assert "<code>[cluster] regimes = false</code>" in page
    assert title not in render(replace(regime, ways=()), lang)
