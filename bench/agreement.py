"""Whether a group is one thing, as its card says it, against what it is.

python bench/agreement.py [--half held-back|tuning] [--fleets N] [--series N] [--quick] [--keep FOLDER]

The malfunctions on the reports of the fleets of bench/discovery.py, with the machine's column and without. One kind:
four fifths of its series or more are of one kind of malfunction, or of what cannot be real; normal: four fifths are. Of
each sort: how many the card takes for probably one thing, for two perhaps, for hardly one, and for how many it offers
two parts; with 95 % intervals over groups (Wilson 1927). Of fewer than ten series it says nothing; they are left out.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import discovery
import numpy as np
import polars as pl

from tsclust.config import Report
from tsclust.simulation import recall
from tsclust.stages.reports.data import Group
from tsclust.stages.reports.groups.agreement import CLOSE, SOME
from tsclust.stages.reports.groups.step import collect
from tsclust.workspace.folder import Workspace

PURE = 0.8
SORTS = ("one kind", "normal", "mixed")
LEVELS = ("probably one", "perhaps two", "hardly one")


@dataclass(frozen=True)
class Judged:
    """A group: what it is, what its card says, and whether it offers parts."""

    sort: str
    level: str
    parted: bool


def main() -> None:
    said = arguments()
    judged: list[Judged] = []
    for name in discovery.HALVES[said.half]:
        for seed in discovery.SEEDS[said.half][: said.fleets]:
            for baseline in ([], ["machine"]):
                judged += groups_of(name, seed, baseline, said)
    print(f"| a group is | groups | {' | '.join(LEVELS)} | parts offered |")
    print("| --- | ---: | --- | --- | --- | --- |")
    for sort in SORTS:
        print(line(sort, [one for one in judged if one.sort == sort]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=discovery.HALVES, default="held-back")
    parser.add_argument("--fleets", type=int, default=2, help="of each mechanism")
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="a smaller coreset with fewer restarts")
    parser.add_argument("--keep", type=Path, help="where the fleets that were made are kept for the next time")
    return parser.parse_args()


def groups_of(name: str, seed: int, baseline: list[str], said: argparse.Namespace) -> Iterator[Judged]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = said.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        series, _ = discovery.made(name, seed, said.series, folder)
        workspace = discovery.swept(Path(scratch) / "ws", series, baseline, discovery.QUICK if said.quick else {})
        rows = recall.assigned(workspace / "clusters")
        truth = pl.read_parquet(series, columns=["series_id", "label"]).cast({"series_id": rows["series_id"].dtype})
        rows = rows.join(truth, on="series_id")
        for group in collect(Workspace.open(workspace), Report()).groups:
            if group.agreement is not None:
                inside = rows.filter(recall.members_of(group.k, group.cluster, group.within))["label"]
                yield Judged(sort_of(inside), level_of(group), bool(group.parts))


def sort_of(label: pl.Series) -> str:
    most, count = label.value_counts().sort("count", "label").row(-1)
    return "mixed" if count < PURE * len(label) else "normal" if most == "normal" else "one kind"


def level_of(group: Group) -> str:
    agree = group.agreement or 0.0
    return LEVELS[0 if agree >= CLOSE else 1 if agree >= SOME else 2]


def line(sort: str, judged: list[Judged]) -> str:
    n = len(judged)
    levels = [interval(sum(one.level == level for one in judged), n) for level in LEVELS]
    return f"| {sort} | {n} | {' | '.join(levels)} | {interval(sum(one.parted for one in judged), n)} |"


def interval(count: int, n: int) -> str:
    """The share, and its 95 % interval."""
    if not n:
        return ""
    z, p = 1.96, count / n
    middle, width = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * width) / (1 + z * z / n) for sign in (-1, 1))
    return f"{p:.0%} ({max(low, 0):.0%} to {min(high, 1):.0%})"


if __name__ == "__main__":
    main()
