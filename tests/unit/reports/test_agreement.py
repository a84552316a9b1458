"""How sure a card is that its group is one thing, and the parts that it offers."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.report_workspace import lifelike, write
from tsclust.arrays import Floats
from tsclust.config import Report
from tsclust.stages.reports.data import ReportData
from tsclust.stages.reports.groups.agreement import CLOSE, FEWEST, SOME, agreement, directions, parts
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect
from tsclust.wording.language import Language


def kind(rng: np.random.Generator, n: int, *features: int, of: int = 12) -> Floats:
    """(n, of) deviations: normal ones, and these features far out, by more or less."""
    z = rng.standard_normal((n, of))
    z[:, features] += rng.uniform(6, 12, (n, 1))
    return z


@given(st.integers(FEWEST, 40), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_agreement_is_the_mean_cosine_of_all_pairs(n: int, d: int, seed: int) -> None:
    unit = directions(np.random.default_rng(seed).standard_normal((n, d)), np.ones(d))
    cosines = [float(a @ b) for a, b in itertools.combinations(unit, 2)]
    assert agreement(unit) == pytest.approx(np.mean(cosines), abs=1e-9)


def test_one_kind_agrees_however_strong_its_series_are_and_two_do_not() -> None:
    rng = np.random.default_rng(1)
    one, other = kind(rng, 200, 0, 1), kind(rng, 200, 5, 6)
    weights = np.ones(12)
    alike, apart = agreement(directions(one, weights)), agreement(directions(np.vstack([one, other]), weights))
    assert alike is not None
    assert alike >= CLOSE
    assert agreement(directions(one * rng.uniform(0.5, 4, (200, 1)), weights)) == pytest.approx(alike)
    assert apart is not None
    assert apart < SOME
    assert agreement(directions(kind(rng, 400), weights)) == pytest.approx(0, abs=0.05)  # none deviates


def test_a_feature_without_weight_says_nothing() -> None:
    rng = np.random.default_rng(2)
    z, weights = kind(rng, 50, 0), np.r_[np.ones(11), 0.0]
    z[:, 11] = rng.uniform(-99, 99, 50)
    assert agreement(directions(z, weights)) == agreement(directions(z[:, :11], weights[:11]))


def test_of_fewer_than_ten_nothing_is_said() -> None:
    unit = directions(kind(np.random.default_rng(3), FEWEST - 1, 0), np.ones(12))
    assert agreement(unit) is None
    assert parts(unit) is None


@pytest.mark.parametrize("fewer", [40, 100, 300])
def test_two_kinds_are_the_two_parts(fewer: int) -> None:
    rng = np.random.default_rng(fewer)
    of = rng.permutation(np.r_[np.zeros(300, int), np.ones(fewer, int)])
    z = np.where(of[:, None] == 1, kind(rng, 300 + fewer, 5, 6), kind(rng, 300 + fewer, 0, 1))
    found = parts(directions(z, np.ones(12)))
    assert found is not None
    one, other = found
    assert (one != other).all()
    assert one.sum() >= other.sum()
    assert {tuple(np.unique(of[part])) for part in found} == {(0,), (1,)}


def test_one_kind_has_no_parts_nor_have_equal_series() -> None:
    weights = np.ones(12)
    for seed in range(20):
        assert parts(directions(kind(np.random.default_rng(seed), 150, 0, 1), weights)) is None
    assert parts(directions(np.ones((50, 12)), weights)) is None
    assert parts(directions(np.zeros((50, 12)), weights)) is None


def test_a_few_strays_are_no_part() -> None:
    rng = np.random.default_rng(4)
    z = np.vstack([kind(rng, 290, 0, 1), kind(rng, 10, 5, 6)])[rng.permutation(300)]
    assert parts(directions(z, np.ones(12))) is None


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    """Two kinds in one group, the first of which is more frequent."""
    made = [replace(m, group="both") if m.group in ("dip", "long") else m for m in lifelike(400)]
    left_out = [m for m in made if m.group == "both" and len(m.values) > 75][10:]
    kept = [m for m in made if m not in left_out]
    return collect(write(tmp_path_factory.mktemp("both") / "ws", kept), Report())


def test_a_card_of_two_kinds_offers_both(both: ReportData) -> None:
    card, normal = both.groups
    assert card.agreement is not None
    assert card.agreement < CLOSE
    assert [part.unusual[0].feature for part in card.parts] == ["side_fall", "run_length"]
    assert [round(part.share * card.size) for part in card.parts] == [card.size - 10, 10]
    assert len(card.parts[1].typical.values) > len(card.parts[0].typical.values)
    assert (normal.agreement, normal.parts) == (None, ())


@pytest.mark.parametrize(
    ("lang", "agrees", "offered"),
    [
        ("en", "Hardly one thing: agreement {}", "Its series fall into two parts"),
        ("ru", "Вряд ли один вид: согласованность {}", "Записи распадаются на две части"),
    ],
)
def test_the_page_says_so_with_the_command_that_divides_the_group(
    both: ReportData, lang: str, agrees: str, offered: str
) -> None:
    page, card = render(both, lang), both.groups[0]
    assert agrees.format(Language.load(lang).share(card.agreement or 0)) in re.sub("</?(b|span)>", "", page)
    assert offered in page
    assert f"<code>tsclust cluster --within {card.number}</code>" in page


def test_a_group_that_was_divided_names_its_groups_instead(both: ReportData) -> None:
    card = both.groups[0]
    inside = replace(card, number=9, within=card.number, parts=())
    page = render(replace(both, groups=(card, inside, both.groups[1])), "en")
    assert 'It was divided into groups <a href="#group-9">9</a>.' in page
    assert "cluster --within" not in page
