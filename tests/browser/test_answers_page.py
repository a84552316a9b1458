"""An expert answers: in two real browsers, by keyboard and by mouse, and the file that comes of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.answer_page import asked, file_of, press, put, read, said, whole
from tests.support.pages import CLIPPED, HOSTILE, Opened
from tsclust.stages.labels.answers import Answers
from tsclust.stages.reports.data import ReportData

SAVED = "Saved as {}: send it to the person who gave you this page."
KEPT = "(() => { throw new Error('closed'); })()"  # what a browser that keeps nothing does


@pytest.fixture(params=["chromium", "firefox"])
def any_page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty page of each browser."""
    browser: Browser = request.getfixturevalue(request.param)
    with browser.new_context() as context:
        yield context.new_page()


@pytest.fixture
def save(downloads: Path, tmp_path: Path) -> Callable[[Page, Callable[[], object]], Path]:
    """Do what saves in this page, and give the file."""

    def saved(page: Page, act: Callable[[], object]) -> Path:
        if page.context.browser.browser_type.name == "chromium":
            with page.expect_download() as download:
                act()
            path = tmp_path / download.value.suggested_filename
            download.value.save_as(path)
            return path
        for old in downloads.iterdir():
            old.unlink()
        act()
        return _arrived(downloads)

    return saved


def _arrived(folder: Path) -> Path:
    """The file that a browser puts there: when it is whole."""
    for _ in range(100):
        found = [path for path in folder.iterdir() if path.suffix == ".json"]
        if found and found[0].read_text(encoding="utf-8").endswith("}\n"):
            return found[0]
        time.sleep(0.1)
    raise AssertionError("nothing was saved")


def test_three_groups_by_keyboard_saved_kept_and_opened_again(
    any_page: Page,
    four_kinds_page: Path,
    four_kinds_data: ReportData,
    save: Callable[[Page, Callable[[], object]], Path],
) -> None:
    page, (first, second, third, *_) = any_page, four_kinds_data.groups
    opened = Opened(page, four_kinds_page)
    expect(page.locator("#bar .done")).to_have_text("0 of 4 answered")
    press(page, "ArrowRight", "1")
    page.keyboard.type("worn brushes")
    press(page, "Enter", "2", "ArrowRight", "4")
    page.locator("#group-3 .mini").first.focus()
    press(page, "Tab", "Delete")  # the second
    press(page, "Control+s")
    assert said(page) == "Enter your name first: it goes into the file."
    page.keyboard.type(" Majority ")
    press(page, "Tab")
    assert said(page) == "“Majority” is a reserved name: please enter another one."
    press(page, "Control+s")  # as the import would refuse it
    assert said(page) == "“Majority” is a reserved name: please enter another one."
    page.locator("#bar [name=labeller]").fill("")
    page.keyboard.type("Анна О'Нил")
    file = save(page, lambda: press(page, "Control+s"))
    assert file.name == "answers-plant-Анна_О_Нил.json"
    assert said(page) == SAVED.format(file.name)

    answers = read(file)
    assert (answers.labeller, answers.lang, answers.report.name, answers.report.model) == (
        "Анна О'Нил", "en", "plant", four_kinds_data.model,
    )  # fmt: skip
    assert answers.started_at <= answers.groups[0].answered_at <= answers.saved_at
    blank = {"sure": None, "comment": "", "kind": "", "not_members": [], "labeller": None}
    assert [plain(answer.model_dump(mode="json")) for answer in answers.groups] == [
        asked(first) | blank | {"verdict": "malfunction", "kind": "worn brushes"},
        asked(second) | blank | {"verdict": "normal"},
        asked(third) | blank | {"verdict": "dont_know", "not_members": [third.members[1].series_id]},
    ]
    assert answers.objections == ()

    page.reload()
    assert said(page) == "Answers that this browser had kept were restored: 3."
    expect(page.locator("#bar .done")).to_have_text("3 of 4 answered")
    assert opened.is_quiet()
    with page.context.browser.new_context() as elsewhere:
        other = elsewhere.new_page()
        fresh = Opened(other, four_kinds_page)
        expect(other.locator("#bar .done")).to_have_text("0 of 4 answered")
        other.locator("#bar [name=saved]").set_input_files(file)
        expect(other.locator("#bar .said")).to_have_text("Answers read from the file: 3.")
        expect(other.locator("#bar .done")).to_have_text("3 of 4 answered")
        expect(other.locator(f"#group-{first.name} [name=kind]")).to_have_value("worn brushes")
        expect(other.locator(".minis .marked")).to_have_count(1)
        again = read(save(other, lambda: other.locator("#bar [data-save]").click()))
        assert replace_times(again) == replace_times(answers)
        assert fresh.is_quiet()


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "answered_at"}


