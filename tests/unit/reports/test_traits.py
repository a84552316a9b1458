"""What is stated of how a group's shape differs: what the picture of its card shows, and nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tsclust.stages.clusters.parts import SHAPES, ClusterRow, Trait
from tsclust.stages.reports.data import Band, Curve, Group, ReportData, Unusual
from tsclust.stages.reports.groups.traits import trait_of
from tsclust.wording.language import Language
from tsclust.wording.shapes import shape_in_words

REST = 3  # samples before the start
UP, DOWN, LEVEL = (0.0, 1.0), (1.0, 0.0), (0.5, 0.5)


def card_of(data: ReportData, values: Sequence[float], normal: Sequence[float], *unusual: Unusual) -> Group:
    """A card with this typical series, from its start on, on a band of 0.1 around normal."""
    band = Band(tuple(range(len(normal))), tuple(v - 0.1 for v in normal), tuple(v + 0.1 for v in normal))
    typical = Curve("1", REST, (*(0.0,) * REST, *values), (), None)
    return replace(data.groups[0], members=(typical,), around=band, unusual=unusual)


def stated(
    card: Group, trait: Trait, within: int | None = SHAPES, plateau: tuple[float, float] = (0.0, 0.0)
) -> Trait | None:
    row = ClusterRow(
        group=1, k=5, cluster=2, size=9, share=0.1, first_k=5, last_k=5, parent=None, within=within, normal=False
    )  # fmt: skip
    return trait_of(row, {(within, 5, 2): trait}, card, Band((), (), ()), plateau)


def words(lang: str, trait: Trait | None) -> str:
    """The same whichever way peaks point, as the picture is not turned either."""
    assert trait is not None
    up, down = Language.load(lang), Language.load(lang).pointing_down()
    assert shape_in_words(up, trait) == shape_in_words(down, trait)
    return shape_in_words(up, trait).partition(": ")[2]


@pytest.mark.parametrize("within", [None, SHAPES])
@pytest.mark.parametrize(("bump", "fact", "said"), [(0.3, True, True), (0.05, True, False), (0.05, False, True)])
def test_beside_clear_features_a_place_is_stated_only_where_the_picture_shows_it(
    four_kinds_data: ReportData, within: int | None, bump: float, fact: bool, said: bool
) -> None:
    """7 to 9 samples on the typical series is off, which is of some more series than usual where it is seen in none.
    Alone it is the only thing to say."""
    values = np.ones(20)
    values[8] += bump
    facts = (Unusual("peak_height", 0.6, 1.0, 0.6, -9.0),) if fact else ()
    card = card_of(four_kinds_data, values.tolist(), (1.0,) * 20, *facts)
    trait = Trait(5, 2, "bump", True, True, 7, 9)
    found, elsewhere = stated(card, trait, within), stated(card, replace(trait, first=12, last=15), within)
    assert (found is not None, elsewhere is not None) == (said, not fact)
    unknown = replace(trait, first=30, last=35)  # beyond where normal series reach
    assert stated(card, unknown, within) == unknown


@pytest.mark.parametrize("samples", [4, 20])
@pytest.mark.parametrize(("now", "normal", "en", "ru"), [
    ((0.0, 2.0), UP, "rises more than normal", "растёт сильнее, чем обычно"),
    ((0.0, 0.5), UP, "rises less than normal", "растёт слабее, чем обычно"),
    (DOWN, UP, "falls, normally rises", "падает, хотя обычно растёт"),
    ((2.0, 0.0), DOWN, "falls more than normal", "падает сильнее, чем обычно"),
    ((0.5, 0.0), DOWN, "falls less than normal", "падает слабее, чем обычно"),
    (UP, DOWN, "rises, normally falls", "растёт, хотя обычно падает"),
    (UP, LEVEL, "rises, normally level", "растёт, обычно держится ровно"),
    (DOWN, LEVEL, "falls, normally level", "падает, обычно держится ровно"),
])  # fmt: skip
@pytest.mark.parametrize("more", [True, False])
def test_a_slope_is_stated_as_the_picture_shows_it(
    four_kinds_data: ReportData, samples: int, now: tuple[float, float], normal: tuple[float, float], en: str,
    ru: str, more: bool,
) -> None:  # fmt: skip
    """Straight lines from one value to another, after a peak of 3 that both have; in short stretches as in long."""
    values, usual = ([3.0, *np.linspace(*ends, samples + 1), 0.0] for ends in (now, normal))
    found = stated(card_of(four_kinds_data, values, usual), Trait(5, 2, "slope", True, more, 1, 1 + samples))
    assert (words("en", found), words("ru", found)) == (en, ru)


@pytest.mark.parametrize(
    ("first", "said"), [(0.5, None), (-0.6, "runs below normal"), (0.0, "runs first below, then above normal")]
)
def test_a_plateau_that_rises_above_normal_is_not_said_to_be_above_it_as_well(
    four_kinds_data: ReportData, first: float, said: str | None
) -> None:
    """It rises by 1, from `first` on, where 0.5 is normal."""
    values = np.linspace(first, first + 1, 20).tolist()
    card = card_of(four_kinds_data, values, (0.5,) * 20, Unusual("level_rises", 1.0, 0.0, None, 9.0))
    found = stated(card, Trait(5, 2, "bump", True, True, 5, 15), plateau=(4.0, 16.0))
    assert (found and words("en", found)) == said


@pytest.mark.parametrize("measure", ["slope", "bump"])
@pytest.mark.parametrize(("off", "en", "first", "last"), [
    ({5: -0.5, 8: 0.5, 9: 0.4, 10: 0.6}, "runs above normal", 8, 10),
    ({8: 0.5, 10: -0.5, 11: -0.4}, "runs below normal", 10, 11),
])  # fmt: skip
def test_a_stretch_at_no_known_place_is_where_the_picture_shows_it(
    four_kinds_data: ReportData, measure: str, off: dict[int, float], en: str, first: int, last: int
) -> None:
    """The longest stretch that is off."""
    card = card_of(four_kinds_data, [1.0 + off.get(at, 0.0) for at in range(20)], (1.0,) * 20)
    found = stated(card, nowhere := Trait(5, 2, measure, True, True))
    assert (words("en", found), found and found.first, found and found.last) == (en, first, last)
    beside = replace(card, unusual=(Unusual("run_length", 0.6, 1.0, 0.6, -9.0),))
    assert stated(beside, nowhere) is None  # a fact says more than that something is off somewhere


def test_a_stretch_that_the_picture_shows_nowhere_is_left_open(four_kinds_data: ReportData) -> None:
    card, nowhere = card_of(four_kinds_data, (1.05,) * 20, (1.0,) * 20), Trait(5, 2, "slope", True, True)
    assert stated(card, nowhere) == nowhere


@pytest.mark.parametrize(("first", "last", "feature", "said"), [
    (5, 15, "level_rises", False), (5, 15, "step_up", False), (5, 15, "run_length", True),
    (14, 19, "level_rises", True),
])  # fmt: skip
def test_a_plateau_whose_rise_a_feature_states_is_not_said_to_rise_again(
    four_kinds_data: ReportData, first: int, last: int, feature: str, said: bool
) -> None:
    """The plateau is from 4 to 16 samples after the start."""
    card = card_of(four_kinds_data, np.linspace(0, 5, 20).tolist(), (0.5,) * 20, Unusual(feature, 0.4, 0.0, None, 9.0))
    found = stated(card, Trait(5, 2, "slope", True, True, first, last), plateau=(4.0, 16.0))
    assert (found is not None) == said


@pytest.mark.parametrize(("off", "en", "ru"), [
    ({}, "runs differently from normal", "кривая идёт не так, как обычно"),
    ({8: 0.5}, "runs above normal", "кривая идёт выше обычной"),
    ({8: 0.15, 9: -0.05}, "runs above normal", "кривая идёт выше обычной"),
    ({8: -0.5, 9: 0.05, 11: -0.4}, "runs below normal", "кривая идёт ниже обычной"),
    ({8: 0.5, 11: -0.5}, "runs first above, then below normal", "кривая идёт сначала выше, затем ниже обычной"),
    ({8: -0.5, 11: 0.5}, "runs first below, then above normal", "кривая идёт сначала ниже, затем выше обычной"),
    ({8: 0.5, 9: -0.5, 10: 0.5}, "swings above and below normal", "кривая колеблется выше и ниже обычной"),
])  # fmt: skip
@pytest.mark.parametrize("measure", ["bump", "dip"])
def test_a_bump_is_stated_by_the_side_of_normal_that_it_is_on(
    four_kinds_data: ReportData, measure: str, off: dict[int, float], en: str, ru: str
) -> None:
    values = [1.0 + off.get(at, 0.0) for at in range(20)]
    found = stated(card_of(four_kinds_data, values, (1.0,) * 20), Trait(5, 2, measure, True, True, 7, 13))
    assert (words("en", found), words("ru", found)) == (en, ru)


def test_a_bump_that_is_missing_stays_a_missing_bump(four_kinds_data: ReportData) -> None:
    card, missing = card_of(four_kinds_data, (1.0,) * 20, (1.5,) * 20), Trait(5, 2, "bump", True, False, 7, 13)
    assert stated(card, missing) == missing
