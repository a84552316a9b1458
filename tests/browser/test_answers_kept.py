"""Answers stay: in several tabs, against older files and broken ones, until they are erased on purpose."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.answer_page import asked, file_of, press, put, read, said, verdict, whole
from tests.support.pages import CLIPPED, Opened
from tests.support.report_workspace import four_kinds, write
from tsclust.config import Report
from tsclust.stages.labels.answers import Answers
from tsclust.stages.reports.data import ReportData
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect

PAST, FUTURE = "2026-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"
STAY = "Files that you have saved are kept."


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    return collect(write(tmp_path_factory.mktemp("kept") / "ws", four_kinds()), Report())


@pytest.fixture(scope="module")
def report(data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "plant.html"
    path.write_text(render(data, "en", name="plant"), encoding="utf-8")
    return path


def say(page: Page, group: int, verdict: str) -> None:
    page.locator(f"#group-{group}").get_by_role("radio", name=re.compile(f"^{verdict}")).check()


def until_it_reads(page: Page, text: str) -> None:
    """What one process of a browser keeps, another one reads a moment later."""
    end = time.monotonic() + 30
    while not page.evaluate("(text) => Object.values(localStorage).some((one) => one.includes(text))", text):
        assert time.monotonic() < end, f"nothing that was kept has {text}"
        time.sleep(0.05)


def saved(page: Page, path: Path) -> Answers:
    with page.expect_download() as download:
        press(page, "Control+s")
    download.value.save_as(path)
    return read(path)


def asked_on_leaving(page: Page) -> bool:
    """Whether the page warns when it is left."""
    warned: bool = page.evaluate("!dispatchEvent(new Event('beforeunload', { cancelable: true }))")
    return warned


def test_two_tabs_know_of_each_other(page: Page, report: Path, tmp_path: Path) -> None:
    other = page.context.new_page()
    opened = Opened(page, report), Opened(other, report)
    say(page, 1, "normal")
    expect(other.locator("#group-1 input:checked")).to_have_value("normal")
    say(other, 2, "a bad recording")
    say(page, 3, "I don’t know")
    expect(other.locator("#bar .done")).to_have_text("3 of 4 answered")
    other.locator("#group-1 .clear").click()
    expect(page.locator("#bar .done")).to_have_text("2 of 4 answered")
    page.locator("#bar [name=labeller]").fill("x")
    assert [answer.verdict for answer in saved(page, tmp_path / "a.json").groups] == ["bad_recording", "dont_know"]
    expect(other.locator("#bar [name=labeller]")).to_have_value("x")
    assert not asked_on_leaving(other)
    page.reload()
    assert (verdict(page, 1), verdict(page, 2), verdict(page, 3)) == (None, "bad_recording", "dont_know")
    assert all(one.is_quiet() for one in opened)


def test_what_another_tab_wrote_over_is_kept_once_more(page: Page, report: Path) -> None:
    """Two processes of a browser may write before either knows of the other."""
    other = page.context.new_page()
    Opened(page, report)
    Opened(other, report)
    say(page, 1, "normal")
    other.evaluate("""() => {
        const key = Object.keys(localStorage).find((one) => localStorage[one].includes('"cards"'));
        localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage[key]), cards: [] }));
    }""")
    until_it_reads(other, "group-1")


def test_a_tab_that_hears_nothing_overwrites_nothing(page: Page, report: Path) -> None:
    """Some browsers tell files nothing of each other: what is kept is looked at before it is written."""
    page.context.add_init_script("addEventListener('storage', (event) => event.stopImmediatePropagation(), true)")
    other = page.context.new_page()
    Opened(page, report)
    Opened(other, report)
    say(page, 1, "normal")
    until_it_reads(other, "group-1")
    say(other, 2, "normal")
    until_it_reads(page, "group-2")
    say(page, 3, "normal")
    page.reload()
    assert [verdict(page, n) for n in (1, 2, 3, 4)] == ["normal", "normal", "normal", None]


def objecting(data: ReportData, at: str, **changes: Any) -> dict[str, Any]:
    one = {"rule": "flat", "series_ids": [data.rejected[0].examples[0].series_id], "comment": "from the file"}
    return whole(file_of(data), objections=[one | changes], saved_at=at)


def test_an_older_file_leaves_what_is_newer_here(page: Page, report: Path, data: ReportData, tmp_path: Path) -> None:
    Opened(page, report)
    say(page, 1, "normal")
    page.locator(".rule .toggle").nth(1).click()
    page.locator(".rule textarea").fill("said here")
    assert put(page, tmp_path / "a.json", objecting(data, PAST)) == "Answers read from the file: 0."
    assert verdict(page, 1) == "normal"
    expect(page.locator(".rule textarea")).to_have_value("said here")
    expect(page.locator(".rule .marked")).to_have_count(1)


def test_a_file_from_tomorrow_can_be_corrected(page: Page, report: Path, data: ReportData, tmp_path: Path) -> None:
    """A clock that was ahead: what is said after that still counts."""
    Opened(page, report)
    body = whole(file_of(data, answered_at=FUTURE), saved_at=FUTURE, started_at=FUTURE)
    assert put(page, tmp_path / "a.json", body) == "Answers read from the file: 1."
    say(page, 1, "normal")
    answers = saved(page, tmp_path / "b.json")
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert max(answers.started_at, answers.saved_at, answers.groups[0].answered_at) < soon
    page.reload()
    assert verdict(page, 1) == "normal"


BROKEN = "odd.json is not an answers file, or it was changed or cut off after it was saved."
SPOILT: list[dict[str, Any]] = [
    {"answered_at": "yesterday"}, {"answered_at": None}, {"verdict": "fine"}, {"sure": "very"}, {"kind": 5},
    {"not_members": "1"}, {"not_members": [1]},
]  # fmt: skip


def test_one_broken_answer_stops_all_of_the_file(page: Page, report: Path, data: ReportData, tmp_path: Path) -> None:
    opened, good = Opened(page, report), file_of(data)
    for spoil in SPOILT:
        second = good["groups"][0] | {"group": 99, "members_hash": "0" * 32} | spoil
        body = whole(good, groups=[good["groups"][0], second])
        assert put(page, tmp_path / "odd.json", body) == BROKEN, spoil
        assert verdict(page, 1) is None
        assert page.evaluate("localStorage.length") == 0
    assert opened.is_quiet()


ELSEWHERE: list[dict[str, dict[str, Any]]] = [
    {"group": {"not_members": ["no such series"]}}, {"group": {"members_hash": "0" * 32}},
    {"objection": {"rule": "other"}}, {"objection": {"series_ids": ["no such series"]}},
]  # fmt: skip


def test_a_file_about_what_the_page_does_not_have_changes_nothing(
    page: Page, report: Path, data: ReportData, tmp_path: Path
) -> None:
    opened = Opened(page, report)
    for spoil in ELSEWHERE:
        good = objecting(data, PAST, **spoil.get("objection", {}))
        second = answer_to(data, 1) | spoil.get("group", {})
        body = whole(good, groups=[*good["groups"], second])
        told = put(page, tmp_path / "odd.json", body)
        assert told == "odd.json contains answers about groups or series that are not on this page.", spoil
        assert verdict(page, 1) is None
        expect(page.locator(".rule .marked")).to_have_count(0)
        assert page.evaluate("localStorage.length") == 0
    assert opened.is_quiet()


def answer_to(data: ReportData, n: int) -> dict[str, Any]:
    """The file's answer of the first group, but of the one with this index."""
    answer: dict[str, Any] = file_of(data)["groups"][0] | asked(data.groups[n])
    return answer


