"""`labels import`, `train` and `score` on a million series, as a table for docs/benchmarks.md.

python bench/score.py [--series N] [--runs N]

The cycles of the demo get their labels from an expert who knows the truth (tsclust/simulation/expert.py) and answers
the whole report; a classifier learns from them. `score --table` then reads, describes and classifies as many series
from PostgreSQL: those of the plant, and those of another seed, whose machines are all others: no series there is
plain, each is asked about. The limit, in turn with it: `extract` and `features` alone, of the same table. Each is a
process of its own; medians of the runs, and the highest peak.

python bench/score.py --calls MODEL SERIES.parquet: milliseconds of a call of `tsclust.Scorer` for 1, 100 and 10,000
series after warming up. On one core: POLARS_MAX_THREADS=1 OPENBLAS_NUM_THREADS=1 taskset -c 0 python bench/score.py ...
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import tsclust
from tsclust.embedded_postgres import server
from tsclust.simulation import load
from tsclust.simulation.expert import answered, form_of, put, said_of
from tsclust.simulation.load import truth_of
from tsclust.workspace.folder import Workspace

TABLE = "machine.cycles"
Cost = tuple[float, float]  # seconds of the whole process, peak MB of it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--calls", nargs=2, metavar=("MODEL", "SERIES"))
    said = parser.parse_args()
    if said.calls:
        print_calls(*map(Path, said.calls))
        return
    costs = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "plant"
        with server.running(root / ".postgres") as running:
            os.environ["TSCLUST_DSN"] = running.dsn
            for name, cost in measured(root, running.dsn, said.series, said.runs):
                costs[name].append(cost)
    print("\n| what | seconds | peak MB |\n| --- | ---: | ---: |")
    for name, many in costs.items():
        print(f"| {name} | {statistics.median(s for s, _ in many):.1f} | {max(mb for _, mb in many):.0f} |")


def print_calls(model: Path, series: Path) -> None:
    """Medians and the best of the calls of a Scorer."""
    table, scorer = pq.read_table(series), tsclust.Scorer.open(model)
    print(f"{scorer.model.facts.classifier}\n\n| series a call | median ms | best ms |\n| ---: | ---: | ---: |")
    for rows in (1, 100, 10_000):
        some = table.take(np.arange(rows) % table.num_rows)
        costs = [_call(scorer, some) for _ in range(20 + 1_000 // max(rows // 10, 1))]
        print(f"| {rows:,} | {1e3 * statistics.median(costs[10:]):.2f} | {1e3 * min(costs[10:]):.2f} |")


def _call(scorer: tsclust.Scorer, table: pa.Table) -> float:
    began = time.perf_counter()
    scorer.score(table)
    return time.perf_counter() - began


def measured(root: Path, dsn: str, series: int, runs: int) -> Iterator[tuple[str, Cost]]:
    told("demo", "-w", root, "--series", series)
    workspace, truth = Workspace.open(root), truth_of(dsn)
    told("report", "-w", root, "--no-charts", "--name", "asked", "--all")
    form = form_of(workspace.reports / "asked.html")
    answers = put(root / "answers.json", answered(form, "expert", said_of(workspace, form["groups"], truth)))
    for _ in range(runs):
        for stage in ("labels", "model"):  # else all but the first would be up to date
            shutil.rmtree(root / stage, ignore_errors=True)
        yield "`labels import`", told("labels", "import", answers, "-w", root)
        yield "`train`", told("train", "-w", root)
        yield "`score` of the workspace's own series", told("score", "-w", root)
    print(f"{pl.read_parquet(root / 'labels' / 'labels.parquet').height:,} labels")
    for _ in range(runs):
        yield (
            "`score --table`: as many series of the same plant from PostgreSQL",
            told("score", "-w", root, "--table", TABLE),
        )
    load.fill(dsn, series, 2)
    for _ in range(runs):
        yield (
            "`score --table`: of a plant in which all machines are others",
            told("score", "-w", root, "--table", TABLE),
        )
        yield "`extract` and `features` alone, of the same table", alone(root.parent / "alone")


def alone(root: Path) -> Cost:
    shutil.rmtree(root, ignore_errors=True)
    told("init", "-w", root, "--table", TABLE, "--baseline", "machine_id", "--baseline", "direction")
    first, then = told("extract", "-w", root), told("features", "-w", root)
    return first[0] + then[0], max(first[1], then[1])


def told(*command: object) -> Cost:
    """`tsclust` with these arguments."""
    began = time.perf_counter()
    words = [sys.executable, "-m", "tsclust", *map(str, command), "--json"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    return seconds, max(json.loads(line)["peak_mb"] for line in done.stdout.splitlines())


if __name__ == "__main__":
    main()