def replace_times(answers: Answers) -> Answers:
    return answers.model_copy(update={"saved_at": answers.started_at, "checksum": "0" * 8})


def test_by_mouse_with_everything_there_is_to_say(
    page: Page, four_kinds_page: Path, four_kinds_data: ReportData, save: Callable[[Page, Callable[[], object]], Path]
) -> None:
    opened, card = Opened(page, four_kinds_page), page.locator("#group-2")
    card.get_by_role("radio", name=re.compile("^a malfunction")).check()
    card.get_by_label("Which one?").fill("obstacle")
    card.get_by_role("radio", name=re.compile("^fairly sure")).check()
    card.get_by_label("Comment").fill("only in\nfrost")
    card.locator(".toggle").nth(2).click()
    card.locator(".mini").nth(5).click()
    page.locator("#large .mark").click()
    page.locator("#large [data-close]").click()
    page.locator(".rule .toggle").first.click()
    page.locator(".rule textarea").fill("this one runs")
    normal = page.locator("article.usual").first
    normal.get_by_role("radio", name=re.compile("^several kinds mixed")).check()
    page.locator("#bar [name=labeller]").fill("  x ")
    answers = read(save(page, lambda: page.locator("#bar [data-save]").click()))
    mine, mixed = answers.groups
    assert mine.model_dump(exclude={"answered_at"}) == asked(four_kinds_data.groups[1]) | {
        "verdict": "malfunction", "kind": "obstacle", "sure": "likely", "comment": "only in\nfrost", "labeller": None,
        "not_members": tuple(four_kinds_data.groups[1].members[i].series_id for i in (2, 5)),
    }  # fmt: skip
    assert (mixed.verdict, mixed.group, answers.labeller) == ("mixed", four_kinds_data.groups[4].number, "x")
    (objection,) = answers.objections
    assert objection.model_dump() == {
        "rule": "flat", "series_ids": (four_kinds_data.rejected[0].examples[0].series_id,), "comment": "this one runs",
        "labeller": None,
    }  # fmt: skip
    expect(page.locator("#bar .done")).to_have_text("1 of 4 answered")  # what is normal need not be
    expect(page.locator('.glance [data-group="2"] .state')).to_have_text("▲ obstacle")
    card.locator(".clear").click()
    expect(page.locator("#bar .done")).to_have_text("0 of 4 answered")
    expect(page.locator('.glance [data-group="2"] .state')).to_have_text("")
    expect(card.locator(".marked")).to_have_count(0)
    assert opened.is_quiet()


def test_leaving_with_unsaved_answers_warns(
    page: Page, four_kinds_page: Path, save: Callable[[Page, Callable[[], object]], Path]
) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    Opened(page, four_kinds_page)
    page.reload()
    assert asked == []
    page.locator("#group-1").get_by_role("radio", name=re.compile("^a bad recording")).check()
    page.reload()
    assert asked == ["beforeunload"]
    page.locator("h1").click()  # a browser asks nobody who has done nothing
    page.reload()  # what was kept is not saved yet
    assert asked == ["beforeunload"] * 2
    page.locator("#bar [name=labeller]").fill("x")
    save(page, lambda: press(page, "Control+s"))
    page.reload()
    assert asked == ["beforeunload"] * 2