def test_two_answers_to_one_group_or_a_comment_that_is_no_text(
    page: Page, report: Path, data: ReportData, tmp_path: Path
) -> None:
    Opened(page, report)
    spoilt: list[dict[str, Any]] = [{"comment": 5}, {"comment": None}, {}]
    for spoil in spoilt:
        body = file_of(data)
        body = whole(body, groups=[body["groups"][0], answer_to(data, 1 if spoil else 0) | spoil])
        assert put(page, tmp_path / "odd.json", body) == BROKEN, spoil
        assert verdict(page, 1) is None


def test_of_another_report_only_the_groups_that_are_here_too(
    page: Page, report: Path, data: ReportData, tmp_path: Path
) -> None:
    Opened(page, report)
    good = objecting(data, PAST, series_ids=[])
    other = good["report"] | {"id": "0" * 16}
    elsewhere = {"report": other | {"model": "another"}, "groups": [answer_to(data, 1), good["groups"][0]]}
    elsewhere["groups"][1]["members_hash"] = "0" * 32
    assert put(page, tmp_path / "a.json", whole(good, **elsewhere)) == "Answers read from the file: 1."
    assert (verdict(page, 1), verdict(page, 2)) == (None, "malfunction")
    expect(page.locator(".rule textarea")).to_have_value("")
    only_rule = whole(good, report=elsewhere["report"], groups=[])
    assert put(page, tmp_path / "a.json", only_rule) == "a.json contains answers to another report."
    arranged_otherwise = whole(only_rule, report=other)  # an earlier page of the very same groups
    assert put(page, tmp_path / "a.json", arranged_otherwise) == "Answers read from the file: 1."
    assert page.locator(".rule textarea").input_value()


def test_a_clock_that_is_set_back_loses_nothing(page: Page, report: Path, tmp_path: Path) -> None:
    page.clock.set_fixed_time("2026-06-01T12:00:00Z")
    Opened(page, report)
    say(page, 1, "normal")
    page.clock.set_fixed_time("2026-06-01T11:00:00Z")
    say(page, 1, "a bad recording")
    page.locator("#bar [name=labeller]").fill("x")
    saved(page, tmp_path / "a.json")
    assert not asked_on_leaving(page)
    say(page, 2, "normal")
    assert asked_on_leaving(page)
    page.locator("#group-1 .clear").click()
    page.reload()
    assert (verdict(page, 1), verdict(page, 2)) == (None, "normal")


