"""What the tests of tsclust labels import share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.report_workspace import four_kinds, write
from tsclust.simulation.expert import form_of
from tsclust.workspace.folder import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return write(tmp_path / "ws", four_kinds())


@pytest.fixture
def asked(workspace: Workspace) -> dict[str, Any]:
    """What a report about it asks: groups 1 to 4 (short, dip, high, long), and 5, the normal mass."""
    done = tsclust.report(workspace.root, {"report": {"charts": False}})
    return form_of(done.wrote)


def labels(workspace: Workspace) -> pl.DataFrame:
    return pl.read_parquet(workspace.root / "labels" / "labels.parquet")


def given(workspace: Workspace) -> set[tuple[int, str, str]]:
    """(series_id, labeller, kind) of all labels."""
    return set(labels(workspace).select("series_id", "labeller", "kind").rows())


def of(name: str) -> list[int]:
    """The series that a group was made of."""
    return [m.series_id for m in four_kinds() if m.group == name]


def content(workspace: Workspace) -> dict[str, bytes]:
    folder = workspace.root / "labels"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
