"""The page of labels review: what is answered on it becomes labels."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
from playwright.sync_api import Page, expect

import tsclust
from tests.support.answer_page import press, read
from tests.support.pages import CLIPPED, Opened
from tests.support.plant import Reviewed
from tsclust.simulation.expert import form_of
from tsclust.workspace.folder import Workspace


def test_the_report_s_answers_become_labels(page: Page, reviewed: Reviewed, tmp_path: Path) -> None:
    workspace = Workspace.open(Path(shutil.copytree(reviewed.workspace.root, tmp_path / "ws")))
    path = workspace.reports / "review.html"
    opened = Opened(page, path)
    form = form_of(path)
    ids = [int(group["series_id"]) for group in form["groups"]]
    assert len(ids) == 6
    expect(page.locator("#bar .done")).to_have_text("0 of 6 answered")
    assert page.evaluate(CLIPPED) == []
    kinds = dict(reviewed.truth.iter_rows())
    for n, series_id in enumerate(ids[:2], start=1):
        page.locator(f"#group-{n} .quick button", has_text=f"It is “{kinds[series_id]}”").click()
    page.locator("#group-3 .mini").nth(2).click()
    expect(page.locator("#large .mark")).to_be_hidden()
    press(page, "Delete", "ArrowRight", "Escape")
    page.locator("#bar [name=labeller]").fill("Vera")
    with page.expect_download() as download:
        press(page, "Control+s")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    answers = read(file)
    assert (answers.groups, [int(one.series_id) for one in answers.series]) == ((), ids[:2])
    assert opened.is_quiet()
    tsclust.labels_import(workspace.root, [file])
    labels = pl.read_parquet(workspace.root / "labels" / "labels.parquet")
    vera = labels.filter(pl.col("labeller") == "Vera")
    assert dict(vera.select("series_id", "kind").iter_rows()) == {i: kinds[i] for i in ids[:2]}
