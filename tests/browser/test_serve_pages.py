"""The pages of tsclust serve in real browsers: a file becomes a report, in both languages, for everybody."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsers import whole
from tests.support.plant import cycles_file
from tests.support.service import Running, running
from tsclust.simulation.expert import answered, form_of
from tsclust.workspace.folder import Workspace

TOKEN, TOKENS = "t" * 32, {"answer": "b" * 20, "view": "c" * 20}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("pages")
    lines = [TOKEN, *(f"{right} {token}" for right, token in TOKENS.items())]
    (folder / "token").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "token").chmod(0o600)
    (folder / "served").mkdir()
    (folder / "served" / "serve.toml").write_text('[serve.sources.line]\ntable = "cycles"\n', encoding="utf-8")
    with running(folder / "served", "--token-file", str(folder / "token")) as found:
        yield found


@pytest.fixture(scope="module")
def cycles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cycles_file(tmp_path_factory.mktemp("cycles"), 800, of_machines=4)[0]


def logged_in(browser: Browser, service: Running, **context: Any) -> Page:
    page = browser.new_context(base_url=service.url, **context).new_page()
    page.goto("/")
    assert page.url.endswith("/login")
    page.get_by_label("Token").fill("x" * 32)
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("This token is not known.")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New recordings")
    return page


def test_a_file_becomes_a_report_and_answers_come_back(
    chromium: Browser, service: Running, cycles: Path, tmp_path: Path
) -> None:
    page = logged_in(chromium, service, locale="en-GB")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    whole(page)
    page.set_input_files("#file", cycles)
    page.get_by_label("Name of the workspace").first.fill("line 3")
    page.get_by_role("button", name="Begin").first.click()
    expect(page.get_by_role("alert").first).to_contain_text("'line 3' is no name of a workspace")
    said.clear()  # a browser notes that a request was refused
    page.get_by_label("Name of the workspace").first.fill("line-3")
    page.get_by_label("Compare within").fill("machine_id")
    page.get_by_role("button", name="Begin").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Job: from the recordings to the report, line-3")
    whole(page)
    expect(page.locator("[data-at=state]")).to_have_text("done", timeout=120_000)
    expect(page.locator("[data-at=results] li").first).to_be_visible()
    page.get_by_role("link", name="Open the report").click()
    expect(page.locator("h1")).to_be_visible()
    assert said == []
    form = form_of(service.root / "line-3" / "reports" / "report.html")
    kinds = {group["name"]: "normal" if group["normal"] else "stiff" for group in form["groups"]}
    (tmp_path / "answers-report-Anna.json").write_text(json.dumps(answered(form, "Anna", kinds)), encoding="utf-8")
    page.goto("/")
    expect(page.get_by_role("link", name=re.compile(r"^\w{3} \d+, \d{4}, \d\d:\d\d$")).first).to_be_visible()
    page.goto("/pages/workspaces/line-3")
    whole(page)
    page.set_input_files("#answers", tmp_path / "answers-report-Anna.json")
    with Workspace(service.root / "line-3").locked():  # a command is at work
        page.get_by_role("button", name="Import the answers").click()
        expect(page.get_by_role("status").first).to_contain_text("kept")
    page.get_by_role("button", name="Import the answers").click()
    expect(page.get_by_role("status").first).to_contain_text("Anna")
    assert len(list((service.root / "line-3" / "answers").glob("*.json"))) == 1
    with page.expect_download() as labels:
        page.get_by_role("link", name="CSV").first.click()
    assert "Anna" in Path(labels.value.path()).read_text(encoding="utf-8")
    page.context.close()


def test_on_a_phone_in_russian_in_firefox(firefox: Browser, service: Running) -> None:
    page = logged_in(firefox, service, viewport={"width": 360, "height": 720}, color_scheme="dark")
    page.get_by_role("link", name="Русский").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Новые записи")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    whole(page)
    page.get_by_label("Имя рабочей папки").last.fill("line 3")
    page.get_by_role("button", name="Начать").last.click()
    expect(page.get_by_role("alert").last).to_have_text(re.compile("^'line 3' не годится как имя: .* Выберите другое$"))
    page.get_by_label("Имя рабочей папки").last.fill("line")
    page.get_by_role("button", name="Начать").last.click()
    expect(page.locator("[data-at=state]")).to_have_text("ошибка", timeout=60_000)
    expect(page.get_by_role("alert").locator("details [lang=en]")).to_contain_text("TSCLUST_DSN")
    expect(page.get_by_role("alert")).not_to_contain_text(re.compile("^[A-Z]"))
    whole(page)
    page.goto("/pages/workspaces/none")
    expect(page.get_by_role("alert")).to_have_text("Рабочей папки 'none' нет. Вернитесь на начальную страницу")
    page.context.close()


def test_who_may_only_look_at_a_report_sees_and_sends_nothing(chromium: Browser, service: Running, line: Path) -> None:
    shutil.copytree(line, service.root / "answered")
    pages = {}
    for right, token in TOKENS.items():
        pages[right] = chromium.new_context(base_url=service.url).new_page()
        pages[right].goto("/login")
        pages[right].get_by_label("Token").fill(token)
        pages[right].get_by_role("button").click()
        pages[right].goto("/workspaces/answered/reports/report.html")
    pages["answer"].locator("#bar [name=labeller]").fill("Anna")
    pages["answer"].locator("#group-1").get_by_role("radio", name=re.compile("^normal")).check()
    pages["answer"].get_by_role("button", name="Send answers").click()
    expect(pages["view"].locator("#group-1 .others")).to_have_text("Anna: normal")
    expect(pages["view"].get_by_role("button", name="Send answers")).to_have_count(0)
    expect(pages["view"].locator("#bar .live")).to_contain_text("look at this report, not answer it")
    posted = "fetch('/workspaces/answered/answers', { method: 'POST', body: '{}' }).then((answer) => answer.status)"
    assert pages["view"].evaluate(posted) == 403
    for page in pages.values():
        page.context.close()
