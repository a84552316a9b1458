"""A report of many groups stays small."""

from __future__ import annotations

import pytest

from tsclust.config import Report
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect, overview_figures
from tsclust.workspace.folder import Workspace


@pytest.mark.slow
def test_forty_groups_stay_below_three_megabytes(forty_groups: Workspace) -> None:
    page = render(collect(forty_groups, Report()), "ru", overview_figures(forty_groups, "ru"))
    assert len(page.encode()) < 3_000_000
