"""Members of a group: more of them, in another order, laid over each other, zoomed into, and found by what is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.answer_page import press, read
from tests.support.pages import CLIPPED, Opened
from tests.support.report_workspace import lifelike, write
from tsclust.config import Report
from tsclust.stages.reports.charts.drawing import Frame
from tsclust.stages.reports.charts.transfer import Usual, transferred
from tsclust.stages.reports.data import Curve, Line, ReportData
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect
from tsclust.wording.language import Language

PINCH = [(200, 60, 240, 60), (160, 60, 280, 60), (120, 60, 320, 60)]  # two fingers, inside the plot


def seen(page: Page, card: str = "#group-1") -> list[float]:
    """What of a chart is seen: left, top, width, height."""
    return [float(part) for part in str(page.locator(f"{card} .plot svg").get_attribute("viewBox")).split()]


def points(path: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([[float(x), float(y)] for x, y in re.findall(r"[ML](\S+) ([^ML]+)", path)])


def usual_of(curve: Curve) -> Line:
    assert curve.usual
    return curve.usual


def test_more_members_can_be_seen_put_in_order_and_marked(
    page: Page, four_kinds_page: Path, four_kinds_data: ReportData, tmp_path: Path
) -> None:
    opened, group = Opened(page, four_kinds_page), four_kinds_data.groups[1]
    card, count = page.locator("#group-2"), len(group.sample)
    assert count > len(group.members)
    card.locator(".tools button").last.click()
    expect(card.locator(".mini")).to_have_count(count)
    expect(card.locator(".tools button").last).to_be_hidden()
    typical = card.locator(".mini bdi:first-child").first.inner_text()
    whose = dict(
        zip(*(card.locator(f".mini {of}").all_inner_texts() for of in ("> span > bdi", "> small")), strict=True)
    )
    english = Language.load("en")
    for curve in group.sample[1:]:  # as it stands under those that were drawn before
        machine, at = dict(curve.carried)["machine"], dict(curve.carried)["at"]
        assert isinstance(at, datetime)
        assert re.sub(r"\s+", "", whose[curve.series_id]) == re.sub(r"\s+", "", f"{machine}{english.day(at)}")
    ids = card.locator(".mini > span > bdi").all_inner_texts()
    assert ids == [curve.series_id for curve in group.sample]
    card.locator("select").select_option(label="by: Machine")
    machines = {curve.series_id: dict(curve.carried)["machine"] for curve in group.sample}
    ids = card.locator(".mini > span > bdi").all_inner_texts()
    assert [machines[i] for i in ids] == sorted(machines.values())
    card.locator("select").select_option(index=0)
    assert card.locator(".mini bdi:first-child").first.inner_text() == typical

    shown = {curve.series_id for curve in group.members}
    extra = next(curve.series_id for curve in group.sample if curve.series_id not in shown)
    page.get_by_role("button", name=f"Series {extra} does not belong here").click()
    page.locator("#bar [name=labeller]").fill("x")
    with page.expect_download() as download:
        press(page, "Control+s")
    download.value.save_as(tmp_path / "a.json")
    assert read(tmp_path / "a.json").groups[0].not_members == (extra,)
    page.reload()
    expect(card.locator(".marked .mini > span")).to_have_text(extra)  # though it is drawn on demand
    page.evaluate("localStorage.clear()")
    page.reload()
    page.locator("#bar [name=saved]").set_input_files(tmp_path / "a.json")
    expect(card.locator(".marked .mini > span")).to_have_text(extra)
    assert opened.is_quiet()


def test_all_members_are_laid_over_each_other(page: Page, four_kinds_page: Path, four_kinds_data: ReportData) -> None:
    opened, count = Opened(page, four_kinds_page), len(four_kinds_data.groups[1].sample)
    card, before = page.locator("#group-2"), seen(page, "#group-2")
    button = card.get_by_role("button", name="All in one chart")
    button.click()
    expect(card.locator(".overlay path")).to_have_count(count)
    expect(card.locator(".laid")).to_contain_text(f"All {count} members.")
    left, top, wide, high = seen(page, "#group-2")
    group = four_kinds_data.groups[1]
    assert group.around  # so curves are drawn as if all were of the machine of the typical one, as the band is
    frame = Frame.around((group.around, group.band), group.members)
    there = Usual.of(usual_of(group.sample[0]))
    for path, curve in zip(card.locator(".overlay path").all(), group.sample, strict=True):
        drawn = points(str(path.get_attribute("d")))
        values = np.array([np.nan if v is None else v for v in curve.values])[None]
        (moved,) = transferred(values, -curve.start, [Usual.of(usual_of(curve))], np.zeros(1, np.int64), there)
        wanted = [5 * frame.down(value) for value in moved[np.isfinite(moved)]]
        np.testing.assert_allclose(drawn[:, 1], wanted, atol=3)
    drawn = np.vstack([points(str(p.get_attribute("d"))) for p in card.locator(".overlay path").all()])
    assert left <= drawn[:, 0].min()
    assert drawn[:, 0].max() <= left + wide
    assert top - 0.1 <= drawn[:, 1].min()
    assert drawn[:, 1].max() <= top + high + 0.1
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(CLIPPED) == []
    button.click()
    expect(card.locator(".overlay")).to_have_count(0)
    assert seen(page, "#group-2") == before
    assert opened.is_quiet()


def test_a_curve_is_zoomed_into_by_keys_and_the_group_stays(page: Page, four_kinds_page: Path) -> None:
    opened = Opened(page, four_kinds_page)
    plot = page.locator("#group-1 .plot")
    whole, drawn = seen(page), plot.locator("svg path, span").evaluate_all("all => all.map(e => e.outerHTML)")
    press(page, "ArrowRight", "+", "+")
    left, top, wide, high = seen(page)
    assert (wide, high) == pytest.approx((whole[2] / 2.25, whole[3] / 2.25))
    press(page, "ArrowRight", "ArrowDown")
    assert seen(page) == pytest.approx([left + wide / 5, top + high / 5, wide, high])
    texts = plot.locator(".across").all_inner_texts()
    assert texts
    assert all(left <= float(text.replace("\u2212", "-")) <= left + 1.2 * wide for text in texts)
    press(page, "2")  # it still answers
    expect(page.locator("#group-1 input:checked")).to_have_value("normal")
    press(page, "Escape")
    assert plot.locator("svg path, span").evaluate_all("all => all.map(e => e.outerHTML)") == drawn
    press(page, "ArrowRight")
    assert page.evaluate("document.activeElement.id") == "group-2"
    assert opened.is_quiet()


def test_keys_zoom_into_the_view_that_is_seen(page: Page, four_kinds_page: Path) -> None:
    Opened(page, four_kinds_page)
    page.locator("#group-1 button.view").click()
    shown = page.locator("#group-1 .plot:visible")
    expect(page.locator("#group-1 .apart .plot")).to_be_visible()
    before = shown.locator("svg").get_attribute("viewBox")
    page.locator("#group-1").evaluate("card => card.focus()")
    press(page, "+")
    assert shown.locator("svg").get_attribute("viewBox") != before
    expect(page.locator("#group-1 .plot.zoomed")).to_have_count(1)


def test_a_curve_is_zoomed_into_by_mouse_and_in_the_large_view(
    page: Page, four_kinds_page: Path, four_kinds_data: ReportData
) -> None:
    opened = Opened(page, four_kinds_page)
    plot, whole = page.locator("#group-1 .plot"), seen(page)
    plot.hover()
    page.mouse.wheel(0, -1)
    assert seen(page) == whole  # the page is scrolled
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    expect(page.locator("#group-1 .plot.zoomed")).to_have_count(1)
    before = seen(page)
    page.mouse.down()
    page.mouse.move(*page.evaluate("[innerWidth / 2, innerHeight / 2]"))
    page.mouse.up()
    assert seen(page)[:2] != before[:2]
    assert seen(page)[2:] == before[2:]
    page.locator("#group-1 [data-zoom='0']").click()
    assert seen(page) == whole

    group = four_kinds_data.groups[0]
    page.locator("#group-1 .mini").nth(4).click()
    assert seen(page, "#large") == whole
    press(page, "+", "ArrowLeft")  # moves the chart
    expect(page.locator("#large h2")).to_contain_text("5 of")
    page.locator("#large [data-step='1']").click()
    assert seen(page, "#large")[2] < whole[2]  # as far into the next one
    frame = Frame.around((group.around or four_kinds_data.normal, group.band), group.members)
    curve = group.members[5]
    expect(page.locator("#large dd").first).to_have_text(curve.series_id)
    drawn = points(str(page.locator("#large .typical").get_attribute("d")))
    wanted = [frame.down(value) * 5 for value in curve.values if value is not None]
    np.testing.assert_allclose(drawn[:, 1], wanted, atol=1)
    press(page, "0")
    assert seen(page, "#large") == whole
    assert opened.is_quiet()


def test_two_fingers_zoom_and_a_phone_shows_every_control(chromium: Browser, four_kinds_page: Path) -> None:
    with chromium.new_context(viewport={"width": 400, "height": 800}, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        opened, whole = Opened(page, four_kinds_page), seen(page)
        expect(page.locator("#group-1 .tools")).to_be_visible()
        plot = page.locator("#group-1 .plot")
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box
        session = context.new_cdp_session(page)
        for n, (a, b, c, d) in enumerate(PINCH):
            fingers = [{"x": box["x"] + x, "y": box["y"] + y, "id": i} for i, (x, y) in enumerate(((a, b), (c, d)))]
            kind = "touchMove" if n else "touchStart"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(page.locator("#group-1 .plot.zoomed")).to_have_count(1)
        assert seen(page)[2] < whole[2]
        assert page.evaluate(CLIPPED) == []
        assert opened.is_quiet()


def test_a_series_is_found_by_what_is_known_of_it(
    page: Page, four_kinds_page: Path, four_kinds_data: ReportData
) -> None:
    opened, group = Opened(page, four_kinds_page), four_kinds_data.groups[2]
    shown = {curve.series_id for curve in group.members}
    hidden = next(curve for curve in group.sample if curve.series_id not in shown)
    press(page, "/")
    page.keyboard.type(hidden.series_id)
    expect(page.locator("#found button b").first).to_have_text(hidden.series_id)
    expect(page.locator("#found button").first).to_contain_text(f"Group {group.name}")
    press(page, "Enter")
    expect(page.locator("#large dd").first).to_have_text(hidden.series_id)
    expect(page.locator("#large dd").nth(1)).to_have_text(str(dict(hidden.carried)["machine"]))
    press(page, "Escape")
    page.locator("#find").fill(f"{dict(hidden.carried)['at']:%Y-%m-%d} {dict(hidden.carried)['machine']}")
    expect(page.locator("#found button b")).to_have_text(hidden.series_id)
    impossible = four_kinds_data.rejected[0].examples[-1].series_id
    page.locator("#find").fill(impossible)
    page.locator("#found button", has=page.get_by_text(impossible, exact=True)).first.click()
    expect(page.locator("#large dd").first).to_have_text(impossible)
    press(page, "Escape")
    page.locator("#find").fill("no such machine")
    expect(page.locator("#found")).to_contain_text("Not among the")
    assert opened.is_quiet()


@pytest.fixture
def long_data(tmp_path: Path) -> ReportData:
    """Series of about 3,000 samples."""
    made = [replace(m, values=longer(m.values)) for m in lifelike()]
    return collect(write(tmp_path / "ws", made, baseline=["machine"]), Report())


def longer(values: Sequence[float | None], by: int = 45) -> list[float]:
    at = np.linspace(0, len(values) - 1, by * len(values))
    return np.interp(at, np.arange(len(values)), np.array(values, float)).round(4).tolist()


def test_long_members_are_laid_over_each_other_by_few_points(page: Page, long_data: ReportData, tmp_path: Path) -> None:
    path = tmp_path / "long.html"
    path.write_text(render(long_data, "en", name="long"), encoding="utf-8")
    group = max(long_data.groups, key=lambda one: len(one.sample))
    assert group.around
    opened, card = Opened(page, path), page.locator(f"#group-{group.name}")
    card.get_by_role("button", name="All in one chart").click()
    laid = card.locator(".overlay path")
    expect(laid).to_have_count(len(group.sample))
    assert opened.is_quiet()
    frame, there = Frame.around((group.around, group.band), group.members), Usual.of(usual_of(group.sample[0]))
    paths = laid.evaluate_all("all => all.map(one => one.getAttribute('d'))")
    for path_of, curve in zip(paths, group.sample, strict=True):
        (moved,) = transferred(
            np.array([curve.values], float), -curve.start, [Usual.of(usual_of(curve))], np.zeros(1, np.int64), there
        )
        wanted = np.array([5 * frame.down(value) for value in moved])
        drawn = points(path_of)
        off = np.abs(drawn[:, 1] - np.interp(drawn[:, 0], np.arange(len(wanted)) - curve.start, wanted))
        assert len(drawn) < 500
        assert np.median(off) < 1
        assert np.mean(off) < 10  # a steep edge between two points is a straight line
        assert drawn[:, 1].min() == pytest.approx(np.nanmin(wanted), abs=1)  # the peak is kept