def test_a_name_that_was_corrected_in_another_tab_stays_corrected(page: Page, report: Path) -> None:
    other = page.context.new_page()
    Opened(page, report)
    Opened(other, report)
    for one, name in ((page, "Ana"), (other, "Anna")):
        one.locator("#bar [name=labeller]").fill(name)
        one.locator("h1").click()
        for tab in (page, other):
            until_it_reads(tab, f'"{name}"')
    expect(page.locator("#bar [name=labeller]")).to_have_value("Anna")
    say(page, 1, "normal")
    page.reload()
    expect(page.locator("#bar [name=labeller]")).to_have_value("Anna")


def test_opening_a_file_does_not_hide_that_an_answer_in_it_was_cleared(
    page: Page, report: Path, data: ReportData, tmp_path: Path
) -> None:
    Opened(page, report)
    put(page, tmp_path / "a.json", file_of(data))
    page.locator("#group-1 .clear").click()
    assert put(page, tmp_path / "a.json", file_of(data)) == "Answers read from the file: 0."
    assert asked_on_leaving(page)


def test_leaving_warns_only_of_what_is_in_no_file(page: Page, report: Path, data: ReportData, tmp_path: Path) -> None:
    Opened(page, report)
    put(page, tmp_path / "a.json", file_of(data))
    assert not asked_on_leaving(page)  # all that is answered is in the file
    page.locator("#group-2 .toggle").first.click()
    assert asked_on_leaving(page)
    put(page, tmp_path / "a.json", file_of(data))
    assert asked_on_leaving(page)  # the mark is not
    saved(page, tmp_path / "b.json")
    assert not asked_on_leaving(page)
    page.locator("#group-2 textarea").fill("more")
    page.reload()
    assert asked_on_leaving(page)


def test_saving_while_a_member_is_shown_large(page: Page, report: Path, tmp_path: Path) -> None:
    Opened(page, report)
    page.locator("#group-1 .mini").first.click()
    press(page, "Delete", "Control+s")
    expect(page.locator("#large")).to_be_hidden()
    assert said(page) == "Enter your name first: it goes into the file."
    page.keyboard.type("   ")
    press(page, "Control+s")
    assert said(page) == "Enter your name first: it goes into the file."
    page.keyboard.type("Anna  ")
    page.locator("#group-1 .mini").first.click()
    answers = saved(page, tmp_path / "a.json")
    assert (answers.labeller, len(answers.groups[0].not_members)) == ("Anna", 1)
    expect(page.locator("#large")).to_be_visible()


def test_everything_is_erased_only_on_purpose(page: Page, report: Path) -> None:
    opened = Opened(page, report)
    say(page, 1, "normal")
    page.locator(".rule .toggle").first.click()
    asked: list[str] = []
    answer = {"yes": False}
    page.on(
        "dialog", lambda dialog: (asked.append(dialog.message), dialog.accept() if answer["yes"] else dialog.dismiss())
    )
    press(page, "Escape", "?")
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate(CLIPPED) == []
    page.locator("#keys [data-erase]").click()
    assert asked == [f"Erase all answers to this report? Answers lost: 2. {STAY}"]
    assert verdict(page, 1) == "normal"
    answer["yes"] = True
    page.locator("#keys [data-erase]").click()
    assert verdict(page, 1) is None
    assert not asked_on_leaving(page)
    page.reload()
    assert verdict(page, 1) is None
    expect(page.locator(".rule .marked")).to_have_count(0)
    assert opened.is_quiet()


def test_a_colleagues_answers_stay_theirs_and_a_nameless_malfunction_is_reported(
    page: Page, report: Path, data: ReportData, tmp_path: Path
) -> None:
    Opened(page, report)
    page.locator("#bar [name=labeller]").fill("Boris")
    say(page, 2, "a malfunction")
    put(page, tmp_path / "a.json", file_of(data))  # of y, about group 1
    saved(page, tmp_path / "b.json")
    assert said(page).endswith("Malfunctions without a name: 1. Enter it and save again.")
    passed_on, own = read(tmp_path / "b.json").groups
    assert (passed_on.labeller, own.labeller) == ("y", None)
    page.locator("#bar .said a").click()
    expect(page.locator("#group-2 [name=kind]")).to_be_focused()
    page.keyboard.type("dip")
    page.locator("#group-1 textarea").fill("I see it too")  # now it is his
    saved(page, tmp_path / "c.json")
    assert "without a name" not in said(page)
    assert [one.labeller for one in read(tmp_path / "c.json").groups] == [None, None]
    assert put(
        page, tmp_path / "a.json", file_of(data, verdict="normal", answered_at="2026-01-02T00:00:00.000Z")
    ).endswith(": 0.")
    assert verdict(page, 1) == "malfunction"
