"""The files that tsclust report writes, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import tsclust
from tests.support.pages import CLIPPED, Opened
from tests.support.report_workspace import lifelike, write
from tsclust.errors import SettingsError
from tsclust.simulation.expert import form_of
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
    assert "отправьте все" in page.locator(".steps li").first.inner_text()
    expect(page.locator("#bar .progress")).to_be_hidden()  # nothing on this page is asked
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
