"""A workspace whose groups were answered, and the labels that it holds."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.report_workspace import four_kinds, write
from tsclust.simulation.expert import answered, form_of, put
from tsclust.workspace.folder import Workspace


@dataclass(frozen=True)
class Steps:
    """Folders of one workspace: swept; with a report; with labels of two labellers. For copies."""

    swept: Path
    reported: Path
    disputed: Path


@pytest.fixture(scope="session")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Steps:
    folder = tmp_path_factory.mktemp("four-kinds")
    swept = write(folder / "swept" / "ws", four_kinds()).root
    reported = Path(shutil.copytree(swept, folder / "reported" / "ws"))
    page = tsclust.report(reported, {"report": {"charts": False}}).wrote
    assert page
    disputed = Path(shutil.copytree(reported, folder / "disputed" / "ws"))
    said: dict[str, dict[str, Any]] = {
        "A": {"1": "x", "2": "y"},
        "B": {"1": "x", "2": {"kind": "z", "comment": '=cmd|"x"\x1b[2J'}},
    }
    files = [put(folder / f"{who}.json", answered(form_of(page), who, given)) for who, given in said.items()]
    tsclust.labels_import(disputed, files)
    return Steps(swept, reported, disputed)


@pytest.fixture
def four_kinds_workspace(steps: Steps, tmp_path: Path) -> Workspace:
    return Workspace.open(Path(shutil.copytree(steps.swept, tmp_path / "ws")))


@pytest.fixture
def asked_form(steps: Steps, four_kinds_workspace: Workspace) -> dict[str, Any]:
    """What a report about it asks: groups 1 to 4 (short, dip, high, long), and 5, the normal mass."""
    shutil.copytree(steps.reported, four_kinds_workspace.root, dirs_exist_ok=True)
    return form_of(four_kinds_workspace.reports / "report.html")


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
def disputed(steps: Steps, tmp_path: Path) -> Workspace:
    """Two labellers who agree about group 1 and not about group 2."""
    return Workspace.open(Path(shutil.copytree(steps.disputed, tmp_path / "ws")))