def test_where_the_browser_keeps_nothing_it_is_said_and_saving_works(
    page: Page, four_kinds_page: Path, save: Callable[[Page, Callable[[], object]], Path]
) -> None:
    page.add_init_script(f"Object.defineProperty(globalThis, 'localStorage', {{ get: () => {KEPT} }})")
    opened = Opened(page, four_kinds_page)
    assert said(page).startswith("This browser cannot keep")  # before the first answer
    page.locator("#group-1").get_by_role("radio", name=re.compile("^normal")).check()
    assert said(page) == "This browser cannot keep your answers: save them before you close the page."
    page.locator("#bar [name=labeller]").fill("x")
    assert len(read(save(page, lambda: press(page, "Control+s"))).groups) == 1
    assert opened.is_quiet()


def test_a_file_that_is_none_of_ours_is_said_to_be(
    page: Page, four_kinds_page: Path, four_kinds_data: ReportData, tmp_path: Path
) -> None:
    opened, path = Opened(page, four_kinds_page), tmp_path / "odd.json"
    good = file_of(four_kinds_data)
    none = "odd.json is not an answers file, or it was changed or cut off after it was saved."
    cut, other = json.dumps(good)[:-40], good | {"labeller": "z"}
    for odd in ("", "[]", "null", "[1", cut, {"format": "other"}, good | {"groups": 3}, whole(good, groups=3), other):
        assert put(page, path, odd) == none
    assert put(page, tmp_path / "$& $1.json", "") == none.replace("odd", "$& $1")
    assert put(page, path, good | {"version": 2}) == "odd.json was made by another version of this page."
    other = whole(file_of(four_kinds_data, members_hash="0" * 32), report=good["report"] | {"id": "0" * 16})
    assert put(page, path, other) == "odd.json contains answers to another report."
    expect(page.locator("#bar .done")).to_have_text("0 of 4 answered")
    assert put(page, path, good) == "Answers read from the file: 1."
    assert opened.is_quiet()


def test_what_was_answered_later_stays(
    page: Page, four_kinds_page: Path, four_kinds_data: ReportData, tmp_path: Path
) -> None:
    Opened(page, four_kinds_page)
    page.locator("#group-1").get_by_role("radio", name=re.compile("^I don’t know")).check()
    assert put(page, tmp_path / "a.json", file_of(four_kinds_data)) == "Answers read from the file: 0."
    expect(page.locator("#group-1 input:checked")).to_have_value("dont_know")
    later = file_of(four_kinds_data, answered_at="2999-01-01T00:00:00.000Z")
    assert put(page, tmp_path / "a.json", later) == "Answers read from the file: 1."
    expect(page.locator("#group-1 [name=kind]")).to_have_value("k")


@pytest.mark.parametrize("hostile", [*HOSTILE, "x" * 10_000, "$& $1 $$"])
def test_hostile_answers_are_shown_as_text(
    page: Page, four_kinds_page: Path, four_kinds_data: ReportData, tmp_path: Path, hostile: str,
    save: Callable[[Page, Callable[[], object]], Path],
) -> None:  # fmt: skip
    opened, members = Opened(page, four_kinds_page), four_kinds_data.groups[0].members
    said = {"kind": hostile, "comment": hostile, "not_members": [members[0].series_id]}
    body = whole(file_of(four_kinds_data, **said), labeller=hostile)
    assert put(page, tmp_path / "a.json", body) == "Answers read from the file: 1."
    expect(page.locator("#group-1 .marked")).to_have_count(1)
    assert page.evaluate("window.hacked ?? null") is None
    answers = read(save(page, lambda: press(page, "Control+s")))
    (answer,) = answers.groups
    assert (answer.sure, answer.not_members) == (None, (members[0].series_id,))
    assert answer.comment == hostile[:2_000]
    assert answer.kind == one_line(hostile)[:200]
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert page.evaluate(CLIPPED) == []
    assert opened.is_quiet()


def one_line(text: str) -> str:
    """What a field of one line keeps of a text."""
    return text.replace("\n", "")
