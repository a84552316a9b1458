"""export --page: the file scores in a browser as Python does, by whatever it is given, and says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

import tsclust
from tests.support.bundles import odd
from tests.support.endurance import times
from tests.support.fleet import Fleet
from tests.support.pages import CLIPPED, HOSTILE, TRY_EVERYTHING, Opened
from tests.support.scored_page import ScoringPage, doubles, hold, write_csv
from tsclust.series import BETWEEN
from tsclust.stages.features.regimes import Regimes
from tsclust.stages.features.typical import Typical
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.reports.measured import Measured
from tsclust.stages.reports.scoring.page import PageData, language_of, render
from tsclust.stages.scores.scorer import Scorer

MADE_AT = "2026-03-04T05:06:07Z"
SAME = [("chromium", "logistic"), ("chromium", "trees"), ("firefox", "logistic"), ("firefox", "trees")]


class Pages(dict[tuple[str, str], Path]):
    """(classifier, language) -> the page, once somebody asks for it."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        super().__init__()
        self._fleet, self._folder = fleet, folder

    def __missing__(self, asked: tuple[str, str]) -> Path:
        (name, lang), path = asked, self._folder / f"{'-'.join(asked)}.html"
        tsclust.export(self._fleet.workspace(name).root, flags={"report": {"lang": lang}}, page=path)
        self[asked] = path
        return path


