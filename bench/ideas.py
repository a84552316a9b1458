"""What each idea of docs/clustering.md adds: kinds of malfunction found in 10, 20 and 40 looks, one step further a row.

python bench/ideas.py [--k 40] [--shrink N] [--only NAME ...]

standard     mean and standard deviation; one model, its clusters looked at from the smallest on, as by the textbook
robust       median and robust deviation instead; the same model otherwise, and so on downwards
exceedance   what lies inside the normal band counts nothing, what exceeds it by its logarithm; shared weights
regimes      each series against its own normal: a baseline column's, or a regime's where no column says which
groups       all groups of the sweep k = 2..40 in their order, instead of one model's clusters: the product

Found: as in kinds.py. The series are described once for all steps. Real series are taken from ../shared/data.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from kinds import arguments, by_groups, described, judged, made, real, within

import tsclust

REAL = Path(__file__).parents[2] / "shared" / "data"
SETS: dict[str, list[str]] = {
    "cycles 1": ["--series", "170000", "--seed", "1"],
    "cycles 2": ["--series", "170000", "--seed", "2"],
    "press": ["--series", "60000", "--machine", "press"],
    "valve": ["--series", "60000", "--machine", "valve"],
    "screws": ["--file", str(REAL / "unscrewing_torque/series_rare_faults.parquet"), "--normal", "releasable"],
    "wafer": ["--file", str(REAL / "wafer/series_76.parquet"), "--normal", "normal"],
}
STEPS: dict[str, dict[str, Any]] = {
    "standard": {"scaling": "standard", "regimes": False},
    "robust": {"scaling": "robust", "regimes": False},
    "exceedance": {"scaling": "exceedance", "regimes": False},
    "regimes": {"scaling": "exceedance", "regimes": True},
}
GROUPS = "groups"


def main() -> None:
    given = command_line()
    columns = {}
    for name in given.only:
        said = arguments(None, SETS[name])
        if said.file and not said.file.exists():
            print(f"{name}: {said.file} is not there", file=sys.stderr)
            continue
        said.series //= given.shrink
        columns[f"{name}: {about(said)}"] = steps(name, said, given.k)
    tell(columns, given.k)


def command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--k", type=int, default=40, choices=range(2, 41), metavar="K", help="of the one model")
    parser.add_argument("--shrink", type=int, default=1, metavar="N", help="an N-th of the made series")
    parser.add_argument("--only", nargs="+", choices=SETS, default=[*SETS], metavar="NAME", help=", ".join(SETS))
    return parser.parse_args()


def about(said: argparse.Namespace) -> str:
    return "real" if said.file else f"{said.series:,}"


def steps(name: str, said: argparse.Namespace, k: int) -> dict[str, str]:
    """Step -> kinds found in 10, 20 and 40 looks; and how many kinds there are."""
    with tempfile.TemporaryDirectory() as folder:
        series, truth, malfunctions = real(said) if said.file else made(said, Path(folder))
        kinds = dict(truth.filter(pl.col("kind").is_in(malfunctions))["kind"].value_counts().iter_rows())
        found = {"kinds": str(len(kinds))}
        for step, cell in scored(described(Path(folder), series, said), truth, kinds, said.baseline, k):
            print(f"{name}, {step}: {cell}", file=sys.stderr)
            found[step] = cell
    return found


def scored(
    workspace: Path, truth: pl.DataFrame, kinds: dict[str, int], baseline: list[str], k: int
) -> Iterator[tuple[str, str]]:
    """(step, kinds found) of each step."""
    for step, asked in STEPS.items():
        own = {"baseline": baseline if asked["regimes"] else []}
        tsclust.cluster(workspace, {"cluster": asked | own})
        rows = pl.read_parquet(workspace / "clusters/assignments/*.parquet").select("series_id", f"k{k:02d}")
        frame = rows.join(truth, on="series_id", how="left", maintain_order="left")
        yield step, listed(within(judged(frame, frame[f"k{k:02d}"].to_numpy(), kinds)))
    yield GROUPS, listed(within(by_groups(workspace, truth, kinds)))


def listed(found: list[int]) -> str:
    return ", ".join(map(str, found))


def tell(columns: dict[str, dict[str, str]], k: int) -> None:
    """A row for each step, a column for each set of series."""
    names = {step: f"{step}, k = {k}" for step in STEPS} | {GROUPS: "groups of the sweep", "kinds": "kinds there are"}
    print("Kinds found in 10, 20, 40 looks\n")
    print(f"| step | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}")
    for step, name in names.items():
        print(f"| {name} | {' | '.join(found[step] for found in columns.values())} |")


if __name__ == "__main__":
    main()
