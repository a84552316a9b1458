"""The report's page as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.report_workspace import lifelike, write
from tsclust.config import Report
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect, overview_figures


@pytest.mark.slow
def test_the_same_workspace_gives_the_same_bytes(tmp_path: Path) -> None:
    spaces = [write(tmp_path / name, lifelike()) for name in ("one", "two")]
    pages = [render(collect(ws, Report()), "en", overview_figures(ws, "en")) for ws in spaces]
    assert pages[0] == pages[1]
