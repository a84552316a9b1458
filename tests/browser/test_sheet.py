"""The sheet of all groups: several that are one are answered at once, as if each had been."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.support.answer_page import asked, press, read, verdict
from tests.support.pages import CLIPPED, Opened
from tsclust.stages.reports.data import ReportData

LONG = "stiff bearing of the left drive on the second axis, which Müller calls Lagerschaden"


def states(page: Page) -> list[str]:
    """What the sheet says of each group."""
    return page.locator(".glance .state").all_inner_texts()


def test_groups_that_are_one_are_answered_at_once_by_keys(
    page: Page, four_kinds_page: Path, four_kinds_data: ReportData, tmp_path: Path
) -> None:
    opened, other = Opened(page, four_kinds_page), page.context.new_page()
    Opened(other, four_kinds_page)
    thumbs = page.locator(".glance a")
    thumbs.nth(0).focus()
    press(page, " ")
    thumbs.nth(2).focus()
    press(page, " ", "1")
    page.keyboard.type(LONG)
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(CLIPPED) == []
    press(page, "Enter")
    assert states(page) == [f"▲ {LONG}", "", f"▲ {LONG}", ""]
    assert page.evaluate(CLIPPED) == []  # the name in full
    expect(other.locator(".glance .state").nth(2)).to_have_text(f"▲ {LONG}")
    press(page, "Control+z")  # both at once, also in the other tab
    assert states(page) == [""] * 4
    expect(other.locator(".glance .state").nth(2)).to_have_text("")
    thumbs.nth(1).focus()
    press(page, "3", "Control+z", "2")
    thumbs.nth(0).focus()
    press(page, " ", "Escape", "2")  # what is no longer selected is not answered
    assert states(page) == ["✓ normal", "✓ normal", "", ""]
    page.locator("#bar [name=labeller]").fill("x")
    with page.expect_download() as download:
        press(page, "Control+s")
    download.value.save_as(tmp_path / "a.json")
    plain = {"verdict": "normal", "kind": "", "sure": None, "comment": "", "labeller": None, "not_members": ()}
    assert [answer.model_dump(exclude={"answered_at"}) for answer in read(tmp_path / "a.json").groups] == [
        asked(group) | plain for group in four_kinds_data.groups[:2]
    ]
    assert opened.is_quiet()


def test_a_group_dragged_onto_another_takes_its_name(page: Page, four_kinds_page: Path) -> None:
    opened = Opened(page, four_kinds_page)
    press(page, "ArrowRight", "1")
    page.keyboard.type("worn brushes")
    items = page.locator(".glance li")
    items.nth(3).drag_to(items.nth(0))
    expect(page.locator(".together [name=kind]")).to_have_value("worn brushes")
    press(page, "Enter")
    assert states(page) == ["▲ worn brushes", "", "", "▲ worn brushes"]
    items.nth(1).locator(".pick").click()
    items.nth(2).locator(".pick").click()
    page.locator(".together [value=malfunction]").check()
    page.locator(".together .main").click()  # without a name it is asked for
    expect(page.locator(".together [name=kind]")).to_be_focused()
    page.locator(".together [value=dont_know]").check()
    page.locator(".together .main").click()
    assert (verdict(page, 2), verdict(page, 3)) == ("dont_know", "dont_know")
    expect(page.locator(".together")).to_be_hidden()
    colours = {items.nth(n).locator(".state").evaluate("e => getComputedStyle(e).color") for n in (0, 1)}
    assert len(colours) == 2
    assert opened.is_quiet()


def test_a_group_is_dragged_in_firefox_too(firefox: Browser, four_kinds_page: Path) -> None:
    """By the mouse as far as Firefox goes for a program: it never lets go there, so that event is made."""
    with firefox.new_context() as context:
        page = context.new_page()
        opened = Opened(page, four_kinds_page)
        press(page, "ArrowRight", "1")
        page.keyboard.type("worn brushes")
        items = page.locator(".glance li")
        items.nth(3).hover()
        page.mouse.down()
        box = items.nth(0).bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=10)
        expect(items.nth(0)).to_have_class("over")
        items.nth(0).dispatch_event("drop")
        expect(page.locator(".together [name=kind]")).to_have_value("worn brushes")
        assert [items.nth(n).locator(".pick").get_attribute("aria-pressed") for n in range(4)] == [
            "true", "false", "false", "true",
        ]  # fmt: skip
        assert opened.is_quiet()
