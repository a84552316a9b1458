"""Beside other methods: kinds of malfunction found in 10, 20 and 40 looks, by tsclust and by each of its peers.

python bench/rivals.py [--only NAME ...] [--fleets N] [--series N] [--quick] [--keep FOLDER]

The mechanisms of bench/mechanisms.py (those held back, then those looked at while tsclust was built), the cycles of
`tsclust demo`, press and valve of bench/machines.py, and two real sets: sums over the fleets of each. Each method gets
the same series, without those that a rule rejects, the same baseline columns, and 40 looks. A look is a group, found is
what kinds.py says.

catch22, MiniRocket   their features, less the baseline's median, standardized (MiniRocket's, of series stretched to one
                      length, as 24 principal components); K-means, k = 40, from the smallest cluster on
HDBSCAN, LOF, isolation forest, hierarchical mean shift
                      get tsclust's own features in robust deviations from the baseline, through arcsinh, as one wild
                      value would outweigh all others
HDBSCAN               at least 10 series a cluster, from the smallest on
LOF, isolation forest the 5 % that are farthest out by it, K-means of these, k = 40, by the mean score; LOF: the largest
                      of 10, 30 and 50 neighbours, as its paper has it
seen                  hierarchical mean shift (bench/mean_shift.py) shows one series at a time, and a kind is seen by
                      the first that is labelled; by a group of tsclust, when at least half of it is of the kind. Of
                      both its scores the better one counts. It gets 5,000 series that are no kind, as it would not end
                      on more, and all that are

Where something had to be chosen, the peer got what is better for it. `--quick`: one fleet of each, fewer series, a
smaller coreset with fewer restarts. Bold: more kinds than tsclust.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import discovery
import numpy as np
import oracle
import polars as pl
from ideas import SETS
from kinds import arguments, made, members_of_groups, real, within
from mechanisms import HELD_BACK, TUNING
from rival_methods import LOOKS, PEERS, Ints, Matrix, Shown, by_mean_shift

from tsclust.config import Cluster
from tsclust.simulation.recall import score
from tsclust.stages.clusters.scope import Scope, fit_scaler
from tsclust.stages.features.files import FeatureFiles
from tsclust.workspace.folder import Workspace

OTHERS = tuple(name for name in SETS if name != "cycles 2")
METHODS = ("tsclust", *PEERS, "tsclust, seen", "mean shift, seen")


@dataclass(frozen=True)
class Case:
    """One set of series.

    series    the file;  truth: series_id, kind;  kinds -> how many there are;  baseline: columns
    """

    series: Path
    truth: pl.DataFrame
    kinds: dict[str, int]
    baseline: list[str]


@dataclass(frozen=True)
class Row:
    """kinds there are; looks (methods, 3) how many are found in 10, 20 and 40; seconds (methods,) of a fleet."""

    kinds: int
    looks: Ints
    seconds: Matrix


def main() -> None:
    said = command_line()
    print(f"| series | kinds | {' | '.join(METHODS)} |\n| --- | ---: |{' --- |' * len(METHODS)}", flush=True)
    rows = []
    for name in said.only:
        if name in SETS and (file := arguments(None, SETS[name]).file) and not file.exists():
            print(f"{name}: {file} is not there", file=sys.stderr)
            continue
        rows.append(sum_of([measured(name, seed, said) for seed in seeds_of(name, said.fleets)]))
        print(line(name, rows[-1]), flush=True)
    print(line("sum", sum_of(rows)))
    seconds = np.median([row.seconds for row in rows], axis=0)
    print(f"| seconds of a fleet | | {' | '.join(f'{x:.0f}' for x in seconds)} |")


def command_line() -> argparse.Namespace:
    names = (*HELD_BACK, *TUNING, *OTHERS)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--fleets", type=int, help="of each that is made; 2, or 1 with --quick")
    parser.add_argument("--series", type=int, help="that are made; 20,000, or 6,000 with --quick")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", type=Path, help="where the fleets that were made are kept for the next time")
    said = parser.parse_args()
    said.series = said.series or (6_000 if said.quick else 20_000)
    said.fleets = said.fleets or (1 if said.quick else 2)
    return said


def seeds_of(name: str, fleets: int) -> tuple[int, ...]:
    """Those of discovery.py; of what is real there is one."""
    if name in SETS:
        return (1,) if arguments(None, SETS[name]).file else tuple(range(1, fleets + 1))
    return discovery.SEEDS["held-back" if name in HELD_BACK else "tuning"][:fleets]


def measured(name: str, seed: int, said: argparse.Namespace) -> Row:
    with tempfile.TemporaryDirectory() as scratch:
        case = case_of(name, seed, said, Path(scratch))
        looks, seconds = zip(*by_each(case, said.quick, seed, Path(scratch)), strict=True)
    row = Row(len(case.kinds), np.array(looks), np.array(seconds))
    print(line(f"{name} {seed}", row), file=sys.stderr, flush=True)
    return row


def sum_of(rows: Sequence[Row]) -> Row:
    seconds = np.median([row.seconds for row in rows], axis=0)
    return Row(sum(row.kinds for row in rows), np.sum([row.looks for row in rows], axis=0), seconds)


def line(name: str, row: Row) -> str:
    against = [row.looks[0]] * (1 + len(PEERS)) + [row.looks[-2]] * 2
    cells = [cell(looks, ours) for looks, ours in zip(row.looks, against, strict=True)]
    return f"| {name} | {row.kinds} | {' | '.join(cells)} |"


def cell(looks: Ints, ours: Ints) -> str:
    return ", ".join(f"**{n}**" if n > own else f"{n}" for n, own in zip(looks, ours, strict=True))


def case_of(name: str, seed: int, said: argparse.Namespace, root: Path) -> Case:
    if name in SETS:
        asked = arguments(None, [*SETS[name], "--series", str(said.series), "--seed", str(seed)])
        series, truth, counted = real(asked) if asked.file else made(asked, root)
        baseline = asked.baseline
    else:
        folder = said.keep or root
        folder.mkdir(exist_ok=True)
        series, told = discovery.made(name, seed, said.series, folder)
        truth = pl.read_parquet(series, columns=["series_id", "label"]).rename({"label": "kind"})
        counted, baseline = [kind for kind, precision in told.items() if precision >= oracle.ENOUGH], ["machine"]
    kinds = dict(truth.filter(pl.col("kind").is_in(counted))["kind"].value_counts().sort("kind").iter_rows())
    return Case(series, truth, kinds, baseline)


def by_each(case: Case, quick: bool, seed: int, root: Path) -> Iterator[tuple[list[int], float]]:
    """Kinds found in 10, 20 and 40 looks, and the seconds, of each of METHODS."""
    began = time.perf_counter()
    workspace = discovery.swept(root / "ws", case.series, case.baseline, discovery.QUICK if quick else {})
    ours, members = time.perf_counter() - began, members_of_groups(workspace, case.truth)
    yield within(score(members, case.kinds)), ours
    shown = given(workspace, case)
    for way in PEERS.values():
        began = time.perf_counter()
        yield way(shown, case.kinds, seed), time.perf_counter() - began
    yield seen(members, case.kinds), ours
    began = time.perf_counter()
    yield by_mean_shift(shown, case.kinds, seed), time.perf_counter() - began


def seen(members: pl.DataFrame, kinds: dict[str, int]) -> list[int]:
    """Kinds that are at least half of one of the first 10, 20 and 40 groups."""
    mostly = members.filter(pl.col("count") * 2 >= pl.col("count").sum().over("look"), pl.col("kind").is_in([*kinds]))
    return [mostly.filter(pl.col("look") <= n)["kind"].n_unique() for n in LOOKS]


def given(workspace: Path, case: Case) -> Shown:
    """In the order of the workspace."""
    files, asked = FeatureFiles.of(Workspace.open(workspace)), Cluster(baseline=tuple(case.baseline))
    scaler, scope = fit_scaler(files, asked), Scope.of(files)
    parts = [scope.read(path, files.clustered, case.baseline) for path in scope.paths]
    x, keys = np.concatenate([part.x for part in parts]), np.concatenate([part.keys for part in parts])
    ids = pl.DataFrame({"series_id": pl.concat([pl.Series(part.ids) for part in parts])})
    series = pl.read_parquet(workspace / "series/part-*.parquet", columns=["series_id", "values"])
    frame = ids.join(series, on="series_id", how="left", maintain_order="left")
    frame = frame.join(
        case.truth.with_columns(pl.col("series_id").cast(ids["series_id"].dtype)),
        on="series_id", how="left", maintain_order="left",
    )  # fmt: skip
    return Shown(frame, keys, np.arcsinh(scaler.deviations(x, keys)))


if __name__ == "__main__":
    main()
