"""Reports opened from the service: two experts answer at once, each sees the other, and nothing is lost."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.answer_page import press, read, said, verdict
from tests.support.browsers import whole
from tests.support.endurance import LONG
from tests.support.pages import CLIPPED, TRY_EVERYTHING
from tests.support.plant import Reviewed
from tests.support.service import Running, running
from tsclust.simulation.expert import answered, form_of, put
from tsclust.workspace.folder import Workspace


@contextmanager
def opened(browser: Browser, service: Running, line: Path, file: str, name: str = "", **context: Any) -> Iterator[Page]:
    """A report in a browser of its own; nothing is complained of."""
    complaints: list[str] = []
    with browser.new_context(base_url=service.url, **context) as own:
        page = own.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"/workspaces/{line.name}/reports/{file}")
        page.locator("#bar [name=labeller]").fill(name)
        page.locator("#bar [name=labeller]").blur()
        yield page
        own.set_offline(False)
    assert not [one for one in complaints if "ERR_" not in one and "412" not in one]  # of requests that were to fail


def kept(line: Path) -> dict[str, dict[int | None, str | None]]:
    """What is in answers/: labeller -> group -> verdict."""
    files = map(read, (line / "answers").glob("*.json"))
    return {one.labeller: {group.group: group.verdict for group in one.groups} for one in files}


def labels(line: Path) -> set[tuple[str, str]]:
    found = pl.read_parquet(line / "labels" / "labels.parquet").select("labeller", "kind").unique()
    return set(found.iter_rows())


def others(page: Page, group: int) -> Any:
    return expect(page.locator(f"#group-{group} .others"))


def test_two_experts_answer_three_groups_at_once(
    chromium: Browser, firefox: Browser, served: Running, offered: Path
) -> None:
    mailed = (offered / "reports" / "report.html").read_bytes()
    with (
        opened(chromium, served, offered, "report.html", "Anna") as anna,
        opened(firefox, served, offered, "report.html", "Boris") as boris,
    ):
        for page in (anna, boris):
            expect(page.get_by_text("This page was opened from the service")).to_be_visible()
        anna.locator("h1").click()
        press(anna, "ArrowRight", "1")
        anna.keyboard.type("worn brushes")
        press(anna, "Enter", "2", "Control+s")
        expect(anna.locator("#bar .said")).to_contain_text("Answers sent: 2.")
        others(boris, 1).to_have_text("Anna: malfunction: worn brushes")
        assert verdict(boris, 1) is None
        boris.locator("h1").click()
        press(boris, "ArrowRight", "2", "ArrowRight", "2", "ArrowRight", "4")
        boris.get_by_role("button", name="Send answers").click()
        expect(boris.locator("#bar .said")).to_contain_text("Answers sent: 3.")
        others(boris, 1).to_contain_text("≠ not as you say")
        others(anna, 1).to_have_text("Boris: normal ≠ not as you say")
        expect(anna.locator('.glance [data-group="1"] .they')).to_have_text("≠ Boris: normal")
        others(anna, 2).to_have_text("Boris: normal")
        assert (verdict(anna, 1), verdict(boris, 1)) == ("malfunction", "normal")  # neither is overwritten
        press(anna, "ArrowRight", "3")  # goes by itself
        others(boris, 3).to_have_text("Anna: bad recording")
        anna.get_by_role("button", name="Contradictions: 1").click()
        expect(anna.locator("#group-1")).to_be_focused()
    first = {1: "malfunction", 2: "normal", 3: "bad_recording"}
    assert kept(offered) == {"Anna": first, "Boris": {1: "normal", 2: "normal", 3: "dont_know"}}
    assert labels(offered) >= {("Anna", "worn brushes"), ("Anna", "normal"), ("Boris", "normal")}
    assert (offered / "reports" / "report.html").read_bytes() == mailed


def test_one_expert_goes_on_in_another_browser_and_nothing_is_lost(
    chromium: Browser, served: Running, offered: Path
) -> None:
    with opened(chromium, served, offered, "report.html", "Anna") as desk:
        desk.locator("#group-1").get_by_role("radio", name=re.compile("^normal")).check()
        desk.locator("#group-2").get_by_role("radio", name=re.compile("^normal")).check()
        press(desk, "Control+s")
        expect(desk.locator("#bar .said")).to_contain_text("Answers sent: 2.")
        with opened(chromium, served, offered, "otchet.html", "anna", viewport={"width": 390, "height": 800}) as phone:
            expect(phone.locator("#group-2 input:checked")).to_have_value("normal")
            phone.locator("#group-2").get_by_role("radio", name=re.compile("^плохая")).check()
            phone.locator("#group-3").get_by_role("radio", name=re.compile("^норма")).check()
            phone.get_by_role("button", name="Отправить ответы").click()
            expect(phone.locator("#bar .said")).to_contain_text("Отправлено ответов: 3.")
            assert phone.evaluate(CLIPPED) == []
            whole(phone)
            others(desk, 2).to_have_text("anna, in another browser: bad recording ≠ not as you say")
            expect(desk.locator("#group-3 input:checked")).to_have_value("normal")
            assert verdict(desk, 2) == "normal"
        desk.context.set_offline(True)
        desk.locator("#group-4").get_by_role("radio", name=re.compile("^normal")).check()
        expect(desk.locator("#bar .live")).to_contain_text("does not answer")
        desk.context.set_offline(False)
        expect(desk.locator("#bar .live")).to_contain_text("Sent at")
        desk.reload()
        assert said(desk) == "Answers that this browser had kept were restored: 4."
    assert len(list((offered / "answers").glob("*.json"))) == 2
    assert {group for of in kept(offered).values() for group in of} == {1, 2, 3, 4}


def test_a_withdrawn_answer_does_not_come_back_from_an_older_file(
    chromium: Browser, served: Running, offered: Path
) -> None:
    """And what this browser has sent itself is not fetched again."""
    form = form_of(offered / "reports" / "report.html")
    (offered / "answers").mkdir()
    before = answered(form, "Anna", {"1": "normal", "2": "normal"}, at="2026-01-01T00:00:00.000Z")
    put(offered / "answers" / "before.json", before)
    after = answered(form, "Anna", {"1": "normal"}, at="2026-01-02T00:00:00.000Z")
    put(offered / "answers" / "after.json", after)
    with opened(chromium, served, offered, "report.html", "Anna") as page:
        expect(page.locator("#group-1 input:checked")).to_have_value("normal")
        assert verdict(page, 2) is None
        press(page, "Control+s")
        expect(page.locator("#bar .said")).to_contain_text("Answers sent: 1.")
        with page.expect_response(re.compile("answers.model=")) as looked:
            pass
        assert looked.value.status == 304


def test_every_part_sends_and_the_index_shows_them(chromium: Browser, served: Running, offered: Path) -> None:
    with (
        opened(chromium, served, offered, "several/part-1.html", "Anna") as part,
        opened(chromium, served, offered, "several/index.html", "Boris") as index,
    ):
        part.locator("#group-2").get_by_role("radio", name=re.compile("^normal")).check()
        part.get_by_role("button", name="Send answers").click()
        expect(index.locator('.glance [data-group="2"] .they')).to_have_text("Anna: normal")
        index.locator('.glance [data-group="2"] .pick').click()
        index.locator(".together").get_by_role("radio", name=re.compile("^a bad")).check()
        index.locator(".together [type=submit]").click()
        index.get_by_role("button", name="Send answers").click()
        others(part, 2).to_have_text("Boris: bad recording ≠ not as you say")
        part.get_by_role("link", name="All parts").click()
        expect(part.locator('.glance [data-group="2"] .they')).to_have_text("≠ Boris: bad recording")
    assert kept(offered) == {"Anna": {2: "normal"}, "Boris": {2: "bad_recording"}}


def test_while_a_command_is_at_work_answers_are_kept(chromium: Browser, served: Running, offered: Path) -> None:
    with opened(chromium, served, offered, "report.html", "Anna") as page:
        page.locator("#group-1").get_by_role("radio", name=re.compile("^normal")).check()
        with Workspace(offered).locked():
            press(page, "Control+s")
            expect(page.locator("#bar .said")).to_contain_text("they become labels with the next one")
        press(page, "Control+s")
        expect(page.locator("#bar .said")).to_contain_text("They are labels now")
    assert labels(offered) == {("Anna", "normal")}


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_the_page_connects_to_its_service_alone(
    request: pytest.FixtureRequest, browser: str, served: Running, offered: Path
) -> None:
    with request.getfixturevalue(browser).new_context(base_url=served.url) as own:
        page = own.new_page()
        page.goto(f"/workspaces/{offered.name}/reports/report.html")
        stopped, ran = page.evaluate(TRY_EVERYTHING, "http://127.0.0.1:9/")
        assert {"connect-src", "img-src"} <= set(stopped)
        assert ran is None
        assert page.evaluate("fetch('/healthz').then((answer) => answer.status)") == 200


IMPATIENT = """
const [wait, timeout] = [setTimeout, AbortSignal.timeout.bind(AbortSignal)], sooner = (ms) => ms > 5_000 ? ms / 40 : ms;
window.setTimeout = (act, ms) => wait(act, sooner(ms));
AbortSignal.timeout = (ms) => timeout(sooner(ms));
"""  # what a page waits for longer than it does when all is well


def test_labels_that_are_reviewed_are_sent(chromium: Browser, served: Running, reviewed: Reviewed) -> None:
    line = Path(shutil.copytree(reviewed.workspace.root, served.root / "reviewed"))
    with (
        opened(chromium, served, line, "review.html", "Vera") as page,
        opened(chromium, served, line, "review.html", "Gleb") as other,
    ):
        page.locator("#group-1 .quick button").first.click()
        press(page, "Control+s")
        expect(page.locator("#bar .said")).to_contain_text("Answers sent: 1.")
        others(other, 1).to_contain_text("Vera: ")
    assert "Vera" in {labeller for labeller, _ in labels(line)}


@pytest.mark.endurance
def test_a_service_that_hangs_or_is_gone_loses_no_answer(firefox: Browser, served: Running, offered: Path) -> None:
    """The last test here: it ends the service, and in the long form starts it again."""
    with firefox.new_context(base_url=served.url) as own:
        own.add_init_script(IMPATIENT)
        page = own.new_page()
        page.goto(f"/workspaces/{offered.name}/reports/report.html")
        page.locator("#bar [name=labeller]").fill("Anna")
        check(page, 1)
        press(page, "Control+s")
        expect(page.locator("#bar .said")).to_contain_text("Answers sent: 1.")
        os.kill(served.process.pid, signal.SIGSTOP)
        check(page, 2)
        expect(page.locator("#bar .live")).to_contain_text("your answers are kept in this browser")
        expect(page.locator("#bar .live")).to_contain_text("does not answer; tried again by itself")
        os.kill(served.process.pid, signal.SIGCONT)
        expect(page.locator("#bar .live")).to_contain_text("Sent at")
        assert kept(offered) == {"Anna": {1: "normal", 2: "normal"}}
        served.process.kill()
        served.process.wait()
        check(page, 3)
        press(page, "Control+s")
        expect(page.locator("#bar .said")).to_contain_text("Your answers stay in this browser")
        if LONG:  # there again, at the same address
            with running(served.root, "--no-jobs", port=served.port):
                page.reload()
                expect(page.locator("#group-3 input:checked")).to_have_value("normal")
                press(page, "Control+s")
                expect(page.locator("#bar .said")).to_contain_text("Answers sent: 3.")
            assert kept(offered) == {"Anna": {1: "normal", 2: "normal", 3: "normal"}}


def check(page: Page, group: int) -> None:
    page.locator(f"#group-{group}").get_by_role("radio", name=re.compile("^normal")).check()
