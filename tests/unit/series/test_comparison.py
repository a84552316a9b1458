"""extract --compare: what is new, gone or changed in the source, by a reading of all of it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.series import machine_cycles
from tsclust.errors import SettingsError


@pytest.fixture
def plant(tmp_path: Path) -> tuple[Path, Path]:
    """(workspace, its file of 200 cycles)."""
    path = tmp_path / "in.parquet"
    pq.write_table(machine_cycles()[0].slice(0, 200), path)
    tsclust.init(tmp_path / "ws", files=str(path))
    tsclust.extract(tmp_path / "ws")
    return tmp_path / "ws", path


def test_nothing_has_changed(plant: tuple[Path, Path]) -> None:
    done = tsclust.extract(plant[0], comparing=True)
    assert done.facts is not None
    assert [done.facts[name] for name in ("source_rows", "new", "gone", "changed")] == [200, 0, 0, 0]
    assert done.wrote is None


def test_new_gone_and_changed_series_are_named(plant: tuple[Path, Path]) -> None:
    root, path = plant
    cycles = pl.DataFrame(machine_cycles()[0].slice(5, 205))
    assert isinstance(cycles, pl.DataFrame)
    first = pl.int_range(pl.len()) == 0
    cycles = cycles.with_columns(
        values=pl.when(first).then(pl.col("values").list.eval(pl.element() + 1)).otherwise("values")
    )
    pq.write_table(cycles.to_arrow().cast(pa.schema(machine_cycles()[0].schema)), path)
    files = {p: p.read_bytes() for p in (root / "series").iterdir()}
    done = tsclust.extract(root, comparing=True)
    assert done.facts is not None
    assert [done.facts[name] for name in ("source_rows", "new", "gone", "changed")] == [205, 10, 5, 1]
    assert done.facts["changed_ids"] == [cycles["series_id"][0]]
    assert {p: p.read_bytes() for p in (root / "series").iterdir()} == files
    assert not (root / ".comparing").exists()


def test_it_only_looks(plant: tuple[Path, Path]) -> None:
    with pytest.raises(SettingsError, match="--compare only looks"):
        tsclust.extract(plant[0], comparing=True, update=True)
