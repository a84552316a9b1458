"""An expert answers: in two real browsers, by keyboard and by mouse, and the file that comes of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.report_workspace import Made, lifelike, write
from tests.test_report_page import CLIPPED, HOSTILE, Opened
from tsclust.answers import Answers, checksum
from tsclust.config import Report
from tsclust.report.collect import collect
from tsclust.report.data import ReportData
from tsclust.report.form import form
from tsclust.report.page import render

SAVED = "Saved as {}: send it to the person who gave you this page."
KEPT = "(() => { throw new Error('closed'); })()"  # what a browser that keeps nothing does


def four_kinds() -> list[Made]:
    """dip, long, high and short stand out; 15 of each but the last, which has 9."""
    made = lifelike(400)
    shorter = {m.series_id for m in made[7::44]}
    return [
        replace(m, group="high", values=[None if v is None else 2 * v for v in m.values]) if i % 16 == 5
        else replace(m, group="short", values=m.values[:40]) if m.series_id in shorter
        else m
        for i, m in enumerate(made)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    folder = tmp_path_factory.mktemp("answering")
    return collect(write(folder / "ws", four_kinds(), baseline=["machine"]), Report())


@pytest.fixture(scope="module")
def report(data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("answering") / "plant.html"
    path.write_text(render(data, "en", name="plant"), encoding="utf-8")
    return path


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


def read(path: Path) -> Answers:
    """The answers in a file, which must be whole."""
    body = json.loads(path.read_text(encoding="utf-8"))
    assert checksum({key: value for key, value in body.items() if key != "checksum"}) == body["checksum"]
    return Answers.model_validate(body)


def said(page: Page) -> str:
    return page.locator("#bar .said").inner_text()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_three_groups_by_keyboard_saved_kept_and_opened_again(
    any_page: Page, report: Path, data: ReportData, save: Callable[[Page, Callable[[], object]], Path]
) -> None:
    page, (first, second, third, *_) = any_page, data.groups
    opened = Opened(page, report)
    expect(page.locator("#bar .done")).to_have_text("0 of 4 answered")
    press(page, "ArrowRight", "1")
    page.keyboard.type("worn brushes")
    press(page, "Enter", "2", "ArrowRight", "4")
    press(page, "Tab", "Tab", "Tab", "Delete")  # the way up, the first small curve, the second
    press(page, "Control+s")
    assert said(page) == "Write your name first: it goes into the file."
    page.keyboard.type("Анна О'Нил")
    file = save(page, lambda: press(page, "Control+s"))
    assert file.name == "answers-plant-Анна_О_Нил.json"
    assert said(page) == SAVED.format(file.name)

    answers = read(file)
    assert (answers.labeller, answers.lang, answers.report.name, answers.report.model) == (
        "Анна О'Нил", "en", "plant", data.model,
    )  # fmt: skip
    assert answers.started_at <= answers.groups[0].answered_at <= answers.saved_at
    blank = {"sure": None, "comment": "", "kind": "", "not_members": []}
    assert [plain(answer.model_dump(mode="json")) for answer in answers.groups] == [
        asked(first) | blank | {"verdict": "malfunction", "kind": "worn brushes"},
        asked(second) | blank | {"verdict": "normal"},
        asked(third) | blank | {"verdict": "dont_know", "not_members": [third.members[1].series_id]},
    ]
    assert answers.objections == ()

    page.reload()
    assert said(page) == "Answers that this browser had kept are back: 3."
    expect(page.locator("#bar .done")).to_have_text("3 of 4 answered")
    assert opened.is_quiet()
    with page.context.browser.new_context() as elsewhere:
        other = elsewhere.new_page()
        fresh = Opened(other, report)
        expect(other.locator("#bar .done")).to_have_text("0 of 4 answered")
        other.locator("#bar [name=saved]").set_input_files(file)
        expect(other.locator("#bar .said")).to_have_text("Answers taken from the file: 3.")
        expect(other.locator("#bar .done")).to_have_text("3 of 4 answered")
        expect(other.locator(f"#group-{first.name} [name=kind]")).to_have_value("worn brushes")
        expect(other.locator(".minis .marked")).to_have_count(1)
        again = read(save(other, lambda: other.locator("#bar [data-save]").click()))
        assert replace_times(again) == replace_times(answers)
        assert fresh.is_quiet()


def asked(group: Any) -> dict[str, Any]:
    """How a file names a group."""
    names = ("within", "k", "cluster", "size")
    return {"group": group.number, "members_hash": group.print} | {name: getattr(group, name) for name in names}


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "answered_at"}


def replace_times(answers: Answers) -> Answers:
    return answers.model_copy(update={"saved_at": answers.started_at, "checksum": "0" * 8})


def test_by_mouse_with_everything_there_is_to_say(
    page: Page, report: Path, data: ReportData, save: Callable[[Page, Callable[[], object]], Path]
) -> None:
    opened, card = Opened(page, report), page.locator("#group-2")
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
    normal.get_by_role("radio", name=re.compile("^several things mixed")).check()
    page.locator("#bar [name=labeller]").fill("  x ")
    answers = read(save(page, lambda: page.locator("#bar [data-save]").click()))
    mine, mixed = answers.groups
    assert mine.model_dump(exclude={"answered_at"}) == asked(data.groups[1]) | {
        "verdict": "malfunction", "kind": "obstacle", "sure": "likely", "comment": "only in\nfrost",
        "not_members": tuple(data.groups[1].members[i].series_id for i in (2, 5)),
    }  # fmt: skip
    assert (mixed.verdict, mixed.group, answers.labeller) == ("mixed", data.groups[4].number, "x")
    (objection,) = answers.objections
    assert objection.model_dump() == {
        "rule": "flat", "series_ids": (data.rejected[0].examples[0].series_id,), "comment": "this one runs",
    }  # fmt: skip
    expect(page.locator("#bar .done")).to_have_text("1 of 4 answered")  # what is normal need not be
    expect(page.locator('.glance [data-group="2"] .state')).to_have_text("✓ obstacle")
    card.locator(".clear").click()
    expect(page.locator("#bar .done")).to_have_text("0 of 4 answered")
    expect(page.locator('.glance [data-group="2"] .state')).to_have_text("")
    expect(card.locator(".marked")).to_have_count(0)
    assert opened.is_quiet()


def test_every_documented_key(page: Page, report: Path, data: ReportData) -> None:
    opened = Opened(page, report)
    names = [group.name for group in data.groups]

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
    expect(page.locator(f"#group-{names[2]} :checked")).to_have_count(0)
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
    assert current() == f"rule-{data.rejected[0].rule}"
    press(page, "ArrowLeft")
    assert current() == f"group-{names[-1]}"
    press(page, *["ArrowRight"] * (1 + len(data.rejected)))
    assert page.evaluate("document.activeElement.matches('[data-save]')")  # after the last one
    press(page, "ArrowLeft")
    assert current() == f"rule-{data.rejected[-1].rule}"
    assert opened.is_quiet()


def test_keys_mean_the_same_on_a_russian_keyboard(page: Page, report: Path) -> None:
    Opened(page, report)
    press(page, "ArrowRight")
    page.evaluate(
        """() => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", { key: "ё", code: "Digit2", bubbles: true }))"""
    )
    expect(page.locator("#group-1 :checked")).to_have_value("normal")
    page.evaluate(
        """() => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", { key: "ы", code: "KeyS", ctrlKey: true, bubbles: true }))"""
    )
    assert said(page).startswith("Write your name")


