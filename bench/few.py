"""Kinds of six series each among few: how many groups are proposed, and how many of the kinds are found in them.

python bench/few.py [--series N ...] [--seeds N ...] [--each 6]

press and valve of machines.py without a baseline. Found: as in kinds.py, groups that are at least half of a kind hold
at least half of it. A table of means over the seeds.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from kinds import by_groups
from machines import MACHINES

import tsclust

MADE = 30_000  # recordings that those of each kind are taken from
HEAD = """\
| series | machine | kinds | groups | of fewer than 5 | series in two | found in 10 | found |
| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


def main() -> None:
    said = arguments()
    print(HEAD)
    for series in said.series:
        for machine in MACHINES:
            found = np.array([one(machine, series, seed, said.each) for seed in said.seeds])
            cells = " | ".join(f"{x:.1f}" for x in found.mean(axis=0))
            print(f"| {series:,} | {machine} | {cells} |", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", nargs="+", type=int, default=[120, 200, 600, 1_500])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--each", type=int, default=6, help="series of each kind")
    return parser.parse_args()


def one(machine: str, series: int, seed: int, each: int) -> tuple[float, ...]:
    """Kinds, groups proposed, those of fewer than five, series in more than one, kinds found in 10 looks and in all."""
    with tempfile.TemporaryDirectory() as folder:
        frame, kinds = few(machine, series, seed, each)
        path, workspace = Path(folder) / "series.parquet", Path(folder) / "ws"
        frame.drop("label").write_parquet(path)
        tsclust.init(workspace)
        flags = {"source": {"files": str(path), "carry": []}}
        for command in (tsclust.extract, tsclust.features, tsclust.cluster):
            command(workspace, flags)
        truth = frame.select("series_id", kind="label")
        found = sorted(by_groups(workspace, truth, dict.fromkeys(kinds, each)).found.values())
        groups = pl.read_parquet(workspace / "clusters/groups.parquet").filter("proposed")
        small = len(groups.filter(pl.col("size") < 5))
        first = sum(look <= 10 for look in found)
        return len(kinds), len(groups), small, twice(workspace, groups), first, len(found)


def few(machine: str, series: int, seed: int, each: int) -> tuple[pl.DataFrame, list[str]]:
    """(so many series, `each` of every kind and the rest normal; the kinds)."""
    made, kinds, _ = MACHINES[machine](MADE, seed)
    wanted = dict.fromkeys(kinds, each) | {"normal": series - each * len(kinds)}
    parts = [made.filter(pl.col("label") == kind).head(count) for kind, count in wanted.items()]
    return pl.concat(parts).select("series_id", "label", "values").sort("series_id"), [*kinds]


def twice(workspace: Path, groups: pl.DataFrame) -> int:
    """Series that are in more than one of the groups."""
    rows = pl.read_parquet(workspace / "clusters/assignments/*.parquet")
    inside = [rows[f"k{k:02d}"] == cluster for k, cluster in groups.select("k", "cluster").iter_rows()]
    return int((np.sum([one.to_numpy() for one in inside], axis=0) > 1).sum())


if __name__ == "__main__":
    main()
