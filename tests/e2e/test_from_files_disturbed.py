"""extract --from, disturbed: files that are added or shuffled, kills, a full disk; memory, and real recordings."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.file_tables import (
    INT,
    TEXT,
    Table,
    array_table,
    as_csv,
    as_parquet,
    extracted,
    long_table,
    read,
    same,
)
from tests.support.workspaces import hashes, new_workspace
from tsclust.errors import SettingsError


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    """A workspace with an earlier extraction."""
    return extracted(tmp_path / "ws", as_csv(array_table("x", INT, range(9)), tmp_path / "0.csv"))


# The same bytes


def test_bytes_depend_neither_on_the_order_of_rows_nor_on_how_many_files_there_are(tmp_path: Path) -> None:
    for table in (long_table(300), array_table("a", INT, range(300))):
        one, ten, folder = tmp_path / f"1{table.name}.csv", tmp_path / f"10{table.name}.csv", tmp_path / table.name
        folder.mkdir()
        rows = random.Random(2).sample(table.rows, len(table.rows))
        as_csv(table, one)
        as_csv(table, ten, sorted(rows, key=lambda row: row[0]))
        for i in range(10):
            as_csv(table, folder / f"part-{i}.csv", rows[i::10])
        roots = [extracted(tmp_path / f"ws {p.name}", p, part_rows=100) for p in (one, ten, folder)]
        assert same(read(roots[0]), table.series)
        assert hashes(roots[0], "series") == hashes(roots[1], "series") == hashes(roots[2], "series")


def test_parts_have_about_as_many_series_as_asked(tmp_path: Path) -> None:
    table = array_table("a", INT, range(5_000))
    root = extracted(tmp_path / "ws", as_parquet(table, tmp_path / "x.parquet"), part_rows=1_000)
    *sizes, last = (pq.read_metadata(p).num_rows for p in sorted((root / "series").glob("*.parquet")))
    assert all(1_000 <= n <= 1_060 for n in sizes)
    assert last == 5_000 - sum(sizes) <= 1_000
    assert same(read(root), table.series)


# What is new


@pytest.mark.parametrize(
    "make", [lambda: array_table("a", TEXT, [f"{i:03}" for i in range(300)]), lambda: long_table(300)]
)
def test_update_adds_unknown_ids_as_new_parts_and_touches_no_old_one(tmp_path: Path, make: Callable[[], Table]) -> None:
    table, folder = make(), tmp_path / "data"
    folder.mkdir()
    known = set(list(table.series)[::2])
    as_csv(table, folder / "1.csv", [row for row in table.rows if row[0] in known])
    root = extracted(tmp_path / "ws", folder, part_rows=50)
    source = {"source": {"files": str(folder), "part_rows": 50}}
    before = {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in (root / "series").glob("part-*")}
    assert tsclust.extract(root, source, update=True).skipped
    as_csv(table, folder / "2.csv", [row for row in table.rows if row[0] not in known])
    updated = tsclust.extract(root, source, update=True)
    assert updated.facts
    assert (updated.facts["rows"], updated.facts["new"]) == (300, 150)
    after = {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in (root / "series").glob("part-*")}
    assert before.items() < after.items()
    assert same(read(root), table.series)
    with pytest.raises(SettingsError, match=r"other \[source\] settings"):
        tsclust.extract(root, {"source": {"files": str(folder / "2.csv"), "part_rows": 50}}, update=True)


# Disturbed


def started(root: Path, path: Path, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tsclust", "extract", "-w", str(root), "--from", str(path)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=before,
    )  # fmt: skip


def long_csv(path: Path, series: int, length: int, note: int = 1) -> Path:
    """Each series' rows lie all over the file."""
    idx, ids = (a.ravel() for a in np.mgrid[0:length, 0:series])
    pl.DataFrame({"id": ids, "idx": idx, "value": ids + idx / 64, "note": "x" * note}).write_csv(path)
    return path


def test_killed_while_it_reads_it_starts_over_and_leaves_nothing(tmp_path: Path) -> None:
    path, root = long_csv(tmp_path / "x.csv", 8_000, 40), new_workspace(tmp_path / "ws", "[source]\npart_rows = 40")
    for sign in ("spill.arrow", "part-00000.parquet", "part-00050.parquet"):
        process = started(root, path)
        while process.poll() is None and not (root / ".series.partial" / sign).exists():
            time.sleep(0.001)
        process.kill()
        process.communicate()
        assert (root / ".series.partial").exists()
        assert not (root / "series").exists()
    process = started(root, path)
    assert process.communicate()[1] == ""
    assert sorted(p.name for p in root.iterdir()) == [".tsclust.lock", "history", "series", "tsclust.toml"]
    parts = sorted(p.name for p in (root / "series").iterdir() if p.name != "manifest.json")
    assert parts == [f"part-{i:05d}.parquet" for i in range(len(parts))]
    assert read(root) == {i: ("x", [i + j / 64 for j in range(40)]) for i in range(8_000)}


def test_a_full_disk_is_one_line_and_loses_nothing(ws: Path, tmp_path: Path) -> None:
    before = hashes(ws, "series")
    path = long_csv(tmp_path / "x.csv", 1_000, 50)
    for limit in (20_000, 1_000_000):  # bytes that a file may have: too few for what waits on disk

        def full(limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        process = started(ws, path, full)
        _, told = process.communicate()
        assert process.returncode == 11, told
        assert told.count("\n") == 1
        assert "no space left" in told
        assert hashes(ws, "series") == before
        assert not list(ws.glob(".*.new"))
        assert not (ws / ".series.partial").exists()


PEAK = """
import sys, pathlib, tsclust
tsclust.extract(pathlib.Path(sys.argv[1]), {"source": {"files": sys.argv[2], "part_rows": 5000, "carry": []}})
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Peaks of one file differ by about 100 MB, as blocks are read ahead; the files differ by 500."""
    peaks, sizes = [], []
    for series in (80_000, 240_000):
        path, root = (
            long_csv(tmp_path / f"{series}.csv", series, 50, note=40),
            new_workspace(tmp_path / str(series), ""),
        )
        environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}
        command = [sys.executable, "-c", PEAK, str(root), str(path)]
        peaks.append(int(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout))
        sizes.append(path.stat().st_size // 1024)
        assert sum(pq.read_metadata(p).num_rows for p in root.glob("series/*.parquet")) == series
    assert peaks[1] - peaks[0] < 0.4 * (sizes[1] - sizes[0]), (peaks, sizes)  # kB


# Real


def test_real_recordings_in_parquet_go_through(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted(shared_data.rglob("*.parquet"))
    assert paths
    for i, path in enumerate(paths):
        table = pq.read_table(path)
        root = extracted(tmp_path / str(i), path)
        got = pl.concat(pl.read_parquet(p) for p in sorted((root / "series").glob("*.parquet")))
        wanted = pl.DataFrame(table.select([*(n for n in table.schema.names if n != "values"), "values"]))
        assert got.columns == wanted.columns
        if "date" in wanted.columns:  # a text in the file, all of it times
            wanted = wanted.with_columns(pl.col("date").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us"))
        assert got.sort("series_id").equals(wanted.sort("series_id"))
        assert tsclust.features(root).facts["rows"] == table.num_rows
