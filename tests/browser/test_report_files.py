"""The files that tsclust report writes, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import tsclust
from tests.support.answer_page import asked, press, read, verdict
from tests.support.labels import labels
from tests.support.pages import CLIPPED, Opened
from tests.support.report_workspace import lifelike, write
from tsclust.errors import SettingsError
from tsclust.simulation.expert import form_of
from tsclust.stages.labels.answers import Answers, GroupAnswer, GroupAsked
from tsclust.stages.reports.data import ReportData
from tsclust.workspace.folder import Workspace


def names(page: Page) -> list[str | None]:
    """The cards that can be answered."""
    return page.locator("article.card:has(form.answer [name=verdict])").evaluate_all("all => all.map(e => e.id)")


def test_each_choice_is_a_file_of_its_own(page: Page, four_kinds_workspace: Workspace) -> None:
    root = four_kinds_workspace.root
    for name, wanted, cards in (
        ("report", {}, [1, 2, 3, 4, 5]),
        ("group-3", {"group": 3}, [3]),
        ("k-5", {"k": 5}, ["5.1", "5.2", "5.3", "5.0", "5.4"]),
    ):
        done = tsclust.report(root, **wanted)
        assert done.wrote == four_kinds_workspace.reports / f"{name}.html"
        opened = Opened(page, done.wrote)
        assert names(page) == [f"group-{card}" for card in cards]
        assert opened.is_quiet()
    expect(page.locator("#group-5\\.4 h3")).to_have_text("Cluster 4 of k = 5")
    with pytest.raises(SettingsError, match="--kind features, which has no groups"):
        tsclust.report(root, kind="features", k=5)
    with pytest.raises(SettingsError, match="--kind features, which is one page"):
        tsclust.report(root, {"report": {"split": 3}}, kind="features")
    assert tsclust.report(root, name="mail.html").wrote == four_kinds_workspace.reports / "mail.html"


def test_many_groups_become_several_files(page: Page, four_kinds_workspace: Workspace) -> None:
    alone = tsclust.report(four_kinds_workspace.root, {"report": {"charts": False}})
    done = tsclust.report(four_kinds_workspace.root, {"report": {"split": 3, "lang": "ru", "charts": True}})
    folder = four_kinds_workspace.reports / "report"
    assert done.wrote == folder / "index.html"
    assert done.facts is not None
    assert done.facts["files"] == [str(folder / name) for name in ("index.html", "part-1.html", "part-2.html")]
    assert not alone.wrote.exists()  # there is one report of a name
    index = Opened(page, done.wrote)
    assert names(page) == ["group-5"]
    assert page.locator(".facts dd").first.inner_text() == "4"
    assert "одним файлом" in page.locator(".steps li").first.inner_text()
    expect(page.locator("#bar .done")).to_have_text("Отвечено: 0 из 4")  # of all parts
    page.locator("#overview summary").click()
    expect(page.locator("#overview .main-svg:first-child")).to_have_count(5)
    assert page.evaluate(CLIPPED) == []
    assert index.is_quiet()
    page.locator('.glance [data-group="4"] a').click()
    page.wait_for_url("**/part-2.html#group-4")
    assert names(page) == ["group-4"]
    expect(page.locator("#bar .done")).to_have_text("Отвечено: 0 из 1")
    assert page.locator("h1 + .lead, .book + .lead").inner_text().endswith("Это часть 2 из 2: 1\u00a0группа.")
    near = page.locator("#group-4 .near a")
    assert {near.nth(i).get_attribute("href").split("#")[0] for i in range(3)} <= {"index.html", "part-1.html"}
    near.first.click()
    page.wait_for_url("**#group-*")
    forms = [form_of(folder / name) for name in ("index.html", "part-1.html", "part-2.html")]
    assert [form["report"]["name"] for form in forms] == ["report", "report-1", "report-2"]
    assert len({form["report"]["id"] for form in forms}) == 3
    tsclust.report(four_kinds_workspace.root, {"report": {"split": 0}})
    assert not folder.exists()
    assert alone.wrote.exists()


def test_the_settings_are_in_the_appendix_and_no_secret_is(page: Page, tmp_path: Path) -> None:
    root = write(tmp_path / "ws", lifelike()).root
    (root / "tsclust.toml").write_text('dsn = "postgresql://reader:s3cret@host/db"\n[report]\ntitle = "Plant"\n')
    done = tsclust.report(root)
    assert "s3cret" not in done.wrote.read_text(encoding="utf-8")
    Opened(page, done.wrote)
    page.locator("#appendix summary").click()
    expect(page.locator("#appendix")).to_contain_text('features.peak = "max"')


def test_the_index_collects_what_its_parts_are_answered(
    page: Page, chromium: Browser, four_kinds_data: ReportData, four_kinds_workspace: Workspace, tmp_path: Path
) -> None:
    """Where the browser shares what it keeps between files, and where it does not: then from their saved files."""
    folder = tsclust.report(four_kinds_workspace.root, {"report": {"split": 2, "charts": False}}).wrote.parent
    first, second, third, _, _ = (asked(group) for group in four_kinds_data.groups)
    asks: list[str] = []
    page.on("dialog", lambda dialog: (asks.append(dialog.type), dialog.accept()))
    opened = Opened(page, folder / "part-1.html")
    press(page, "ArrowRight", "1")
    page.keyboard.type("dip")
    press(page, "Enter", "2")
    page.locator("#bar [name=labeller]").fill("x")
    own = saved(page, tmp_path / "part-1.json")
    assert [answer.group for answer in own.groups] == [1, 2]
    press(page, "Escape")
    page.locator("#group-2 textarea").fill("as ever")
    page.locator(".book a").first.click()
    page.wait_for_url("**/index.html")
    expect(page.locator("#bar .done")).to_have_text("2 of 4 answered")
    page.locator('.glance [data-group="3"] a').focus()
    press(page, "1")
    page.keyboard.type("dip")
    press(page, "Enter")
    every = saved(page, tmp_path / "all.json")
    assert [(a.group, a.verdict, a.kind, a.comment) for a in every.groups] == [
        (1, "malfunction", "dip", ""), (2, "normal", "", "as ever"), (3, "malfunction", "dip", ""),
    ]  # fmt: skip
    for answer, group in zip(every.groups, (first, second, third), strict=True):
        assert asked_of(answer) == group
    page.locator('.glance [data-group="3"] a').click()
    page.wait_for_url("**/part-2.html#group-3")
    assert verdict(page, 3) == "malfunction"
    page.goto((folder / "part-1.html").as_uri())
    assert asks == []  # all that was answered is in the file of the index
    assert not opened.complaints
    with chromium.new_context() as elsewhere:
        alone = elsewhere.new_page()
        Opened(alone, folder / "index.html")
        alone.locator("#bar [name=saved]").set_input_files([tmp_path / "part-1.json", tmp_path / "all.json"])
        expect(alone.locator("#bar .done")).to_have_text("3 of 4 answered")
        assert alone.evaluate(CLIPPED) == []
    tsclust.labels_import(four_kinds_workspace.root, [tmp_path / "all.json"])
    assert set(labels(four_kinds_workspace)["group"]) == {1, 2, 3}


def asked_of(answer: GroupAnswer) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in GroupAsked.model_fields}


def saved(page: Page, path: Path) -> Answers:
    with page.expect_download() as download:
        page.locator("#bar [data-save]").click()
    download.value.save_as(path)
    return read(path)
