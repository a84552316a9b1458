"""Files that change while they are read: nothing of them is believed, and the last good series/ stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import tsclust
from tests.support.workspaces import hashes, new_workspace
from tsclust.engine.base import Progress
from tsclust.errors import SourceFileError


def _replaced(path: Path) -> None:
    beside = path.with_name("other")
    beside.write_bytes(path.read_bytes())
    beside.replace(path)


def _rewritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"7")


def _appended(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"9,9,9\n")


CHANGES: dict[str, Callable[[Path], object]] = {
    "appended": _appended,
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "emptied": lambda path: path.write_bytes(b""),
    "replaced": _replaced,
    "rewritten": _rewritten,
    "removed": lambda path: path.unlink(),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet", "folder"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, kind: str, change: str) -> None:
    rows = pl.DataFrame({"series_id": [i // 20 for i in range(20_000)], "t": [i % 20 for i in range(20_000)], "v": 0.5})
    path = tmp_path / "data" / ("b.csv" if kind == "csv" else "b.parquet")
    path.parent.mkdir()
    rows.write_csv(path) if kind == "csv" else rows.write_parquet(path)
    source = {"files": str(path.parent if kind == "folder" else path)}
    root = new_workspace(tmp_path / "ws", "[source]\npart_rows = 400\n")
    tsclust.extract(root, {"source": source})
    before, changed = hashes(root, "series"), list[str]()

    def listen(progress: Progress) -> None:
        if progress.stage == "extract: reading" and not changed:
            changed.append(change)
            CHANGES[change](path)

    with pytest.raises(SourceFileError, match=r"b\.(csv|parquet) was changed while it was read"):
        tsclust.extract(root, {"source": {**source, "part_rows": 300}}, listen)
    assert changed
    assert hashes(root, "series") == before
