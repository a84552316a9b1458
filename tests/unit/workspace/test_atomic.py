"""Files that appear whole or not at all: what is left of those that never did."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tsclust.workspace import parquet
from tsclust.workspace.atomic import beside_of, remove_unfinished
from tsclust.workspace.parquet import write_part


def test_what_never_took_its_name_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = [tmp_path / "part-0.parquet", tmp_path / "below" / "part-0.rows", tmp_path / "below" / "own.txt"]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.write_text("whole", encoding="utf-8")
        for _ in range(2):  # two who were killed at the same part
            beside_of(path).write_text("ha", encoding="utf-8")
    remove_unfinished(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
    assert {path.read_text(encoding="utf-8") for path in kept} == {"whole"}


def test_what_a_part_leaves_that_is_killed_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(parquet, "sync", killed)
        with pytest.raises(KeyboardInterrupt):
            write_part(tmp_path, "part-0.parquet", pa.table({"x": [1]}))
    (left,) = tmp_path.iterdir()
    assert left.name != "part-0.parquet"
    write_part(tmp_path, "part-0.parquet", pa.table({"x": [1]}))
    remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["part-0.parquet"]
