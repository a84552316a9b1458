"""Every notebook runs on a real workspace, and holds what it showed on one."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import tsclust
from tsclust.simulation import expert, load

SEED = 5
LARGEST = 150_000  # bytes of a notebook with what it shows
OF_A_MACHINE = re.compile(r"(?<![\w.<:/])/(?:home|root|tmp|var|usr|opt|mnt|srv|Users|private)/|[A-Z]:\\\\|file://")
REPOSITORY = Path(__file__).parents[2]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_runs(path: Path, database: str, workspace_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load.fill(database, 2_000, SEED)
    tsclust.init(workspace_dir)
    flags = {"dsn": database, "source": {"table": "machine.cycles"}, "cluster": {"k": "2..6"}}
    list(tsclust.run(workspace_dir, flags))
    expert.prepare(workspace_dir, database, SEED)
    monkeypatch.setenv("TSCLUST_WORKSPACE", str(workspace_dir))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120).execute()
    shown = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert all(shown), "a cell shows nothing"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_holds_what_it_showed_and_nothing_of_when_and_where(path: Path) -> None:
    """`make notebooks` makes it so."""
    text = path.read_text(encoding="utf-8")
    cells = [cell for cell in nbformat.reads(text, as_version=4).cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in cells)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert {output.output_type for cell in cells for output in cell.outputs} <= {"execute_result", "display_data"}
    assert not any(cell.metadata for cell in cells)
    assert len(text.encode()) < LARGEST
    assert not OF_A_MACHINE.search(text)
    assert str(REPOSITORY) not in text
    assert "<script" not in text
