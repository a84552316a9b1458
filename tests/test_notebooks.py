"""Every notebook runs on a real workspace."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import tsclust
from tsclust.demo import load

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_runs(path: Path, database: str, workspace_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load.fill(database, 2_000, 5)
    tsclust.init(workspace_dir)
    flags = {"dsn": database, "source": {"table": "machine.cycles"}, "cluster": {"k": "2..6"}}
    list(tsclust.run(workspace_dir, flags))
    monkeypatch.setenv("TSCLUST_WORKSPACE", str(workspace_dir))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120).execute()
    shown = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert all(shown), "a cell shows nothing"
