"""tsclust report: how many files, what they ask, and --open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tsclust
from tsclust.simulation.expert import form_of
from tsclust.workspace.folder import Workspace


def test_a_few_groups_stay_in_one_file(four_kinds_workspace: Workspace) -> None:
    assert (
        tsclust.report(four_kinds_workspace.root, {"report": {"split": 4}}).wrote
        == four_kinds_workspace.reports / "report.html"
    )


@pytest.mark.slow
def test_a_report_in_another_language_asks_the_same(four_kinds_workspace: Workspace) -> None:
    asked = [
        form_of(tsclust.report(four_kinds_workspace.root, {"report": r}).wrote)
        for r in ({}, {"lang": "ru", "title": "x"})
    ]
    assert asked[0] == asked[1]


@pytest.mark.slow
def test_open_opens_it(four_kinds_workspace: Workspace, tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    command = [
        sys.executable,
        "-m",
        "tsclust",
        "report",
        "-w",
        str(four_kinds_workspace.root),
        "--open",
        "--group",
        "1",
    ]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"BROWSER": f"{browser} %s"})
    assert opened.read_text().strip() == (four_kinds_workspace.reports / "group-1.html").as_uri()
