"""Names that people type: which are one, and which only look like another."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsclust.wording.names import difference, first_spellings, fold, look_alikes, tidy


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("High power", "  high\u00a0 POWER\t"),
        ("стойкий", unicodedata.normalize("NFD", "Стойкий")),
        ("Überlast", "ÜBERLAST"),
        ("Straße", "STRASSE"),
        ("ﬁlter", "filter"),
        ("bump", "bu\u00admp\u200b"),  # a soft hyphen, a space of no width
        ("bump", "\ufeffbump\u2060"),
        ("bump", "\u202ebump\u202c"),  # written backwards
        ("⚠ overload", "⚠\ufe0f overload"),
        ("ΟΔΟΣ", "οδος"),
        ("two\u2028lines", "two lines"),
    ],
)
def test_one_name(name: str, other: str) -> None:
    assert fold(name) == fold(other)
    assert not look_alikes([name, other])
    assert set(first_spellings([name, other]).values()) == {tidy(name)}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("скрип", "cкрип"),
        ("CОК", "СОК"),
        ("Hіgh power", "High power"),
        ("Νοise", "Noise"),  # Greek capital nu, omicron
        ("тёмный", "темный"),
        ("Ёлка", "елка"),
        ("замо\u0301к", "замок"),
        ("high-power", "high power"),
        ("high_power", "high–power"),
        ("highpower", "high power"),
        ("заедание - сильное", "заедание — сильное"),
        ("don’t move", "don't move"),
        ("5 µm", "5 um"),
        ("Type I", "Type 1"),
        ("2×2", "2х2"),  # a Russian letter
        ("Ｗear", "Wear"),
        ("bump.", "bump"),
    ],
)
def test_names_that_look_alike_are_not_one(name: str, other: str) -> None:
    assert fold(name) != fold(other)
    assert look_alikes([name, other]) == [(other, name)]
    assert difference(name, other).startswith(("character ", "it has "))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("trip 1", "trip 2"),
        ("offset -5", "offset 5"),
        ("1-2", "12"),
        ("мой", "мои"),
        ("schön", "schon"),
        ("crack A", "crack B"),
        ("?", "!"),
        ("заедание", "заедания"),
        ("が", "か"),
    ],
)
def test_other_names_do_not_look_alike(name: str, other: str) -> None:
    assert not look_alikes([name, other])


def test_what_differs_is_named() -> None:
    assert difference("cкрип", "скрип") == "character 1 is LATIN SMALL LETTER C, not CYRILLIC SMALL LETTER ES"
    assert difference("bump.", "Bump") == "it has 5 characters, not 4"


def test_every_name_is_held_against_all_before() -> None:
    names = ["High power", "other", "high  power", "high-power", "OTHER", "high_power"]
    assert look_alikes(names) == [("high-power", "High power"), ("high_power", "High power")]


@given(st.text())
def test_any_text_is_a_name(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert fold(fold(text)) == fold(text) == fold(text.upper().lower()) or text.casefold() != text.upper().casefold()
    assert not look_alikes([text, text])
    assert unicodedata.is_normalized("NFC", tidy(text))
