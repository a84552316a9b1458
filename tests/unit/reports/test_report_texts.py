"""The report's texts: what it says in two languages, and that every text is used."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.support.models import learned
from tests.support.report_workspace import lifelike, write
from tests.support.series import CLUSTERED
from tsclust.config import Report
from tsclust.notebook.group_figures import curves_of, spread_of
from tsclust.notebook.model_figures import coverage_of
from tsclust.stages.features.catalogue import CATALOGUE
from tsclust.stages.features.default_rules import DEFAULT_RULES, NOT_DESCRIBED
from tsclust.stages.reports.charts.figures import elbow
from tsclust.stages.reports.data import Unusual
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect, overview_figures
from tsclust.stages.reports.html.page import STATIC
from tsclust.wording.language import Language


@pytest.mark.parametrize(
    ("unusual", "en", "ru"),
    [
        (Unusual("run_length", 68, 50, None, 9), "run 18\u00a0samples longer", "ход длиннее на 18\u00a0отсчётов"),
        (Unusual("run_length", 49, 50, None, -9), "run 1\u00a0sample shorter", "ход короче на 1\u00a0отсчёт"),
        (Unusual("peak_width", 3.94, 2.68, None, 9), "peak 1.3\u00a0samples wider", "пик шире на 1,3\u00a0отсчёта"),
        (
            Unusual("side_mean", 1.6, 1, 1.62, 9),
            "plateau: level 62% higher than normal",
            "плато: уровень на 62\u00a0% больше обычного",
        ),
        (
            Unusual("peak_height", 2, 4, 0.5, -9),
            "peak: height 50% lower than normal",
            "пик: высота на 50\u00a0% меньше обычного",
        ),
        (
            Unusual("side_mean", 2.3, 1, 2.34, 9),
            "plateau: level 2.3 times normal",
            "плато: уровень в 2,3 раза больше обычного",
        ),
        (
            Unusual("p05", 0.82, 1, 0.82, -9),
            "run: low end 18% lower than normal",
            "ход: нижний край на 18\u00a0% меньше обычного",
        ),
        (
            Unusual("side_fall", 21, 1, 21.4, 9),
            "plateau: largest fall 21 times normal",
            "плато: наибольший провал в 21 раз больше обычного",
        ),
        (
            Unusual("side_fall", 5e7, 1, 5e7, 9),
            "plateau: largest fall over 1,000 times normal",
            "плато: наибольший провал более чем в 1\u202f000 раз больше обычного",
        ),
        (
            Unusual("return_level", -0.56, -0.041, None, 9),
            "return to rest: level 0.52 lower than normal",
            "возврат к покою: уровень на 0,52 меньше обычного",
        ),
        (
            Unusual("rest_level", 0.149, -0.0004, None, 9),
            "at the end: level 0.15 higher than normal",
            "в конце: уровень на 0,15 больше обычного",
        ),
        (Unusual("of_ones_own", 2, 1, None, 9), "of_ones_own: 2, normally 1", "of_ones_own: 2 (обычно 1)"),
        (
            Unusual("side_slope", 0.0099, -0.0002, None, 9),
            "plateau: rises more steeply than normal",
            "плато: растёт круче обычного",
        ),
        (
            Unusual("side_skewness", -2.8, 1.5, None, -9),
            "plateau: brief dips below its level",
            "плато: короткие провалы ниже его уровня",
        ),
    ],
)
def test_what_is_unusual_in_words(unusual: Unusual, en: str, ru: str) -> None:
    assert Language.load("en").sentence(unusual) == en
    assert Language.load("ru").sentence(unusual) == ru


def test_where_the_peak_points_down_more_is_deeper_and_a_rise_of_the_level_a_fall_in_the_picture() -> None:
    en, ru = (Language.load(code).pointing_down() for code in ("en", "ru"))
    peak, level = Unusual("peak_height", 4, 2, 2 / 1.25, 9), Unusual("level_rises", 20, 0.1, None, 9)
    assert (en.sentence(peak), ru.sentence(peak)) == (
        "peak: 60% deeper than normal",
        "пик: на 60\u00a0% глубже обычного",
    )
    assert en.sentence(level) == "plateau: level falls by 20, normally 0"
    assert ru.sentence(level) == "плато: уровень падает на 20 (обычно 0)"
    ratio = Unusual("side_to_peak", 0.5, 0.6, 0.83, -9)
    assert en.sentence(ratio) == "plateau: level 50% of the greatest depth, normally 60%"
    assert Language.load("en").sentence(ratio) == "plateau: level 50% of the highest value, normally 60%"
    assert ru.sentence(ratio) == "плато: уровень 50\u00a0% от наибольшей глубины (обычно 60\u00a0%)"
    lowest = Unusual("highest_at", 61, 3.5, None, 9, "samples")
    assert en.sentence(lowest) == (
        "90% of the greatest depth is reached 61\u00a0samples after the start, normally after 3.5\u00a0samples"
    )
    assert ru.sentence(lowest) == (
        "90\u00a0% наибольшей глубины — через 61\u00a0отсчёт после начала хода (обычно через 3,5\u00a0отсчёта)"
    )
    assert Language.load("en").sentence(lowest).startswith("90% of the highest value is reached 61\u00a0samples after")
    assert Language.load("ru").sentence(lowest).startswith("90\u00a0% наибольшего значения — через 61\u00a0отсчёт")
    stroke = Unusual("below_rest", -1.1, -0.8, None, -9)
    assert Language.load("en").sentence(stroke) == "below rest: level 0.3 lower than normal"
    assert Language.load("ru").sentence(stroke) == "ниже покоя: уровень на 0,3 меньше обычного"
    assert en.sentence(stroke) == "above rest: level 0.3 shallower than normal"
    after = Unusual("rest_level", 7, -0.2, None, 9)
    assert en.sentence(after) == "at the end: level 7.2 deeper than normal"


def test_only_of_what_is_recorded_the_unit_is_named() -> None:
    en = replace(Language.load("en"), unit="Nm")
    level, area = Unusual("rest_level", 0.149, -0.0004, None, 9), Unusual("area", 1234, -3, None, 9, "value x samples")
    assert ("Nm" in en.sentence(level), "Nm" in en.sentence(area)) == (True, False)


def test_numbers_and_dates_by_language() -> None:
    en, ru = Language.load("en"), Language.load("ru")
    assert (en.fixed(1234567, 0), ru.fixed(1234567, 0)) == ("1,234,567", "1\u202f234\u202f567")
    assert (en.share(0.0096), ru.share(0.0096), en.share(0.983)) == ("0.96%", "0,96\u00a0%", "98%")
    assert (en.date(date(2024, 3, 1)), ru.date(date(2024, 3, 1))) == ("March 1, 2024", "1 марта 2024\u00a0г.")
    assert (en.day(date(2024, 3, 1)), ru.day(date(2024, 3, 1))) == ("Mar 1, 2024", "01.03.2024")
    assert (en.month("2024-03"), ru.month("2024-03"), en.month("odd")) == ("March 2024", "март 2024", "odd")
    assert [ru.counted(n, "group") for n in (1, 2, 5, 11, 21, 1.5)] == [
        "1\u00a0группа", "2\u00a0группы", "5\u00a0групп", "11\u00a0групп", "21\u00a0группа", "1,5\u00a0группы",
    ]  # fmt: skip
    assert [en.number(v) for v in (0.0, -0.0, 1.5, 0.012345, 1e30, 1e-9, float("nan"))] == [
        "0", "0", "1.5", "0.0123", "1.00e+30", "1.00e-09", "–",
    ]  # fmt: skip


def test_where_series_come_from_and_what_they_share() -> None:
    en, ru = Language.load("en"), Language.load("ru")
    origin = "machine.cycles on PostgreSQL 18.4, database tsclust"
    assert (en.origin(origin), ru.origin(origin)) == (origin, "machine.cycles, PostgreSQL 18.4, база данных tsclust")
    assert (ru.origin("in/*.csv (12 files)"), ru.origin("{x} of plant.dump")) == (
        "in/*.csv (файлов: 12)", "{x} of plant.dump",
    )  # fmt: skip
    assert en.alike(["machine_id", "direction"]) == "from the same machine and in the same direction"
    assert ru.alike(["machine_id", "direction"]) == "той же машины и того же направления"
    assert (
        en.alike(["{x}", "lot\n", "direction"])
        == "with the same {x}, with the same lot\ufffd and in the same direction"
    )
    assert ru.alike(["loom"]) == "с тем же значением столбца «loom»"
    assert ru.alike(["machine_id", "lot"]) == "той же машины и из той же партии"


def test_both_languages_say_the_same_things() -> None:
    en, ru = Language.load("en").texts, Language.load("ru").texts
    own = {"reasons", "meanings", "keys"}  # what is said of them in one language stands in the code, or is a list
    assert {t: list(en[t]) for t in en if t not in own} == {t: list(ru[t]) for t in ru if t not in own}
    assert [key for key, _ in en["keys"]] == [key for key, _ in ru["keys"]]
    assert set(en["features"]) >= set(CLUSTERED)
    meanings = {feature.meaning for feature in CATALOGUE}
    assert set(en["meanings"]) < set(ru["meanings"]) == meanings
    assert not [m for m in meanings if "side movement" in str(en["meanings"].get(m, m))]
    assert set(ru["reasons"]) == {rule.reason for rule in (*DEFAULT_RULES, NOT_DESCRIBED)}


@pytest.mark.parametrize(("lang", "words"), [("en", "the most similar of the 3 regimes"), ("ru", "(всего 3)")])
def test_a_card_says_that_series_are_compared_within_regimes(tmp_path: Path, lang: str, words: str) -> None:
    data = collect(write(tmp_path / "ws", lifelike()), Report())
    one = render(replace(data, regimes=0), lang)
    several = render(replace(data, regimes=3), lang)
    assert (one.count(words), several.count(words)) == (0, 2 * sum(not group.normal for group in data.groups) + 1)


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_text_is_used_and_filled(tmp_path: Path, lang: str) -> None:
    workspace = write(tmp_path / "ws", lifelike(), baseline=["machine"])
    figures = overview_figures(workspace, lang)
    html = render(collect(workspace, Report()), lang, figures)
    seen = html[html.index("<body>") : html.index('<script type="application/json"')]
    assert "{" not in re.sub(r"\{(n|of|)\}", "", seen)  # these are filled in by the page
    sources = [*STATIC.glob("*.html"), *STATIC.parent.rglob("*.py")]
    words = set(re.findall(r"\w+", "".join(path.read_text(encoding="utf-8") for path in sources)))
    assert set(Language.load(lang).texts["page"]) <= words
    data, values = collect(workspace, Report()), pl.DataFrame({"group": [None, 1], "value": [0.0, 1.0]})
    drawn = [*figures.values(), elbow(pl.DataFrame({"k": [2], "inertia": [1.0]}), None, lang)]
    drawn += [curves_of(data.groups[0], data.normal, lang), spread_of(values, [1], data.features[0], lang)]
    drawn += [coverage_of(learned(), lang)]
    told = "".join(str(figure.to_plotly_json()) for figure in drawn).replace("\\xa0", "\xa0")
    texts = Language.load(lang).texts["figures"].values()
    assert not [text for text in texts if text.partition("{")[0].strip() not in told]
