"""Kinds found on machines made up anew, as a share of those that can be told at all: the measure of discovery.

python bench/discovery.py [--half tuning|held-back] [--only NAME ...] [--seeds N ...] [--series N] [--quick]
    [--keep FOLDER]

For each mechanism of bench/mechanisms.py, medians over the seeds: kinds that are told apart by one who knows the
answers (bench/oracle.py), the share of them found in 10, 20 and 40 looks without a baseline and with the machine's
column, how many of the real series the rules reject, and how many of the impossible they catch. Found: as in kinds.py;
what a rule rejects counts as not found. `--quick` sweeps on a smaller coreset, with fewer restarts; `--keep` keeps what
was made for the next time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import oracle
import polars as pl
from kinds import by_groups, within
from mechanisms import HELD_BACK, MECHANISMS, TUNING, made_up

import tsclust

SEEDS = {"tuning": (1, 2, 3), "held-back": tuple(range(101, 111))}
QUICK = {"coreset": 8_000, "restarts": 2}
HEAD = """\
| mechanism | kinds | of drawn | no column: 10, 20, 40 | machine: 10, 20, 40 | real rejected | impossible caught |
| --- | ---: | ---: | --- | --- | ---: | ---: |"""
HALVES = {"tuning": TUNING, "held-back": HELD_BACK}


@dataclass(frozen=True)
class Found:
    """Of one mechanism and seed: kinds drawn, those that count, shares of them found in 10, 20, 40 looks without and
    with the machine's column; shares of the real rejected and of the impossible caught."""

    drawn: int
    count: int
    alone: tuple[float, ...]
    by_machine: tuple[float, ...]
    rejected: float
    caught: float


def main() -> None:
    said = arguments()
    print(HEAD, flush=True)
    everything = []
    for name in said.only or HALVES[said.half]:
        found = [one_fleet(name, seed, said) for seed in said.seeds or SEEDS[said.half]]
        print(line(name, found), flush=True)
        everything += found
    print(line("median", everything))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=HALVES, default="tuning")
    parser.add_argument("--only", nargs="+", choices=MECHANISMS, metavar="NAME", help=", ".join(MECHANISMS))
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--series", type=int, default=30_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", type=Path)
    return parser.parse_args()


def one_fleet(name: str, seed: int, said: argparse.Namespace) -> Found:
    with tempfile.TemporaryDirectory() as scratch:
        folder = said.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        series, told = made(name, seed, said.series, folder)
        counted = sorted(kind for kind, precision in told.items() if precision >= oracle.ENOUGH)
        truth = pl.read_parquet(series, columns=["series_id", "label"]).rename({"label": "kind"})
        kinds = dict(truth.filter(pl.col("kind").is_in(counted))["kind"].value_counts().iter_rows())
        shares, rejects = [], (0.0, 0.0)
        for baseline in ([], ["machine"]):
            workspace = swept(Path(scratch) / f"ws{len(baseline)}", series, baseline, QUICK if said.quick else {})
            score = by_groups(workspace, truth, kinds)
            shares.append(tuple(found / max(len(kinds), 1) for found in within(score)))
            rejects = rejected(workspace, truth)
            missing = ", ".join(f"{kind} ({kinds[kind]}, {told[kind]:.2f})" for kind in score.missing)
            print(
                f"{name} {seed} {baseline}: {within(score)} of {len(kinds)}, missing {missing}",
                file=sys.stderr,
                flush=True,
            )
    return Found(len(told), len(kinds), shares[0], shares[1], *rejects)


def made(name: str, seed: int, series: int, folder: Path) -> tuple[Path, dict[str, float]]:
    """The file of series with their labels, and how well each kind can be told."""
    path = folder / f"{name}-{seed}-{series}.parquet"
    about = path.with_suffix(".json")
    if not about.exists():
        frame, kinds, _ = made_up(name, series, seed)
        frame.write_parquet(path)
        about.write_text(json.dumps(oracle.tellable(frame, [*kinds], seed)))
    return path, json.loads(about.read_text())


def swept(workspace: Path, series: Path, baseline: list[str], settings: dict[str, int]) -> Path:
    """A workspace with all stages up to the clusters; the label is no column that any of them sees."""
    tsclust.init(workspace)
    flags = {"source": {"files": str(series), "carry": baseline}, "cluster": {"baseline": baseline} | settings}
    for command in (tsclust.extract, tsclust.features, tsclust.cluster):
        command(workspace, flags)
    return workspace


def rejected(workspace: Path, truth: pl.DataFrame) -> tuple[float, float]:
    """Shares of the real and of the impossible series that the rules reject."""
    rows = pl.read_parquet(workspace / "features/part-*.parquet", columns=["series_id", "rejected_by"])
    rows = rows.join(truth, on="series_id").select(
        impossible=pl.col("kind").str.starts_with("impossible"), out=pl.col("rejected_by").is_not_null()
    )
    real, bad = (rows.filter(pl.col("impossible") == which)["out"].mean() for which in (False, True))
    return float(str(real)), float(str(bad))


def line(name: str, found: Iterable[Found]) -> str:
    """Medians over the seeds."""
    rows = [*found]
    shares = [median([row.alone for row in rows]), median([row.by_machine for row in rows])]
    cells = (
        f"{np.median([row.count for row in rows]):.0f}", f"{np.median([row.count / row.drawn for row in rows]):.0%}",
        *(" ".join(f"{share:.0%}" for share in both) for both in shares),
        f"{np.median([row.rejected for row in rows]):.1%}", f"{np.median([row.caught for row in rows]):.1%}",
    )  # fmt: skip
    return f"| {name} | {' | '.join(cells)} |"


def median(rows: list[tuple[float, ...]]) -> list[float]:
    return [float(x) for x in np.median(np.array(rows), axis=0)]


if __name__ == "__main__":
    main()
