"""What the tests of answering on a page share: what is done there, what it says, and files of answers to open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.report_workspace import four_kinds, write
from tsclust.config import Report
from tsclust.stages.labels.answers import Answers, checksum
from tsclust.stages.reports.data import ReportData
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect
from tsclust.stages.reports.html.form import form


@pytest.fixture(scope="session")
def four_kinds_data(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    folder = tmp_path_factory.mktemp("answering")
    return collect(write(folder / "ws", four_kinds(), baseline=["machine"]), Report())


@pytest.fixture(scope="session")
def four_kinds_page(four_kinds_data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("answering") / "plant.html"
    path.write_text(render(four_kinds_data, "en", name="plant"), encoding="utf-8")
    return path


def read(path: Path) -> Answers:
    """The answers in a file, which must be whole."""
    body = json.loads(path.read_text(encoding="utf-8"))
    assert checksum({key: value for key, value in body.items() if key != "checksum"}) == body["checksum"]
    return Answers.model_validate(body)


def said(page: Page) -> str:
    return page.locator("#bar .said").inner_text()


def verdict(page: Page, group: int) -> str | None:
    found: str | None = page.evaluate(f"document.querySelector('#group-{group} input:checked')?.value ?? null")
    return found


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def asked(group: Any) -> dict[str, Any]:
    """How a file names a group."""
    names = ("within", "k", "cluster", "size")
    return {"group": group.number, "members_hash": group.fingerprint} | {name: getattr(group, name) for name in names}


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
