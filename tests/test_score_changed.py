"""score on a machine that has changed: it is named, and since when."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl

import tsclust
from tests.labelled import cycles, described, kept, label


def changed(table: pl.DataFrame, machine: str, month: int) -> pl.DataFrame:
    """From that month on everything of one machine is half as high again."""
    mine = (pl.col("machine_id") == machine) & (pl.col("recorded_at").dt.month() >= month)
    higher = pl.col("values").list.eval(pl.element() * 1.5)
    return table.with_columns(values=pl.when(mine).then(higher).otherwise("values"))


def test_a_machine_that_has_changed_is_named_and_since_when(tmp_path: Path) -> None:
    """Six machines with some 60 series a month each."""
    path, truth = cycles(tmp_path, 300_000)
    table = pl.read_parquet(path)
    machines = table["machine_id"].unique().sort().head(6)
    few = table.filter(pl.col("machine_id").is_in(machines.implode()))
    few.write_parquet(tmp_path / "few.parquet")
    workspace = described(tmp_path / "few", tmp_path / "few.parquet")
    label(workspace, kept(workspace, truth).select("series_id", "kind"))
    tsclust.train(workspace.root)
    changed(few, machines[2], 7).write_parquet(tmp_path / "new.parquet")
    command = [sys.executable, "-m", "tsclust", "score", "-w", str(workspace.root), "--check"]
    done = subprocess.run([*command, "--json", "--from", str(tmp_path / "new.parquet")], capture_output=True, text=True)
    assert done.returncode == 17
    assert done.stderr.count("\n") == 1
    assert "are not what they were" in done.stderr
    drift = json.loads(done.stdout)["facts"]["drift"]
    (one,) = (c for c in drift["changed"] if c["machine"] is not None)
    assert (one["machine"], one["since"][-3:]) == (machines[2], "-07")
    assert {"side_mean", "peak_height", "p50"} & {shift["feature"] for shift in one["shifts"]}
    assert subprocess.run(command, capture_output=True).returncode == 0
