"""A stage names the one that it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

import tsclust
from tests.support.workspaces import new_workspace
from tsclust.errors import NotAWorkspaceError, StageMissingError


def test_stages_before_their_input(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkspaceError, match="tsclust init -w"):
        tsclust.status(tmp_path)
    root = new_workspace(tmp_path / "ws")
    for command, made_by in (
        ("features", "extract"),
        ("filter", "extract"),  # there is nothing yet that features could be of
        ("cluster", "extract"),
        ("report", "cluster"),
    ):
        with pytest.raises(StageMissingError, match=f"Run: tsclust {made_by}"):
            getattr(tsclust, command)(root)