def test_leaving_with_unsaved_answers_warns(
    page: Page, report: Path, save: Callable[[Page, Callable[[], object]], Path]
) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    Opened(page, report)
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
    page: Page, report: Path, save: Callable[[Page, Callable[[], object]], Path]
) -> None:
    page.add_init_script(f"Object.defineProperty(globalThis, 'localStorage', {{ get: () => {KEPT} }})")
    opened = Opened(page, report)
    page.locator("#group-1").get_by_role("radio", name=re.compile("^normal")).check()
    assert said(page) == "This browser keeps nothing: save your answers before you close the page."
    page.locator("#bar [name=labeller]").fill("x")
    assert len(read(save(page, lambda: press(page, "Control+s"))).groups) == 1
    assert opened.is_quiet()


def file_of(data: ReportData, **changes: Any) -> dict[str, Any]:
    """A file of answers to this report, as plain values; `changes` to the answer of the first group."""
    group, when = data.groups[0], "2026-01-01T00:00:00.000Z"
    answer = asked(group) | {"verdict": "malfunction", "kind": "k", "sure": None, "comment": "c", "not_members": []}
    return whole({
        "format": "tsclust-answers", "version": 1, "report": form(data, "plant")["report"],
        "lang": "en", "labeller": "y", "started_at": when, "saved_at": when,
        "groups": [answer | {"answered_at": when} | changes], "series": [], "objections": [],
    })  # fmt: skip


