"""What it costs that a power cut leaves the last good stage: each stage with and without fsync, for docs/benchmarks.md.

python bench/durable.py [--series N] [--runs N] [--folder DIR]

Synthetic cycles in a Parquet file go through `extract`, `features`, `cluster` and `report`, each of them in turn as it
is and with an fsync that does nothing; what one run left to write is written before the next begins. DIR is on the disk
that is measured. Medians of the runs, and their ratio; and how long the main thread waited in fsync, of which a busy
machine does not change much.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pyarrow.parquet as pq

import tsclust
from tsclust.simulation import machines

Costs = dict[tuple[str, str], list[float]]  # stage, what -> seconds
SYNCED, NOT, WAITED = "synced", "not", "waited"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=said.folder) as folder:
        print_table(measured(Path(folder), said.series, said.runs))


def measured(folder: Path, series: int, runs: int) -> Costs:
    """The seconds of each stage; the first round only warms up."""
    costs: Costs = defaultdict(list)
    tsclust.init(folder / "ws")
    with pq.ParquetWriter(folder / "cycles.parquet", machines.SCHEMA) as writer:
        for batch, _ in machines.make(series, 1):
            writer.write_batch(batch)
    for number in range(runs + 1):
        for name, stage in _stages(folder, number).items():
            for synced in ((True, False), (False, True))[number % 2]:  # side by side, each way as often first
                with patch("os.fsync", Waiting(os.fsync) if synced else Waiting(lambda _: None)) as fsync:
                    costs[name, SYNCED if synced else NOT].append(_seconds(stage))
                    costs[name, WAITED] += [fsync.taken()] if synced else []
    return {key: seconds[1:] for key, seconds in costs.items()}


class Waiting:
    """Another fsync, and how long the main thread was in it."""

    def __init__(self, fsync: Callable[[int], None]) -> None:
        self._fsync, self._seconds = fsync, 0.0

    def __call__(self, number: int) -> None:
        began = time.perf_counter()
        self._fsync(number)
        if threading.current_thread() is threading.main_thread():
            self._seconds += time.perf_counter() - began

    def taken(self) -> float:
        """Seconds since the last time."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds


def _stages(folder: Path, number: int) -> dict[str, Callable[[], object]]:
    """What to measure: each of them makes its stage again whenever it is called."""
    source = {"files": str(folder / "cycles.parquet")}
    other = itertools.count(2 * number)

    def features() -> object:
        return tsclust.features(folder / "ws", {"features": {"peak": ("max", "auto")[next(other) % 2]}})

    def cluster() -> object:
        return tsclust.cluster(folder / "ws", {"cluster": {"k": "2..12", "seed": next(other)}})

    return {
        "extract": lambda: tsclust.extract(folder / "ws", {"source": source}, strict=True),
        "features": features,
        "cluster, k = 2..12": cluster,
        "report": lambda: tsclust.report(folder / "ws"),
    }


def _seconds(stage: Callable[[], object]) -> float:
    os.sync()
    began = time.perf_counter()
    stage()
    return time.perf_counter() - began


def print_table(costs: Costs) -> None:
    print("| | seconds | without fsync | ratio | waited in fsync |\n| --- | --- | --- | --- | --- |")
    for name in dict.fromkeys(name for name, _ in costs):
        with_, without, waited = (statistics.median(costs[name, what]) for what in (SYNCED, NOT, WAITED))
        print(f"| {name} | {with_:.2f} | {without:.2f} | {with_ / without:.2f} | {waited:.2f} s |")


if __name__ == "__main__":
    main()
