"""A workspace whose groups were answered, and the labels that it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.report_workspace import four_kinds, write
from tsclust.simulation.expert import answered, form_of, put
from tsclust.workspace.folder import Workspace


@pytest.fixture
def four_kinds_workspace(tmp_path: Path) -> Workspace:
    return write(tmp_path / "ws", four_kinds())


@pytest.fixture
def asked_form(four_kinds_workspace: Workspace) -> dict[str, Any]:
    """What a report about it asks: groups 1 to 4 (short, dip, high, long), and 5, the normal mass."""
    done = tsclust.report(four_kinds_workspace.root, {"report": {"charts": False}})
    assert done.wrote
    return form_of(done.wrote)


def labels(workspace: Workspace) -> pl.DataFrame:
    return pl.read_parquet(workspace.root / "labels" / "labels.parquet")


def given(workspace: Workspace) -> set[tuple[int, str, str]]:
    """(series_id, labeller, kind) of all labels."""
    return set(labels(workspace).select("series_id", "labeller", "kind").rows())


def of(name: str) -> list[int]:
    """The series that a group was made of."""
    return [int(m.series_id) for m in four_kinds() if m.group == name]


def content(workspace: Workspace) -> dict[str, bytes]:
    folder = workspace.root / "labels"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def disputed(tmp_path: Path) -> Workspace:
    """Two labellers who agree about group 1 and not about group 2."""
    workspace = write(tmp_path / "ws", four_kinds())
    page = tsclust.report(workspace.root).wrote
    assert page
    form = form_of(page)
    said: dict[str, dict[str, Any]] = {
        "A": {"1": "x", "2": "y"},
        "B": {"1": "x", "2": {"kind": "z", "comment": '=cmd|"x"\x1b[2J'}},
    }
    files = [put(tmp_path / f"{who}.json", answered(form, who, given)) for who, given in said.items()]
    tsclust.labels_import(workspace.root, files)
    return workspace
