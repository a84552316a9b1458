"""False alarms of drift, and what it notices: series dealt out at random into training and new ones, and changed ones.

python bench/drift.py [--runs N] [--only 40,200] [--data FOLDER]

Each run deals the described series of a set out anew, fits what is normal to the training ones alone, and asks for the
drift of the others: nothing has changed, so every alarm is false. Then a twentieth of the new series of one machine
get 1.6 times their values: it should be named, and no other. *resampled*: the new ones are drawn from the training
set, with replacement. Sets without machines are compared as a whole. No classifier is trained: shares of refused
series are left out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

import tsclust
from tsclust.series import SeriesBlock
from tsclust.simulation import machines
from tsclust.stages.clusters import scaling
from tsclust.stages.features import catalogue, kernels
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.model.profile import Bins, FeatureProfile
from tsclust.stages.scores.drift import Drift
from tsclust.stages.scores.drift_check import CurrentProfile, detect_drift
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

SHARE, TIMES, NEW = 0.05, 1.6, 200  # of a machine's new series, at least NEW, this share gets so many times its values
# (machines, series of each, new ones of them)
MADE = ((6, 1_000, 200), (6, 500, 200), (12, 500, 200), (40, 600, 200), (40, 120, 50), (200, 150, 40))
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Described:
    """n series that the rules keep: x (n, d) features, higher (n, d) of TIMES the values; keys and machine (n,)."""

    x: Floats
    higher: Floats
    least: Floats
    keys: npt.NDArray[np.str_]
    machine: npt.NDArray[np.str_]
    names: tuple[str, ...]


def described(folder: Path, series: Path, carry: list[str], machine: str) -> Described:
    """The features of a file of series."""
    root, flags = folder / "ws", {"source": {"files": str(series), "carry": carry}}
    tsclust.init(root)
    tsclust.extract(root, flags)
    tsclust.features(root)
    workspace = Workspace.open(root)
    files = FeatureFiles.of(workspace)
    names, sign = files.clustered, 1 if files.facts.peak == "max" else -1
    places = [catalogue.NAMES.index(name) for name in names]
    x, higher, carried = [], [], []
    for path in files.paths:
        rows, block = feature_parts.read(path, names), series_parts.read_block(workspace.stage(SERIES) / path.name)
        more = SeriesBlock(block.ids, block.offsets, block.values * TIMES)
        x.append(rows.x[rows.kept])
        higher.append(kernels.describe(more, sign)[rows.kept][:, places])
        if carry:
            about = series_parts.read_carried(workspace.stage(SERIES) / path.name, carry)
            carried.append(about.filter(pl.Series(rows.kept)))
    all_, of = np.concatenate(x), pl.concat(carried or [pl.DataFrame()])
    keys = of.select(pl.concat_str(pl.all(), separator="|")).to_series().to_numpy() if carry else np.full(len(all_), "")
    whose = of[machine].to_numpy() if machine else np.full(len(all_), "")
    least = catalogue.least_spreads(files.facts.catalogue, all_, None)
    return Described(all_, np.concatenate(higher), least, keys.astype(str), whose.astype(str), names)


def drift_of(of: Described, train: Rows, new: Rows, changed: Rows) -> Drift:
    """Of the `new` rows, of which the `changed` ones have TIMES their values, against those of `train`."""
    scaler = scaling.fit(of.x[train], of.keys[train], "exceedance", of.least, look=False)
    x = of.x.copy()
    x[changed] = of.higher[changed]
    z = scaler.deviations(x, of.keys)

    bins = Bins.of(z[train])

    def profile(rows: Rows) -> FeatureProfile:
        return FeatureProfile.from_deviations(bins, z[rows], of.machine[rows], np.zeros(len(rows), bool))

    named = "machine" if len(np.unique(of.machine)) > 1 else ""
    facts = SimpleNamespace(machine=named, features=of.names, refused=0.0, rejected=0.0)
    model: Any = SimpleNamespace(profile=profile(train), facts=facts)
    return detect_drift(CurrentProfile(profile(new), {}), model, lambda signs: [None] * len(signs))


def dealt(rng: np.random.Generator, of: Described, new: int) -> tuple[Rows, Rows]:
    """(training, new) rows: of each machine `new` at random, but no more than half."""
    taken = []
    for machine in np.unique(of.machine):
        mine = rng.permutation(np.flatnonzero(of.machine == machine))
        taken.append(mine[: min(new, len(mine) // 2)])
    rows = np.concatenate(taken)
    return np.setdiff1d(np.arange(len(of.x)), rows), rows


def sets(folder: Path, data: Path, only: str) -> Iterator[tuple[str, Described, int]]:
    """(name, described series, new ones of each machine)."""
    for name in ("unscrewing_torque/series", "unscrewing_torque/series_rare_faults", "unscrewing_torque/series_short",
                 "wafer/series_76") if not only else ():  # fmt: skip
        if (path := data / f"{name}.parquet").exists():
            for carry in ([], ["size", "head"]) if name.endswith("series") else ([],):  # machines of different sorts
                plain = folder / f"{Path(name).name}{len(carry)}.parquet"
                pl.read_parquet(path, columns=["series_id", "values", *carry]).write_parquet(plain)
                shown = f"{Path(name).name}, by {' and '.join(carry)}" if carry else Path(name).name
                yield shown, described(folder / plain.stem, plain, carry, "".join(carry[:1])), NEW
    for of_machines, each, new in MADE if not only else [one for one in MADE if str(one[0]) in only.split(",")]:
        path = folder / f"made-{of_machines}-{each}.parquet"
        made = machines.make(int(of_machines * each / 0.85), 1, machines=of_machines)
        pl.concat([pl.DataFrame(batch) for batch, _ in made]).write_parquet(path)
        found = described(folder / path.stem, path, ["machine_id", "direction"], "machine_id")
        yield f"{of_machines} machines, {each - new} + {new}", found, new


def line(name: str, of: Described, new: int, runs: int) -> str:
    """A row of the table."""
    false = resampled = named = alone = 0
    began = time.perf_counter()
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        train, rows = dealt(rng, of, new)
        false += drift_of(of, train, rows, rows[:0]).found
        if seed < min(runs, max(100, runs // 10)):
            every = np.arange(len(of.x))
            resampled += drift_of(of, every, rng.choice(every, len(rows)), rows[:0]).found
        if seed < min(runs, max(20, runs // 10)) and new >= NEW:
            who = rng.choice(np.unique(of.machine))
            mine = rows[of.machine[rows] == who]
            found = drift_of(of, train, rows, mine[: round(SHARE * len(mine))])
            expected = {who} if len(np.unique(of.machine)) > 1 else {None}
            names = {one.machine for one in found.changed}
            named, alone = named + (expected <= names), alone + (expected == names)
    seen = f"{named}/{min(runs, max(20, runs // 10))} | {alone}" if new >= NEW else "|"
    seconds, times = time.perf_counter() - began, min(runs, max(100, runs // 10))
    return f"| {name} | {len(of.x):,} | {false}/{runs} | {resampled}/{times} | {seen} | {seconds:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--only", default="", help="made sets of so many machines: 40,200")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    said = parser.parse_args()
    print("| set | series | false alarms | resampled | changed one named | no other | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for name, of, new in sets(Path(folder), said.data, said.only):
            print(line(name, of, new, said.runs), flush=True)


if __name__ == "__main__":
    main()