@pytest.fixture(scope="module")
def pages(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(fleet, tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def series(fleet: Fleet) -> pa.Table:
    """All series of the fleet, some of them spoilt in every way, of machines that nobody knows too."""
    return doubles(odd(pq.read_table(fleet.series)))


@pytest.fixture(scope="module")
def shared(chromium: Browser, pages: Pages, downloads: Path) -> Iterator[ScoringPage]:
    with chromium.new_context() as context:
        yield ScoringPage(context.new_page(), pages["logistic", "en"], downloads)


@pytest.fixture
def scoring(shared: ScoringPage) -> ScoringPage:
    """A page on which others may have scored before; nothing is filled in."""
    shared.clear()
    return shared


@pytest.fixture(params=SAME[: times(2, 4)], ids="-".join)
def opened(request: pytest.FixtureRequest, pages: Pages, downloads: Path) -> Iterator[tuple[ScoringPage, str, str]]:
    """A page of each classifier in each browser, in one language or the other."""
    browser_name, classifier = request.param
    lang = "ru" if (browser_name == "firefox") != (classifier == "trees") else "en"
    browser: Browser = request.getfixturevalue(browser_name)
    with browser.new_context() as context:
        yield ScoringPage(context.new_page(), pages[classifier, lang], downloads), classifier, lang


@pytest.mark.endurance
def test_a_browser_says_what_python_says(
    opened: tuple[ScoringPage, str, str], fleet: Fleet, series: pa.Table, tmp_path: Path
) -> None:
    """Of 1,000 series, and of 20,000 in the long form: the same answers, probabilities, rules and words."""
    scoring, classifier, lang = opened
    model, some = fleet.model(classifier), series.slice(0, times(1_000, 20_000))
    answers = scoring.choose(write_csv(tmp_path / "series.csv", some), patience=300_000)
    hold(answers, model, some, language_of(data_of(model), lang, Measured()))
    assert {"don't know", "impossible", "normal"} < {one["said"] for one in answers}
    assert scoring.opened.is_quiet()


def data_of(model: ModelBundle) -> PageData:
    return PageData(model, {}, "", "", MADE_AT)


def with_regimes(model: ModelBundle, beside: bool) -> ModelBundle:
    """The same with two regimes in the place of baselines, or `beside` them."""
    scaler, contract, d = model.scaler, model.facts.feature_contract, len(model.facts.features)
    places = np.zeros((2, d))
    places[1, :3] = 3.0
    regimes = Regimes(scaler.centers[0], scaler.spreads[0], np.ones(d), places)
    if beside:
        g = len(scaler.keys)
        cells = np.arange(2 * g).reshape(g, 2) % g
        offsets = scaler.centers - scaler.centers[0]
        return replace(model, scaler=replace(scaler, regimes=regimes, offsets=offsets, cells=cells))
    keys = np.array(["", "regime 001", "regime 002"])
    own = replace(scaler, keys=keys, centers=scaler.centers[:3], spreads=scaler.spreads[:3], regimes=regimes)
    compared = contract.compared_by.model_copy(update={"baseline": ()})
    facts = model.facts.model_copy(update={"feature_contract": contract.model_copy(update={"compared_by": compared})})
    normal = replace(
        model.typical.normal, keys=keys, centers=model.typical.normal.centers[:3],
        spreads=model.typical.normal.spreads[:3], regimes=regimes,
    )  # fmt: skip
    typical = Typical(model.typical.names, (), model.facts.features, normal)
    return replace(model, scaler=own, typical=typical, facts=facts)


@pytest.mark.parametrize("beside", [False, True])
def test_regimes_decide_as_in_python(
    beside: bool, fleet: Fleet, series: pa.Table, page: Page, downloads: Path, tmp_path: Path
) -> None:
    model, some = with_regimes(fleet.model("logistic"), beside), series.slice(0, 150)
    language = language_of(data_of(model), "en", Measured())
    (tmp_path / "page.html").write_text(render(data_of(model), language), encoding="utf-8")
    scoring = ScoringPage(page, tmp_path / "page.html", downloads)
    hold(scoring.choose(write_csv(tmp_path / "series.csv", some)), model, some, language)


def spellings(values: list[float]) -> dict[str, str]:
    """One recording in the ways in which people have it."""
    plain, comma = [f"{value:.4f}" for value in values], [f"{value:.4f}".replace(".", ",") for value in values]
    numbers = range(1, len(values) + 1)
    return {
        "a line each": "\n".join(plain),
        "a line each, decimal comma": "\r\n".join(comma),
        "one line": ", ".join(plain),
        "one line, semicolons, decimal comma": ";".join(comma),
        "one line, spaces, decimal comma": "  ".join(comma),
        "one line, tabs": "\t".join(plain),
        "a list": f"[{', '.join(plain)}]",
        "a time beside each": "\n".join(f"{at};{value}" for at, value in zip(numbers, comma, strict=True)),
        "a column with a head": "Torque\n" + "\n".join(plain),
        "a column with a head, decimal comma": "Torque [Nm]\n" + "\n".join(comma),
        "two columns with units": "Zeit [s];Drehmoment [Nm]\n"
        + "\n".join(f"{at / 10:.1f};{value}" for at, value in zip(numbers, plain, strict=True)),
        "a table, the last value first": "t,value\n"
        + "\n".join(f"{at},{value}" for at, value in reversed([*zip(numbers, plain, strict=True)])),
        "a table of one row": ";".join(f"v{at}" for at in numbers) + "\n" + ";".join(comma),
        "a table with a list": 'series_id,values\n1,"{' + ",".join(plain) + '}"\n',
    }


def test_a_recording_is_read_however_it_is_written(scoring: ScoringPage, fleet: Fleet) -> None:
    table = pq.read_table(fleet.series).slice(40, 1)
    values = [round(float(value), 4) for value in table["values"][0].as_py()]
    machine, direction = table["machine_id"][0].as_py(), table["direction"][0].as_py()
    given = pa.table({"series_id": [1], "values": [values], "machine_id": [machine], "direction": [direction]})
    model = fleet.model("logistic")
    language = language_of(data_of(model), "en", Measured())
    scoring.page.fill("#key-0", machine)
    scoring.page.fill("#key-1", direction)
    texts = spellings(values)
    for name, text in texts.items():
        answers = scoring.paste(text)
        try:
            hold(answers, model, given, language)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
    assert scoring.opened.is_quiet()


READ = "(text) => reading.read(text, []).series.map(({ id, values }) => [id, [...values]])"


def test_only_numbers_are_a_list_and_only_extremes_a_curve(scoring: ScoringPage) -> None:
    """Neither a date with a time nor the name of a hall; and a gap hides no peak beside it."""
    at, values = range(10), [float(i) for i in range(10)]
    times = "".join(f"2026-03-04 05:06:0{i},Hall 3 4,{i}\n" for i in at)
    assert scoring.page.evaluate(READ, f"at,place,value\n{times}") == [["1", values]]
    lists = "id;values\na;1,5 2,5\nb;4 5 6\n"
    assert scoring.page.evaluate(READ, lists) == [["a", [1.5, 2.5]], ["b", [4, 5, 6]]]
    named = "t,value\n" + "".join(f"{i},1{i}\n" for i in at)
    assert scoring.page.evaluate(READ, named) == [["1", [10 + i for i in values]]]
    recording = [0.0] * 100_000
    recording[20], recording[21], recording[25] = 9.0, float("nan"), 1.0
    draw = """(text) => charting
        .chart(reading.read(text, []).series[0].values, 0, null,
            { wording: { fixed: String, seconds: 0 }, label: "", axis: "", quantity: "" })
        .querySelector(".typical").getAttribute("d")"""
    drawn = scoring.page.evaluate(draw, "\n".join(map(str, recording)))
    assert "L20.00 " in drawn


def test_places_of_a_band_are_those_of_long_recordings(
    fleet: Fleet, page: Page, downloads: Path, tmp_path: Path
) -> None:
    data = replace(
        data_of(fleet.model("logistic")), bands={0: (np.arange(0, 80_000, 8_000), np.tile([[0.0], [1], [2]], 10))}
    )
    (tmp_path / "page.html").write_text(render(data, language_of(data, "en", Measured())), encoding="utf-8")
    scoring = ScoringPage(page, tmp_path / "page.html", downloads)
    scoring.paste("\n".join(str(i % 7) for i in range(20)))
    expect(page.locator("#one .legend")).to_contain_text("90% of all normal series lie within this band")
    machine, direction = str(data.model.scaler.keys[1]).split(BETWEEN)
    page.fill("#key-0", machine)
    page.fill("#key-1", direction)
    page.click("#score")
    expect(page.locator("#one .legend")).to_contain_text(
        f"this page has none for Machine {machine}, Direction {direction}"
    )
    drawn = page.locator("#one .plot path.own").get_attribute("d") or ""
    assert [float(at) for at in re.findall(r"[ML]([-\d.]+)", drawn)] == list(range(0, 80_000, 8_000))


def test_a_very_long_recording_is_scored_and_drawn(scoring: ScoringPage, fleet: Fleet, tmp_path: Path) -> None:
    values = np.round(np.sin(np.arange(200_000) / 300) + np.arange(200_000) / 1e5, 4).tolist()
    given = pa.table({"series_id": [1], "values": [values], "machine_id": [""], "direction": [""]})
    model = fleet.model("logistic")
    (tmp_path / "long.txt").write_text("\n".join(map(str, values)))
    answers = scoring.choose(tmp_path / "long.txt")
    hold(answers, model, given, language_of(data_of(model), "en", Measured()))
    drawn = scoring.page.locator("#one .plot path.typical").get_attribute("d") or ""
    assert 3_000 < drawn.count("L") < 5_000


def test_several_recordings_have_keys_of_their_own(scoring: ScoringPage, fleet: Fleet) -> None:
    """In the columns of the table, before those that are typed; a machine that nobody knows is compared with all."""
    table = doubles(pq.read_table(fleet.series).slice(0, 40))
    possible = Scorer(fleet.model("logistic")).score(table)["rejected_by"].is_null()
    table = table.filter(possible).slice(0, 3)
    rows = table.to_pylist()
    lines = ["value;Series_ID;machine_id;direction"]
    for row, machine in zip(rows, (rows[0]["machine_id"], "nobody", ""), strict=True):
        key = f"{row['series_id']};{machine};{row['direction']}"
        lines += [f"{str(value).replace('.', ',')};{key}" for value in row["values"]]
        row["machine_id"] = machine or None
    scoring.page.fill("#key-0", "W102")
    given = pa.Table.from_pylist(rows, table.schema)
    model = fleet.model("logistic")
    hold(scoring.paste("\n".join(lines)), model, given, language_of(data_of(model), "en", Measured()))
    expect(scoring.page.locator("#notes")).to_have_text("3 recordings scored.")
    scoring.page.locator("#many tbody button").nth(1).click()
    expect(scoring.page.locator("#one")).to_contain_text("has not learned what is normal for Machine nobody")
    expect(scoring.page.locator("#one .legend")).to_contain_text("all normal series")
    scoring.page.locator("#many tbody button").nth(0).click()
    expect(scoring.page.locator("#one .legend")).to_contain_text(f"Machine {rows[0]['machine_id']}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is nothing to score. Paste numbers"),
        ("0.1\n0.2\nabc", "Line 3: “abc” is no number"),
        ("v1\n", "names of columns, but no rows"),
        ("a;b\n1;2\n", r"No column has the values \(there are: a, b\)"),
        ("value;value\n1;2\n", "Two columns are called “value”"),
        ("value\n1\n0,5x\n", "Line 3: “0,5x” is no number. Write numbers like 0.25"),
        ("1 2 3\n4 5\n", "Line 1 has too few numbers"),
        ("values,b\n\"[1,2]\",3,4\n", "Line 2 has 3 cells, but the first line has 2"),
        ("\n".join(f"{i},1{i}" for i in range(8)), "Line 1: “0,10” is two numbers or one with a decimal comma"),
        ("run,t,value\na,0,1\na,1,2\nb,0,3\n", "Line 4: recording 1 has a second value at “t” 0. Tell recordings"),
        ("series_id,value\n1,1\n,2\n", "Line 3 does not say of which recording it is"),
        ('series_id;values\n1;[1, 2]\n;[3, 4]\n', "Line 3 does not say of which recording it is"),
        ("id," + ",".join(f"v{i}" for i in range(9)) + "\n ,1,2,3,4,5,6,7,8,9\n", "Line 2 does not say of which"),
        ("series_id,t,value\n1,0,1\n1,,2\n", "Line 3 has no number in “t”"),
        ("series_id,machine_id,value\n1,A,1\n1,B,2\n", "Line 3: recording 1 has two values of machine_id: “A” and “B”"),
        ("PAR1\0\0", "This is no text in UTF-8. Save it as CSV UTF-8"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_one_line(scoring: ScoringPage, text: str, said: str) -> None:
    found = scoring.refused(text)
    assert "\n" not in found
    assert not scoring.page.locator("#found").is_visible()
    expect(scoring.page.locator("#error")).to_have_text(re.compile(said))
    assert not scoring.page.locator("#found").is_visible()


def test_the_page_asks_nobody_and_runs_nothing_of_others(page: Page, pages: Pages, downloads: Path) -> None:
    scoring = ScoringPage(page, pages["logistic", "en"], downloads)
    scoring.paste("\n".join(["series_id;value", *(f"{HOSTILE[0]};{i % 7}" for i in range(40))]))
    expect(page.locator(".verdict")).to_contain_text(HOSTILE[0][:30])
    stopped, ran = page.evaluate(TRY_EVERYTHING, "https://example.org/x")
    assert ran is None
    assert {"connect-src", "img-src", "script-src-elem", "script-src-attr"} <= set(stopped)
    policy = page.locator("meta[http-equiv]").get_attribute("content") or ""
    assert re.fullmatch(
        r"default-src 'none'; script-src 'sha256-[^' ]+' 'wasm-unsafe-eval'; style-src 'unsafe-inline';"
        r" base-uri 'none'; form-action 'none'",
        policy,
    )
    assert page.evaluate("window.hacked ?? null") is None


@pytest.mark.parametrize(("classifier", "lang", "colours"), [("logistic", "en", "light"), ("trees", "ru", "dark")])
def test_the_page_is_for_people(
    classifier: str, lang: str, colours: Literal["light", "dark"], chromium: Browser, pages: Pages,
    downloads: Path, tmp_path: Path, series: pa.Table,
) -> None:  # fmt: skip
    """On a phone and on a desk, in the dark, for who has no mouse or does not see."""
    path = write_csv(tmp_path / "series.csv", series.slice(0, 40))
    with chromium.new_context(viewport={"width": 360, "height": 900}, color_scheme=colours) as context:
        page = context.new_page()
        scoring = ScoringPage(page, pages[classifier, lang], downloads)
        scoring.choose(path)
        page.locator("#many tbody button").nth(2).focus()
        page.keyboard.press("Enter")
        expect(page.locator("#many tbody tr").nth(2)).to_have_attribute("aria-current", "true")
        expect(page.locator("#one .plot path.typical")).to_have_attribute("d", re.compile("^M.*L"))
        page.locator("details.about summary").click()
        assert serious(page) == []
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(CLIPPED) == []
        assert scoring.opened.is_quiet()


def serious(page: Page) -> list[str]:
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in Axe().run(page).response["violations"]]


def test_an_example_is_normal(page: Page, pages: Pages, fleet: Fleet) -> None:
    opened = Opened(page, pages["logistic", "en"])
    page.click("#example")
    expect(page.locator(".verdict strong")).not_to_be_empty()
    values = [float(line) for line in page.input_value("#text").splitlines()]
    given = pa.table({"series_id": [1], "values": [values], "machine_id": [""], "direction": [""]})
    (expected,) = Scorer(fleet.model("logistic")).score(given)["said"].to_pylist()
    expect(page.locator(".verdict strong")).to_have_text(expected.replace("'", "’"))
    assert opened.is_quiet()