def whole(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """With these changes, and a checksum that fits."""
    rest = {name: value for name, value in (body | changes).items() if name != "checksum"}
    return rest | {"checksum": checksum(rest)}


def put(page: Page, path: Path, body: object) -> str:
    """Open a file of this text or these values; what the page says of it."""
    path.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    bar = page.locator("#bar .said")
    bar.evaluate("(said) => { said.textContent = ''; }")
    page.locator("#bar [name=saved]").set_input_files(path)
    expect(bar).not_to_have_text("")
    return bar.inner_text()


def test_a_file_that_is_none_of_ours_is_said_to_be(page: Page, report: Path, data: ReportData, tmp_path: Path) -> None:
    opened, path = Opened(page, report), tmp_path / "odd.json"
    good = file_of(data)
    none = "odd.json is not a complete file of answers."
    cut, other = json.dumps(good)[:-40], good | {"labeller": "z"}
    for odd in ("", "[]", "null", "[1", cut, {"format": "other"}, good | {"groups": 3}, whole(good, groups=3), other):
        assert put(page, path, odd) == none
    assert put(page, tmp_path / "$& $1.json", "") == none.replace("odd", "$& $1")
    assert put(page, path, good | {"version": 2}) == "odd.json was made by another version of this page."
    other = whole(file_of(data, members_hash="0" * 32), report=good["report"] | {"id": "0" * 16})
    assert put(page, path, other) == "odd.json has answers to another report."
    expect(page.locator("#bar .done")).to_have_text("0 of 4 answered")
    assert put(page, path, good) == "Answers taken from the file: 1."
    assert opened.is_quiet()


def test_what_was_answered_later_stays(page: Page, report: Path, data: ReportData, tmp_path: Path) -> None:
    Opened(page, report)
    page.locator("#group-1").get_by_role("radio", name=re.compile("^I don’t know")).check()
    assert put(page, tmp_path / "a.json", file_of(data)) == "Answers taken from the file: 0."
    expect(page.locator("#group-1 :checked")).to_have_value("dont_know")
    later = file_of(data, answered_at="2999-01-01T00:00:00.000Z")
    assert put(page, tmp_path / "a.json", later) == "Answers taken from the file: 1."
    expect(page.locator("#group-1 [name=kind]")).to_have_value("k")


@pytest.mark.parametrize("hostile", [*HOSTILE, "x" * 10_000, "$& $1 $$"])
def test_hostile_answers_are_shown_as_text(
    page: Page, report: Path, data: ReportData, tmp_path: Path, hostile: str,
    save: Callable[[Page, Callable[[], object]], Path],
) -> None:  # fmt: skip
    opened, members = Opened(page, report), data.groups[0].members
    said = {"kind": hostile, "comment": hostile, "not_members": [members[0].series_id]}
    body = whole(file_of(data, **said), labeller=hostile)
    assert put(page, tmp_path / "a.json", body) == "Answers taken from the file: 1."
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


def test_kinds_once_named_are_offered(page: Page, report: Path) -> None:
    Opened(page, report)
    press(page, "ArrowRight", "1")
    page.keyboard.type("worn brushes")
    press(page, "Enter", "1")
    page.keyboard.type("Obstacle")
    press(page, "Enter")
    options = page.locator("#kinds option")
    assert [options.nth(i).get_attribute("value") for i in range(options.count())] == ["Obstacle", "worn brushes"]


def test_without_a_script_the_page_says_what_to_do(chromium: Browser, report: Path) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(report.as_uri())
        expect(page.locator(".without-script")).to_be_visible()
        expect(page.locator("#bar, .with-script >> nth=0")).to_be_hidden()
        assert page.locator("form.answer").count() == 0


@pytest.mark.parametrize(("within", "text"), [
    (None, "A group of its own when all series are divided into {} groups."),
    (0, "Found among the series that have no name yet: a group of its own when these are divided into {} groups."),
    (3, "A group of its own when the series there are divided into {} groups."),
])  # fmt: skip
def test_a_card_says_where_its_group_was_found(data: ReportData, within: int | None, text: str) -> None:
    first = data.groups[0]
    for last, said in (
        (first.first_k, f"{first.first_k}"),
        (first.first_k + 2, f"{first.first_k} to {first.first_k + 2}"),
    ):
        group = replace(first, within=within, last_k=last)
        assert text.format(said) in render(replace(data, groups=(group, *data.groups[1:])), "en")


def test_on_paper_there_are_places_to_tick(page: Page, report: Path) -> None:
    Opened(page, report)
    page.set_viewport_size({"width": 710, "height": 1000})
    page.emulate_media(media="print")
    expect(page.locator("#bar")).to_be_hidden()
    expect(page.locator("#group-1 .kind")).to_be_visible()
    assert page.evaluate(CLIPPED) == []
