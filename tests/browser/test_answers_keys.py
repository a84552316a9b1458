"""An expert answers by keyboard: every key, also where digits and arrows mean something else."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.answer_page import press, said, verdict
from tests.support.pages import Opened
from tsclust.stages.reports.data import ReportData


def test_every_documented_key(page: Page, four_kinds_page: Path, four_kinds_data: ReportData) -> None:
    opened = Opened(page, four_kinds_page)
    names = [group.name for group in four_kinds_data.groups]

    def current() -> str | None:
        return page.evaluate("document.activeElement.id")

    press(page, "?")
    expect(page.locator("#keys")).to_be_visible()
    press(page, "Escape", "ArrowRight", "ArrowRight")
    assert current() == f"group-{names[1]}"
    press(page, "ArrowLeft")
    assert current() == f"group-{names[0]}"
    press(page, "3", "ArrowRight", "5", "ArrowLeft", "Shift+ArrowRight")
    assert current() == f"group-{names[2]}"  # the first without an answer
    press(page, "3", "3")
    expect(page.locator(f"#group-{names[2]} input:checked")).to_have_count(0)
    press(page, "1")
    assert page.evaluate("document.activeElement.name") == "kind"
    page.keyboard.type("2 left, 3 right?")  # digits and the question mark are text here
    press(page, "Escape")
    assert current() == f"group-{names[2]}"
    expect(page.locator(f"#group-{names[2]} [name=kind]")).to_have_value("2 left, 3 right?")
    page.locator(f"#group-{names[2]} .mini").nth(3).focus()
    press(page, "Enter", "ArrowRight", "Delete")
    expect(page.locator("#large .mark")).to_have_attribute("aria-pressed", "true")
    press(page, "ArrowLeft")
    expect(page.locator("#large .mark")).to_have_attribute("aria-pressed", "false")
    press(page, "Escape")
    assert page.locator(f"#group-{names[2]} .minis li").nth(4).get_attribute("class") == "marked"
    for _ in names[3:]:
        press(page, "ArrowRight")
    assert current() == f"group-{names[-1]}"
    press(page, "ArrowRight")
    assert current() == f"rule-{four_kinds_data.rejected[0].rule}"
    press(page, "ArrowLeft")
    assert current() == f"group-{names[-1]}"
    press(page, *["ArrowRight"] * (1 + len(four_kinds_data.rejected)))
    assert page.evaluate("document.activeElement.matches('[data-save]')")  # after the last one
    press(page, "ArrowLeft")
    assert current() == f"rule-{four_kinds_data.rejected[-1].rule}"
    assert opened.is_quiet()


def test_keys_mean_the_same_on_a_russian_keyboard(page: Page, four_kinds_page: Path) -> None:
    Opened(page, four_kinds_page)
    press(page, "ArrowRight")
    page.evaluate(
        """() => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", { key: "ё", code: "Digit2", bubbles: true }))"""
    )
    expect(page.locator("#group-1 input:checked")).to_have_value("normal")
    page.evaluate(
        """() => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", { key: "ы", code: "KeyS", ctrlKey: true, bubbles: true }))"""
    )
    assert said(page).startswith("Enter your name")


def test_kinds_once_named_are_offered(page: Page, four_kinds_page: Path) -> None:
    Opened(page, four_kinds_page)
    press(page, "ArrowRight", "1")
    page.keyboard.type("worn brushes")
    press(page, "Enter", "1")
    page.keyboard.type("Obstacle")
    press(page, "Enter")
    options = page.locator("#kinds option")
    assert [options.nth(i).get_attribute("value") for i in range(options.count())] == ["Obstacle", "worn brushes"]


def test_digits_with_other_keys_say_nothing(page: Page, four_kinds_page: Path) -> None:
    Opened(page, four_kinds_page)
    press(page, "ArrowRight", "Shift+Digit2", "Alt+Digit2", "Control+Digit2", "Meta+Digit2")
    assert verdict(page, 1) is None
    press(page, "Digit2")
    assert verdict(page, 1) == "normal"


def test_a_key_that_is_held_answers_once(page: Page, four_kinds_page: Path) -> None:
    Opened(page, four_kinds_page)
    press(page, "ArrowRight")
    for _ in range(2):
        page.keyboard.down("Digit2")  # the second repeats
    assert verdict(page, 1) == "normal"


def test_from_save_on_to_the_next_group_or_back(page: Page, four_kinds_page: Path) -> None:
    Opened(page, four_kinds_page)
    page.locator("#bar [name=labeller]").fill("x")
    for key, then in (("ArrowRight", 3), ("ArrowLeft", 2)):
        page.locator("#group-2").focus()
        page.locator("#bar [data-save]").click()
        press(page, key)
        assert page.evaluate("document.activeElement.id") == f"group-{then}"
