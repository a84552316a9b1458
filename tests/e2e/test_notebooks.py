"""Every notebook runs on a real workspace, and holds what it showed on one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import tsclust
from tests.support.servers import new_database
from tsclust.embedded_postgres.server import Server
from tsclust.simulation import expert, load

SEED, K = 5, "2..6"
LARGEST = 150_000  # bytes of a notebook with what it shows
OF_A_MACHINE = re.compile(r"(?<![\w.<:/])/(?:home|root|tmp|var|usr|opt|mnt|srv|Users|private)/|[A-Z]:\\\\|file://")
REPOSITORY = Path(__file__).parents[2]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def prepared(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with what notebooks find: for reading."""
    root = tmp_path_factory.mktemp("notebooks") / "ws"
    with new_database(server.dsn, "notebooks") as dsn:
        load.fill(dsn, 2_000, SEED)
        tsclust.init(root)
        flags = {"dsn": dsn, "source": {"table": "machine.cycles"}, "cluster": {"k": K}}
        list(tsclust.run(root, flags))
        expert.prepare(root, dsn, SEED)
    return root


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_runs(path: Path, prepared: Path, workspace_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(prepared, workspace_dir)
    monkeypatch.setenv("TSCLUST_WORKSPACE", str(workspace_dir))
    monkeypatch.setenv("TSCLUST_CLUSTER__K", K)  # what it groups anew, as well
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
