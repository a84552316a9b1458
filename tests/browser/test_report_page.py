"""The report's page: what it does in a real browser."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.endurance import times
from tests.support.pages import CLIPPED, HOSTILE, TRY_EVERYTHING, Opened, seen
from tests.support.report_workspace import NORMAL, lifelike, write
from tsclust.config import Report
from tsclust.stages.reports.charts.figures import LINE_PIXELS, SHOWN_IDS
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect, overview_figures
from tsclust.wording.language import LONGEST

# What text of a figure reaches out of it, or over another.
CROWDED = """() => [...document.querySelectorAll("figure")].flatMap((figure) => {
  const frame = figure.getBoundingClientRect();
  const texts = [...figure.querySelectorAll(".main-svg text")].map((e) => [e.textContent, e.getBoundingClientRect()])
    .filter(([text, box]) => text && box.width > 0);
  const over = (a, b) => a.left < b.right - 2 && b.left < a.right - 2 && a.top < b.bottom - 4 && b.top < a.bottom - 4;
  return texts.filter(([, a], i) => a.left < frame.left - 1 || a.right > frame.right + 1 || a.bottom > frame.bottom + 1
    || texts.slice(i + 1).some(([, b]) => over(a, b))).map(([text]) => `${figure.className}: ${text}`);
})"""


FIGURES = ("elbow", "silhouettes", "cluster_silhouettes", "map", "lineage")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of a lifelike workspace by language."""
    folder = tmp_path_factory.mktemp("reports")
    workspace = write(folder / "ws", lifelike(), baseline=["machine"])
    data = collect(workspace, Report())
    paths = {lang: folder / f"{lang}.html" for lang in ("en", "ru")}
    for lang, path in paths.items():
        path.write_text(render(data, lang, overview_figures(workspace, lang)), encoding="utf-8")
    (folder / "bare.html").write_text(render(data, "en"), encoding="utf-8")
    return paths | {"bare": folder / "bare.html"}


@pytest.mark.parametrize(("lang", "title"), [("en", "Which of these"), ("ru", "Что из этого")])
def test_the_page_opens_offline_and_without_a_word(page: Page, reports: dict[str, Path], lang: str, title: str) -> None:
    opened = Opened(page, reports[lang])
    expect(page.locator("h1")).to_contain_text(title)
    assert page.locator("html").get_attribute("lang") == lang
    assert page.locator("article.card:not(.rule)").count() == 3
    assert page.locator("#group-1 .mini").count() == 12
    expect(page.locator("article.card").nth(2)).to_have_class("card usual")
    assert opened.is_quiet()


def test_the_overview_draws_when_it_is_opened(page: Page, reports: dict[str, Path]) -> None:
    opened = Opened(page, reports["ru"])
    assert page.evaluate("typeof Plotly") == "undefined"
    page.locator("#overview summary").click()
    expect(page.locator("#overview .wait")).to_have_count(0)
    assert page.locator("#overview figure .main-svg:first-child").count() == 5
    marks = {name: page.locator(f"#figure-{name} .point").count() for name in FIGURES}
    assert marks == {"elbow": 5, "silhouettes": 13, "cluster_silhouettes": 3, "map": 225, "lineage": 3}
    assert opened.is_quiet()


def test_the_overview_takes_the_colours_of_the_page(page: Page, reports: dict[str, Path]) -> None:
    opened = Opened(page, reports["en"])
    page.locator("#overview summary").click()
    expect(page.locator("#overview .wait")).to_have_count(0)
    title = page.locator("#figure-elbow .xtitle")
    assert ink(title) == "rgb(27, 36, 48)"
    page.locator("figure.lineage select").select_option("Malfunction candidates")
    page.emulate_media(color_scheme="dark")
    expect(title).to_have_css("fill", "rgb(228, 233, 238)")
    assert page.locator("#figure-lineage .point").count() == 2  # as it was left
    assert opened.is_quiet()


