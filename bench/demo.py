"""Seconds and peak memory of each stage of `tsclust demo`, medians of several runs, as a table for docs/benchmarks.md.

python bench/demo.py [SERIES] [RUNS]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile

from machine import cores

STAGES = ("fill", "extract", "features", "cluster", "report")


def one_run(series: int) -> dict[str, tuple[float, float]]:
    """(seconds, peak MB) of each stage in a new workspace."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tsclust", "demo", "--json", "-w", folder, "--series", str(series)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    results = {r["command"]: r for r in map(json.loads, done.stdout.splitlines())}
    print(f"score: {len(results['score']['facts']['found'])} kinds found", file=sys.stderr)
    return {name: (results[name]["seconds"], results[name]["peak_mb"]) for name in STAGES}


def main(series: int = 1_000_000, runs: int = 3) -> None:
    many = [one_run(series) for _ in range(runs)]
    print(f"{series:,} series, median of {runs} runs, {cores()}\n")
    print("| stage | seconds | peak MB |\n| --- | ---: | ---: |")
    for name in STAGES:
        seconds, peaks = zip(*(run[name] for run in many), strict=True)
        print(f"| {name} | {statistics.median(seconds):.1f} | {max(peaks):.0f} |")
    total = statistics.median(sum(run[name][0] for name in STAGES[1:]) for run in many)
    print(f"| extract to report | {total:.1f} | {max(run[name][1] for run in many for name in STAGES[1:]):.0f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
