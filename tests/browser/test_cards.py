"""A card on the screen: what is needed to decide fits it, repeats are rows, and the rest is offered later."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.answer_page import press, said, verdict
from tests.support.pages import CLIPPED, Opened
from tsclust.stages.reports.data import Curve, Near, ReportData
from tsclust.stages.reports.groups import page as group_page
from tsclust.stages.reports.groups.page import render

# How far what is needed to decide reaches below the screen, above the bar.
BELOW = """(card) => { card.scrollIntoView(); const bar = document.getElementById("bar").getBoundingClientRect();
  return Math.max(...[".plot", ".minis", ".words", ".answer"].map((one) =>
    card.querySelector(one).getBoundingClientRect().bottom)) - bar.top; }"""


@pytest.fixture(scope="module")
def family_page(four_kinds_data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Group 2 is a row under group 1."""
    first, second, *others = four_kinds_data.groups
    data = replace(four_kinds_data, groups=(first, replace(second, near=(), family=Near(first.name, 0.94)), *others))
    path = tmp_path_factory.mktemp("cards") / "family.html"
    path.write_text(render(data, "en", name="family"), encoding="utf-8")
    return path


@pytest.mark.parametrize("verdict_of", ["malfunction", "normal"])
def test_what_is_needed_to_decide_is_on_one_screen(page: Page, four_kinds_page: Path, verdict_of: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    Opened(page, four_kinds_page)
    for card in page.locator(".card:not(.rule, .usual)").all():
        card.locator(f"[value={verdict_of}]").check()
        assert card.evaluate(BELOW) <= 0


def test_a_row_is_the_same_as_its_card_by_enter(page: Page, family_page: Path) -> None:
    opened = Opened(page, family_page)
    row = page.locator("#group-2")
    row.evaluate("(row) => row.focus()")
    press(page, "Enter")
    assert said(page) == "Answer group 1 first; then Enter copies that answer."
    press(page, "ArrowLeft", "2")
    row.evaluate("(row) => row.focus()")
    press(page, "Enter")
    assert verdict(page, 2) == "normal"
    expect(row.locator("header .state")).to_have_text("✓ normal")
    assert page.evaluate(CLIPPED) == []
    assert opened.is_quiet()


def test_what_was_answered_stands_on_every_chip_at_once(page: Page, family_page: Path) -> None:
    Opened(page, family_page)
    name = page.locator(".near li").first.get_attribute("data-group")
    page.locator(f"#group-{name} [value=malfunction]").first.check()
    page.locator(f"#group-{name} [name=kind]").fill("worn brushes")
    chips = page.locator(f'.near [data-group="{name}"] .state, .glance [data-group="{name}"] .state')
    assert chips.count() > 1
    assert set(chips.all_text_contents()) == {"▲ worn brushes"}
    page.locator("#group-1 [value=normal]").check()
    page.locator("#group-2 .same").click()
    expect(page.locator("#group-2 > header .state")).to_have_text("✓ normal")
    page.locator("#group-1 [value=bad_recording]").check()
    expect(page.locator("#group-2 > header .state")).to_have_text("✕ bad recording")


def test_a_row_is_passed_by_unless_its_card_mixes_several_kinds(page: Page, family_page: Path) -> None:
    Opened(page, family_page)
    expect(page.locator("#bar .done")).to_have_text("0 of 3 answered")
    press(page, "ArrowRight", "ArrowRight")
    assert page.evaluate("document.activeElement.id") == "group-3"
    press(page, "ArrowLeft", "5", "ArrowRight")
    assert page.evaluate("document.activeElement.id") == "group-2"


def test_the_last_answer_can_be_undone(page: Page, four_kinds_page: Path) -> None:
    Opened(page, four_kinds_page)
    press(page, "ArrowRight", "2", "3", "Control+z")
    assert verdict(page, 1) == "normal"
    press(page, "Control+z", "Control+z")
    assert verdict(page, 1) is None


def test_the_place_on_the_page_is_kept(page: Page, four_kinds_page: Path) -> None:
    Opened(page, four_kinds_page)
    press(page, "ArrowRight", "2", "ArrowRight", "ArrowRight")
    page.goto("about:blank")
    page.goto(four_kinds_page.as_uri())
    assert abs(page.evaluate("document.querySelector('#group-3').getBoundingClientRect().top")) < 60
    press(page, "ArrowLeft")  # from there
    assert page.evaluate("document.activeElement.id") == "group-2"


def test_the_sheet_shows_what_is_open_or_a_malfunction(page: Page, four_kinds_page: Path) -> None:
    Opened(page, four_kinds_page)
    press(page, "ArrowRight", "1")
    page.keyboard.type("worn brushes")
    expect(page.locator('.glance [data-group="1"] .state')).to_have_text("▲ worn brushes")
    shown = page.locator(".glance li:visible")
    for what, count in (("malfunction", 1), ("open", 3), ("normal", 0), ("all", 4)):
        page.locator(f".filter [value={what}]").check()
        expect(shown).to_have_count(count)


def test_after_the_first_the_rest_is_offered(
    page: Page, four_kinds_data: ReportData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_page, "FIRST", 2)
    path = tmp_path / "later.html"
    path.write_text(render(four_kinds_data, "en", name="later"), encoding="utf-8")
    opened = Opened(page, path)
    expect(page.locator(".later > summary")).to_have_text("2\u00a0groups more")
    expect(page.locator("#group-3")).to_be_hidden()
    expect(page.locator(".facts dd").first).to_have_text("2 first, of 4")
    expect(page.locator("#bar .done")).to_have_text("0 of 2 answered")
    press(page, "ArrowRight", "ArrowRight", "ArrowRight")
    assert page.evaluate("document.activeElement.id") == "group-3"
    expect(page.locator("#bar .done")).to_have_text("0 of 4 answered")
    page.goto("about:blank")
    page.goto(f"{path.as_uri()}#group-4")
    expect(page.locator("#group-4")).to_be_visible()
    assert not opened.complaints


def test_a_row_is_answered_by_itself_in_what_was_folded_away(page: Page, family_page: Path) -> None:
    opened = Opened(page, family_page)
    row = page.locator("#group-2")
    row.evaluate("(row) => row.focus()")
    press(page, "1")
    page.keyboard.type("axis 2 worn")
    expect(row.locator("[name=kind]")).to_have_value("axis 2 worn")
    press(page, "Escape", "Enter")  # which no longer copies
    assert verdict(page, 2) == "malfunction"
    row.locator("[name=kind]").fill("")
    row.locator("details.alone").evaluate("(details) => { details.open = false; }")
    page.locator("#bar [name=labeller]").fill("x")
    with page.expect_download():
        page.locator("#bar [data-save]").click()
    page.locator("#bar .said a").click()
    expect(row.locator("[name=kind]")).to_be_focused()
    assert opened.is_quiet()


def test_a_row_changes_with_its_card_until_it_is_answered_itself(page: Page, family_page: Path) -> None:
    Opened(page, family_page)
    row = page.locator("#group-2")
    press(page, "ArrowRight", "2")
    row.locator(".same").click()
    press(page, "ArrowRight", "ArrowLeft", "ArrowLeft", "3")
    assert (verdict(page, 1), verdict(page, 2)) == ("bad_recording", "bad_recording")
    press(page, "Control+z")
    assert (verdict(page, 1), verdict(page, 2)) == ("normal", "normal")
    row.evaluate("(row) => row.focus()")
    press(page, "4", "ArrowLeft", "5")
    assert (verdict(page, 1), verdict(page, 2)) == ("mixed", "dont_know")
    row.locator(".same").click()
    assert said(page).startswith("Group 1 mixes several kinds")
    assert verdict(page, 2) == "dont_know"


def test_what_was_typed_is_one_step_and_what_was_erased_stays_away(page: Page, four_kinds_page: Path) -> None:
    opened = Opened(page, four_kinds_page)
    page.goto("about:blank")
    page.goto(f"{four_kinds_page.as_uri()}#50%")  # no address, and no reason to fail
    press(page, "ArrowRight", "1")
    page.keyboard.type("worn brushes")
    press(page, "Escape", "Control+Shift+z")
    expect(page.locator("#group-1 [name=kind]")).to_have_value("worn brushes")
    press(page, "Control+z")
    expect(page.locator("#group-1 [name=kind]")).to_have_value("")
    assert verdict(page, 1) == "malfunction"
    page.once("dialog", lambda dialog: dialog.accept())
    press(page, "?")
    page.locator("#keys [data-erase]").click()
    press(page, "Escape", "Control+z")
    assert verdict(page, 1) is None
    assert opened.is_quiet()


@pytest.mark.parametrize(("lang", "day"), [("en", r"[A-Z][a-z]{2} \d{1,2}, 2024"), ("ru", r"\d\d\.\d\d\.2024")])
def test_machine_and_day_under_a_small_curve_are_whole_and_as_the_language_writes_them(
    page: Page, four_kinds_data: ReportData, tmp_path: Path, lang: str, day: str
) -> None:
    """Of members drawn in the page's template and of those that its script adds."""
    long = "Press 12, hall 4 east, behind the gate"
    groups = tuple(
        replace(g, members=_named(g.members[:3], long), sample=_named(g.sample, long)) for g in four_kinds_data.groups
    )
    path = tmp_path / "long.html"
    path.write_text(render(replace(four_kinds_data, groups=groups), lang), encoding="utf-8")
    for width in (400, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        Opened(page, path)
        card = page.locator(".card").first
        card.locator(".tools button").nth(1).click()
        texts, days = card.locator(".mini small").all(), card.locator(".mini time").all_inner_texts()
        assert len(texts) == len(days) > len(groups[0].members)
        assert all(long in text.inner_text().replace("\n", " ") for text in texts)
        assert not [text for text in days if not re.fullmatch(day, text)]
        assert not [text for text in texts if text.evaluate("(e) => e.scrollWidth > e.clientWidth + 1")]


def _named(curves: tuple[Curve, ...], machine: str) -> tuple[Curve, ...]:
    return tuple(
        replace(c, carried=tuple((n, machine if n == "machine" else value) for n, value in c.carried)) for c in curves
    )


# Pairs of a control and the curve it lies on.
COVERED = """() => [...document.querySelectorAll(".minis li, .desk > div")].flatMap((one) => {
  const control = one.querySelector(":scope > .toggle, :scope > .view")?.getBoundingClientRect();
  const curve = one.querySelector(".mini > svg, .plot > svg")?.getBoundingClientRect();
  if (!control?.width || !curve?.width) return [];
  const apart = control.top >= curve.bottom || control.bottom <= curve.top || control.left >= curve.right;
  return [apart ? "apart" : one.textContent];
})"""


@pytest.mark.parametrize("width", [390, 1280])
def test_no_control_lies_on_a_curve(page: Page, four_kinds_page: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    Opened(page, four_kinds_page)
    found = page.evaluate(COVERED)
    assert len(found) > 40
    assert {*found} == {"apart"}
