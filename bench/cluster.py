"""`tsclust cluster` over a million rows, beside scikit-learn and faiss, as tables for docs/benchmarks.md.

python bench/cluster.py [--rows N ...] [--features 20|28] [--runs N] [--only scale|peers] [--peer-k K ... | --all-k]
python bench/cluster.py --limited [MB] [--rows N] [--features 20|28]

The rows: synthetic cycles, described once and repeated with a little noise. No baseline, regimes only with --regimes,
features alone, as there are no series to be measured along curves.

scale    the whole process as installed (without pandas), k = 2..40, 4 restarts each, all diagnostics over all rows,
         and the stage in it as told by --json; clusters/ is removed between runs.
peers    at a million rows (or the first of --rows): the very rows that the stage clusters, as float32 in memory, each
         k in a process of its own. Timed is the fit, with the labels of all rows, and silhouette_score of 10,000 of
         them. Of the k not measured the time is taken from the line between their neighbours. Inertia is measured
         alike: every row at its nearest center, squared distances from the mean of these rows, summed up exactly.
limited  the stage where it may hold only MB of its own (RLIMIT_DATA): less than the rows. Mapped files do not count.
"""

from __future__ import annotations

import argparse
import functools
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kmeans
import numpy as np
import numpy.typing as npt
import polars as pl
from extract import launched
from features import TSCLUST, heading
from kinds import arguments, described, made

from tsclust import config
from tsclust.arrays import Grid
from tsclust.stages.clusters import scope
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.scope import Scope
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter, write_manifest

PARTS = ("scale", "peers")
DESCRIBED = 120_000  # that are described
PART = 65_536  # rows, as extract makes them
NOISE = 0.05  # of a feature's robust deviation
# What says nearly the same as another feature (bench/worth.py), or is one of many quantiles: 20 features are left.
REPEATS = ["p05", "p25", "p50", "p75", "p95", "spread_to_peak", "rise_to_peak", "roughness_to_peak"]
FEW = 3_000  # rows to compile on
MB = 2**20


@dataclass(frozen=True)
class Source:
    """Described series, only those that the rules keep, to be repeated."""

    frame: pl.DataFrame  # as in features/
    noise: npt.NDArray[np.float64]  # (features,)
    manifest: Manifest[FeaturesFacts]
    series: Path
    settings: str  # tsclust.toml

    @classmethod
    def of(cls, root: Path, features: int, regimes: bool) -> Source:
        said = arguments(None, ["--series", str(DESCRIBED)])
        said.skip = REPEATS if features == 20 else []
        workspace = Workspace.open(described(root, made(said, root)[0], said))
        frame = pl.read_parquet(workspace.parts(FEATURES)).filter(pl.col("rejected_by").is_null())
        manifest = workspace.manifest(FEATURES)
        noise = [NOISE * manifest.facts.typical[name][1] for name in frame.columns[1:-1]]
        settings = f"[features]\nskip = {said.skip}\n\n[cluster]\nregimes = {json.dumps(regimes)}\nshapes = false\n"
        return cls(frame, np.array(noise), manifest, workspace.stage(SERIES), settings)

    def part(self, first: int, rows: int) -> pl.DataFrame:
        """Rows `first` to `first` + `rows`."""
        at = np.arange(first, first + rows)
        again = self.frame[at % len(self.frame)]
        noise = self.noise * np.random.default_rng(first).standard_normal((rows, len(self.noise)))
        moved = pl.DataFrame(again[:, 1:-1].to_numpy() + noise, schema=again.columns[1:-1])
        return pl.DataFrame({"series_id": at}).hstack(moved).with_columns(again["rejected_by"])

    def filled(self, root: Path, rows: int) -> Workspace:
        """A workspace with features/ of so many rows; its series/ has only the columns that are asked for."""
        folder = root / str(rows)
        folder.mkdir()
        (folder / "tsclust.toml").write_text(self.settings)
        (folder / "series").symlink_to(self.series)
        workspace, firsts = Workspace.open(folder), range(0, rows, PART)
        with workspace.writing(FEATURES) as writer:
            for number, first in enumerate(firsts):
                writer.write_table(f"part-{number:05d}.parquet", self.part(first, min(PART, rows - first)).to_arrow())
            about = {name: getattr(self.manifest, name) for name in ("settings", "inputs", "seed")}
            facts = self.manifest.facts.model_copy(update={"kept": rows, "by_part": {}})
            write_manifest(writer, Meter(), FEATURES, **about, rows=rows, parts=len(firsts), facts=facts)
        return workspace


@dataclass(frozen=True)
class Run:
    """Seconds and peak MB: of the whole process, and of the stage as told by --json."""

    seconds: float
    peak_mb: float
    stage: tuple[float, float]


def run_stage(workspace: Workspace) -> Run:
    """`tsclust cluster` from nothing."""
    shutil.rmtree(workspace.stage(CLUSTERS), ignore_errors=True)
    seconds, peak, told = launched([*TSCLUST, "cluster", "--json", "-w", str(workspace.root)], workspace.root)
    result = json.loads(told)
    print(f"{result['facts']['rows']:,} rows: {seconds:.2f} s, {peak:.0f} MB", file=sys.stderr)
    return Run(seconds, peak, (result["seconds"], result["peak_mb"]))