def ink(text: Locator) -> str:
    return str(text.evaluate("(element) => getComputedStyle(element).fill"))


def test_the_overview_shows_another_k_one_group_and_fewer_lines(page: Page, reports: dict[str, Path]) -> None:
    opened = Opened(page, reports["en"])
    page.locator("#overview summary").click()
    expect(page.locator("#overview .wait")).to_have_count(0)
    ks, groups, lines = (page.locator(f"figure.{name} select") for name in FIGURES[2:])
    expect(ks).to_have_value("k = 3")
    ks.select_option("k = 5")
    expect(page.locator("#figure-cluster_silhouettes .point")).to_have_count(5)
    groups.select_option("Group 1")
    expect(page.locator("#figure-map .point")).to_have_count(195 + 15)
    assert lines.locator("option").all_text_contents() == [
        "All groups",
        "Malfunction candidates",
        "At least 100\u00a0series",
    ]
    high = page.locator("#figure-lineage").bounding_box()
    lines.select_option(index=2)
    expect(page.locator("#figure-lineage .point")).to_have_count(1)
    low = page.locator("#figure-lineage").bounding_box()
    assert high
    assert low
    assert high["height"] - low["height"] == 2 * LINE_PIXELS
    page.set_viewport_size({"width": 400, "height": 900})
    expect(page.locator("#figure-lineage .main-svg").first).not_to_have_attribute("width", f"{high['width']:g}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert opened.is_quiet()


def test_without_charts_the_table_remains_and_plotly_is_not_in_the_page(page: Page, reports: dict[str, Path]) -> None:
    assert reports["bare"].stat().st_size < reports["en"].stat().st_size - 1_000_000
    opened = Opened(page, reports["bare"])
    page.locator("#overview summary").click()
    expect(page.locator("#overview table")).to_be_visible()
    expect(page.locator("#overview .wait, #plotly, figure")).to_have_count(0)
    assert opened.is_quiet()


def test_where_the_browser_cannot_unpack_the_numbers_remain(page: Page, reports: dict[str, Path]) -> None:
    page.add_init_script("delete globalThis.DecompressionStream")
    opened = Opened(page, reports["en"])
    page.locator("#overview summary").click()
    expect(page.locator("#overview .wait")).to_contain_text("numbers are in the table")
    expect(page.locator("#overview table")).to_be_visible()
    assert opened.is_quiet()


def test_a_member_opens_large_by_click(page: Page, reports: dict[str, Path]) -> None:
    opened = Opened(page, reports["en"])
    mini = page.locator("#group-2 .mini").nth(4)
    mini.click()
    dialog = page.locator("#large")
    expect(dialog).to_be_visible()
    expect(dialog.locator("h2")).to_have_text("Group 2 5 of 12")
    assert dialog.locator(".own").get_attribute("d")
    expect(dialog.locator("dd").first).to_have_text(mini.locator("span").inner_text())
    expect(dialog.locator("dt").nth(1)).to_have_text("Machine")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    assert opened.is_quiet()


def test_members_open_and_turn_by_keyboard(page: Page, reports: dict[str, Path]) -> None:
    opened = Opened(page, reports["en"])
    page.locator("#group-2 .mini").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    heading = page.locator("#large h2")
    expect(heading).to_have_text("Group 2 2 of 12")
    page.keyboard.press("ArrowRight")
    expect(heading).to_have_text("Group 2 3 of 12")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(heading).to_have_text("Group 2 12 of 12")
    page.keyboard.press("Escape")
    expect(page.locator("#large")).to_be_hidden()
    assert page.evaluate("document.activeElement === document.querySelectorAll('#group-2 .mini')[1]")
    assert opened.is_quiet()


def test_an_impossible_series_opens_too(page: Page, reports: dict[str, Path]) -> None:
    opened = Opened(page, reports["ru"])
    page.locator(".rule .mini").first.click()
    expect(page.locator("#large h2")).to_contain_text("Всё время одно и то же значение")
    expect(page.locator("#large .plot svg")).to_be_visible()
    assert opened.is_quiet()


WINDOWS = [("en", 400), ("ru", 1280), ("ru", 400), ("en", 1920), ("en", 1280), ("ru", 1920)]


@pytest.mark.endurance
@pytest.mark.parametrize(("lang", "width"), WINDOWS[: times(4, 6)])
def test_nothing_is_clipped(page: Page, reports: dict[str, Path], width: int, lang: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    opened = Opened(page, reports[lang])
    for summary in page.locator("summary").all():
        summary.click()
    expect(page.locator("#overview .wait")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(CROWDED) == []
    page.locator("#group-2 .mini").last.click()
    assert page.evaluate(CLIPPED) == []
    box = page.locator("#large").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert opened.is_quiet()


def test_on_paper_the_appendix_is_unfolded_and_nothing_clipped(page: Page, reports: dict[str, Path]) -> None:
    Opened(page, reports["ru"])
    page.set_viewport_size({"width": 710, "height": 1000})  # A4 less its margins
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#appendix table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 710
    assert page.evaluate(CLIPPED) == []
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("#appendix table")).to_be_hidden()


def test_the_page_forbids_itself_every_request(page: Page, reports: dict[str, Path]) -> None:
    page.goto(reports["en"].as_uri())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/x.png"
        stopped, ran = page.evaluate(TRY_EVERYTHING, address)
        listening.settimeout(0.1)
        with pytest.raises(TimeoutError):  # nobody came
            listening.accept()
    assert (stopped, ran) == (["connect-src", "img-src", "script-src-attr", "script-src-elem"], None)


def test_hostile_text_is_shown_as_text(page: Page, tmp_path: Path) -> None:
    made = [
        replace(m, series_id=f"{HOSTILE[i % 8]}{i}", carried={"<b>name</b>": HOSTILE[i % 8], "long": "x<" * 5_000})
        for i, m in enumerate(lifelike(64))
    ]
    workspace = write(tmp_path / "ws", made, baseline=["<b>name</b>"], origin=HOSTILE[2])
    data = collect(workspace, Report(title=HOSTILE[0], members=50))
    (rejected,) = data.rejected
    data = replace(data, rejected=tuple(replace(rejected, rule=h, reason=h, when=h) for h in HOSTILE))
    path = tmp_path / "hostile.html"
    path.write_text(render(data, "en", overview_figures(workspace, "en")), encoding="utf-8")
    opened = Opened(page, path)
    expect(page.locator("h1")).to_have_text(HOSTILE[0])
    expect(page.locator(".source dd")).to_have_text(HOSTILE[2])
    assert [page.locator(".rule h3").nth(i).text_content() for i in range(8)] == [seen(h) for h in HOSTILE]
    ids = set()
    for i in range(page.locator("#group-1 .mini").count()):
        page.locator("#group-1 .mini").nth(i).click()
        ids.add(page.locator("#large dd").first.text_content())
        expect(page.locator("#large dt").nth(1)).to_have_text("<b>name</b>")
        assert len(page.locator("#large dd").nth(2).inner_text()) < LONGEST + 20
        page.keyboard.press("Escape")
    assert ids == {seen(m.series_id) for m in made if m.group == "dip"}
    page.locator("#overview summary").click()
    expect(page.locator("#overview .wait")).to_have_count(0)
    for i, m in enumerate([m for m in made if m.group == NORMAL][:8]):
        page.evaluate(f"Plotly.Fx.hover('figure-map', [{{ curveNumber: 0, pointNumber: {i} }}])")
        expect(page.locator("#figure-map .hovertext text.nums")).to_have_text(f"Series {short(m.series_id)}")
    assert page.evaluate("window.hacked ?? null") is None
    assert page.locator("body script").count() == 7
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert opened.is_quiet()


def short(series_id: object) -> str:
    """What of a series_id the map shows."""
    text = str(series_id)
    return seen(text if len(text) <= SHOWN_IDS else f"{text[:SHOWN_IDS]}…")