def scale(done: dict[int, list[Run]], features: int) -> None:
    """The table of the stage on so many rows."""
    wanted = "wanted of a million: 20 s, and of any number 1 GB plus the features' own size"
    print(f"\n{heading(len(next(iter(done.values()))), *done)}; {features} features; {wanted}\n")
    print("| rows | features, MB | seconds | a million rows | peak MB | seconds of the stage | its peak MB |")
    print("|" + " ---: |" * 7)
    for rows, runs in done.items():
        seconds, inner = median(runs), statistics.median(run.stage[0] for run in runs)
        peak, inner_peak = max(run.peak_mb for run in runs), max(run.stage[1] for run in runs)
        cells = f"{seconds:.1f} | {1e6 * seconds / rows:.1f} | {peak:.0f} | {inner:.1f} | {inner_peak:.0f}"
        print(f"| {rows:,} | {rows * features * 8 / MB:.0f} | {cells} |")


def median(runs: Sequence[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def peers(workspace: Workspace, runs: list[Run], ks: Sequence[int]) -> None:
    """The peers on the rows that the stage has clustered, and their tables."""
    file = workspace.root / "rows.npy"
    np.save(file, grid_of(workspace))
    ways = kmeans.measured(file, ks)
    swept = pl.read_parquet(workspace.stage(CLUSTERS) / "sweep.parquet")
    own = dict(swept.select("k", "inertia").iter_rows())
    about = heading(len(runs), workspace.manifest(FEATURES).rows)
    kmeans.tell(ways, about, (median(runs), max(run.peak_mb for run in runs)), own)


def grid_of(workspace: Workspace) -> Grid:
    """(n, d) the rows as the stage clusters them."""
    asked = config.load(workspace.config, None).cluster
    files = FeatureFiles.of(workspace)
    scaler, read = scope.fit_scaler(files, asked), functools.partial(Scope.of(files).read, columns=files.clustered)
    return np.concatenate([scaler.transform(p.x, p.keys) for p in (read(path, baseline=()) for path in files.paths)])


def limited(workspace: Workspace, features: int, megabytes: int) -> None:
    """The stage under a limit, and its table."""
    rows, began = workspace.manifest(FEATURES).rows, time.perf_counter()
    command = [*TSCLUST, "cluster", "--json", "-w", str(workspace.root)]
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_DATA, (megabytes * MB, megabytes * MB))
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told, preexec_fn=limit)
        peaks = watched(process)
        told.seek(0)
        if process.returncode:
            sys.exit(f"{rows:,} rows, {megabytes} MB allowed: exit code {process.returncode}\n{told.read()[-2000:]}")
    cells = [f"{rows * features * size / MB:.0f}" for size in (8, 2)]
    cells += [f"{time.perf_counter() - began:.0f}", *(f"{peaks[name]:.0f}" for name in SEEN)]
    print(f"\n{heading(1, rows)}; {features} features, at most {megabytes} MB of its own (RLIMIT_DATA)\n")
    print("| rows | as float64, MB | scaled | allowed | seconds | its own, at most | counted | with mapped files |")
    print("|" + " ---: |" * 8 + f"\n| {rows:,} | {cells[0]} | {cells[1]} | {megabytes} | {' | '.join(cells[2:])} |")


SEEN = ("RssAnon", "VmData", "VmHWM")  # memory of its own that is in use, what the limit counts, all that is in use


def watched(process: subprocess.Popen[bytes]) -> dict[str, float]:
    """The highest MB of each of SEEN until the process ends."""
    peaks, status = dict.fromkeys(SEEN, 0.0), Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        for line in status.read_text().splitlines():
            name, _, value = line.partition(":")
            if name in peaks:
                peaks[name] = max(peaks[name], int(value.split()[0]) / 1024)
        time.sleep(0.02)
    return peaks


def command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", help="default 300000 1000000 3000000; 10000000 with --limited")
    parser.add_argument("--features", type=int, choices=(20, 28), default=20)
    parser.add_argument("--regimes", action="store_true", help="look for regimes, as the stage does by default")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts alone")
    parser.add_argument(
        "--peer-k", type=int, nargs="+", default=[2, 5, 10, 20, 40], metavar="K", help="2 and 40 among them"
    )
    parser.add_argument(
        "--all-k", dest="peer_k", action="store_const", const=[*kmeans.KS], help="the peers with every k"
    )
    parser.add_argument("--limited", type=int, nargs="?", const=1_000, metavar="MB", help="default %(const)s")
    return parser.parse_args()


def main() -> None:
    given: Any = command_line()
    many = given.rows or ([10_000_000] if given.limited else [300_000, 1_000_000, 3_000_000])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        source = Source.of(root, given.features, given.regimes)
        run_stage(source.filled(root, FEW))  # compiles, where that was not done on this machine
        if given.limited:
            limited(source.filled(root, many[0]), given.features, given.limited)
            return
        compared = 1_000_000 if 1_000_000 in many else many[0]
        wanted = many if "scale" in given.only else [compared]
        workspaces = {rows: source.filled(root, rows) for rows in wanted}
        rounds = [{rows: run_stage(workspace) for rows, workspace in workspaces.items()} for _ in range(given.runs)]
        done = {rows: [one[rows] for one in rounds] for rows in wanted}
        if "scale" in given.only:
            scale(done, given.features)
        if "peers" in given.only:
            peers(workspaces[compared], done[compared], sorted(given.peer_k))


if __name__ == "__main__":
    main()
