"""`tsclust features` beside libraries of features, and alone as a stage, as tables for docs/benchmarks.md.

python bench/features.py [--series N] [--runs N] [--only peers stage compile memory] [--sample N] [--memory]

peers    time of one series on one thread, in rounds: each round runs every way once, each in a process of its own.
         Timed is the computing alone: imports, compiled kernels and the way's own kind of input are there before.
         tsclust bridges missing values within its time, the peers get them bridged. None of them knows the phases of
         a series: they describe the recording as a whole, which is less work. `numbers`: how many describe a series.
stage    the whole process as installed (without pandas), and the stage in it as told by --json. series/ was filled
         before from a Parquet file, without a server; features/ is removed between runs. Part `memory`, or --memory:
         the same of 3/10 of the series and of 3 times as many, as the peak must not grow.
compile  the first process on a machine, its numba cache an empty folder, beside the second: what compiling costs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from expressions import QUANTILES, composed, ready_made
from extract import ALONE, FailedError, Run, launched, written
from machine import cores

from tsclust.engine.base import map_parts
from tsclust.series import SeriesBlock
from tsclust.simulation import machines
from tsclust.stages.features.kernels import describe
from tsclust.stages.features.shape import LAGS

PARTS = ("peers", "stage", "compile", "memory")
ONE_THREAD = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
FEW = 1_000  # series to compile on
ABSENT = "not installed: pip install tsclust[bench]"
TSCLUST = [sys.executable, "-c", ALONE]
# tsfresh's nearest to the catalogue: it has no widths, no steps, no levels against the rest.
MOMENTS = ("mean", "median", "standard_deviation", "variation_coefficient", "skewness", "kurtosis", "mean_abs_change")
FACTS = ("length", "minimum", "maximum", "first_location_of_maximum", "longest_strike_above_mean", "sum_values")
CALCULATORS: dict[str, list[dict[str, Any]] | None] = {
    **dict.fromkeys((*FACTS, *MOMENTS)),
    "linear_trend": [{"attr": "slope"}],
    "autocorrelation": [{"lag": lag} for lag in range(LAGS[0], LAGS[1] + 1)],
    "quantile": [{"q": q} for q in QUANTILES],
}
Work = Callable[[], int]  # describes all series of a table; how many numbers each has got


def by_tsclust(table: pa.Table) -> Work:
    block = SeriesBlock.from_arrow(table)
    return lambda: describe(block, 1).shape[1]


def by_tsclust_on_two_threads(table: pa.Table) -> Work:
    parts = [SeriesBlock.from_arrow(table.slice(at, 4_096)) for at in range(0, len(table), 4_096)]
    return lambda: max(found.shape[1] for found in map_parts(lambda part: describe(part, 1), parts, 2))


def by_pycatch22(table: pa.Table) -> Work:
    import pycatch22

    lists = bridged(table)["values"].to_list()
    return lambda: len([pycatch22.catch22_all(values)["values"] for values in lists][-1])


def by_tsfresh(table: pa.Table) -> Work:
    import pandas
    from tsfresh import extract_features

    rows = bridged(table).explode("values")
    long = pandas.DataFrame({"id": rows["series_id"].to_numpy(), "value": rows["values"].to_numpy()})
    how: dict[str, Any] = {"column_id": "id", "column_value": "value", "n_jobs": 0, "disable_progressbar": True}
    return lambda: extract_features(long, CALCULATORS, **how).shape[1]


def by_polars_in_part(table: pa.Table) -> Work:
    frame = bridged(table).lazy()
    return lambda: frame.select(**ready_made()).collect().width


def by_polars(table: pa.Table) -> Work:
    one = pl.element()
    at = pl.int_range(one.len()) - (one.len() - 1) / 2
    level = one - one.mean() - one.dot(at) / at.dot(at) * at  # without the least squares line
    frame = bridged(table).lazy().with_columns(level=pl.col("values").list.eval(level))
    return lambda: frame.select(**ready_made(), **composed()).collect().width


def bridged(table: pa.Table) -> pl.DataFrame:
    """The series as float64, missing values on a straight line, at the ends as their neighbour."""
    known = pl.element().fill_nan(None).interpolate().forward_fill().backward_fill().fill_null(0)
    values = pl.col("values").cast(pl.List(pl.Float64)).list.eval(known)
    return pl.DataFrame(table).select("series_id", values).rechunk()


@dataclass(frozen=True)
class Way:
    """A way to describe series."""

    package: str
    prepare: Callable[[pa.Table], Work]  # the input of the way -> the work to be timed
    share: int  # it gets one of so many series of the sample, to end in reasonable time
    wanted: str  # how many times the time of tsclust
    note: str


WAYS = {
    "tsclust": Way("tsclust", by_tsclust, 1, "", "`kernels.describe`"),
    "tsclust, two threads": Way("tsclust", by_tsclust_on_two_threads, 1, "", "as the stage does: it releases the GIL"),
    "pycatch22": Way("pycatch22", by_pycatch22, 20, "≥ 100", "`catch22_all` of lists"),
    "tsfresh": Way("tsfresh", by_tsfresh, 20, "≥ 400", "the calculators nearest to ours, `n_jobs=0`"),
    "polars": Way("polars", by_polars, 1, "≥ 3", "one lazy query of list expressions"),
    "polars, in part": Way("polars", by_polars_in_part, 1, "≥ 3", "without run, flat run, step and oscillation"),
    "polars, all threads": Way("polars", by_polars, 1, "", "as `polars`; tsclust still has one"),
}


def time_way(name: str, file: str, series: str) -> None:
    """In a process of its own: print [seconds of a series, numbers]."""
    way, table = WAYS[name], pq.read_table(file).slice(0, int(series))
    way.prepare(table.slice(0, 100))()  # what a library imports or makes at its first call is no part of it
    work = way.prepare(table)
    began = time.perf_counter()
    numbers = work()
    print(json.dumps([(time.perf_counter() - began) / len(table), numbers]))


@dataclass
class Timed:
    """What was measured of a way."""

    way: str
    trouble: str  # why there is nothing to measure
    seconds: list[float]  # of one series, each round
    numbers: int = 0

    def again(self, file: Path, sample: int) -> None:
        """Once more; a peer that fails is a finding, tsclust has to work."""
        command = [sys.executable, __file__, "time", self.way, str(file), str(-(-sample // WAYS[self.way].share))]
        try:
            told = launched(command, file.parent, False, **({} if "all threads" in self.way else ONE_THREAD))[2]
        except FailedError as error:
            if self.way == "tsclust":
                raise
            self.trouble = f"fails: {error}".replace("|", "/")
            return
        seconds, self.numbers = json.loads(told.splitlines()[-1])
        self.seconds.append(seconds)
        print(f"{self.way}: {1e6 * seconds:.2f} µs a series", file=sys.stderr)

    def row(self, ours: float) -> str:
        """A line of the table."""
        way = WAYS[self.way]
        if self.trouble:
            return f"| {self.way} | | | {way.wanted} | | {self.trouble} |"
        seconds, note = statistics.median(self.seconds), f"{way.package} {version(way.package)}: {way.note}"
        return f"| {self.way} | {1e6 * seconds:.2f} | {seconds / ours:.1f} | {way.wanted} | {self.numbers} | {note} |"


def peers(root: Path, sample: int, runs: int) -> None:
    """The rounds, and their table."""
    write_cycles(root / "sample.parquet", sample)
    ways = [Timed(name, "" if find_spec(way.package) else ABSENT, []) for name, way in WAYS.items()]
    for way in [way for way in ways if not way.trouble] * runs:
        way.again(root / "sample.parquet", sample)
    print(f"\n{heading(runs, sample)}; a twentieth of them for pycatch22 and tsfresh\n")
    print("| way | µs a series | times tsclust | wanted | numbers | note |\n| --- | ---: | ---: | ---: | ---: | --- |")
    for way in ways:
        print(way.row(statistics.median(ways[0].seconds)))


def heading(runs: int, *series: int) -> str:
    """What was measured on what."""
    return f"{' / '.join(f'{n:,}' for n in series)} series, median of {runs} runs, {cores()}"


def write_cycles(path: Path, series: int) -> None:
    with pq.ParquetWriter(path, machines.SCHEMA) as writer:
        for batch, _ in machines.make(series):
            writer.write_batch(batch)


def filled(root: Path, name: str, series: int) -> Path:
    """A workspace whose series/ is there, without a server."""
    cycles, workspace = root / "cycles.parquet", root / name
    write_cycles(cycles, series)
    for command in (["init"], ["extract", "--from", str(cycles)]):
        subprocess.run([*TSCLUST, *command, "-w", str(workspace)], check=True, capture_output=True)
    return workspace


def run_stage(workspace: Path, **env: str) -> Run:
    """`tsclust features` from nothing."""
    shutil.rmtree(workspace / "features", ignore_errors=True)
    seconds, peak, told = launched([*TSCLUST, "features", "--json", "-w", str(workspace)], workspace, False, **env)
    result = json.loads(told)
    run = Run(seconds, peak, *written(workspace / "features"), stage=(result["seconds"], result["peak_mb"]))
    if run.rows != written(workspace / "series")[0]:
        raise FailedError(f"only {run.rows:,} rows came out")
    print(f"features of {run.rows:,}: {seconds:.2f} s, {peak:.0f} MB", file=sys.stderr)
    return run


def stage(workspaces: Sequence[Path], runs: int) -> None:
    """The stage on these workspaces, the smallest first, in rounds, and its table."""
    by_size = [*zip(*([run_stage(workspace) for workspace in workspaces] for _ in range(runs)), strict=True)]
    print(f"\n{heading(runs, *(done[0].rows for done in by_size))}; wanted of a million: 5 s, 700 MB, a flat peak\n")
    print("| series | seconds | peak MB | seconds of the stage | its peak MB | MB written |\n|" + " ---: |" * 6)
    for done in by_size:
        whole, inner = cost([(r.seconds, r.peak_mb) for r in done]), cost([r.stage for r in done])
        print(f"| {done[0].rows:,} | {whole} | {inner} | {done[0].written_mb:.0f} |")


def cost(costs: Sequence[tuple[float, float]]) -> str:
    """Two cells: median seconds, the highest peak."""
    return f"{statistics.median(s for s, _ in costs):.1f} | {max(p for _, p in costs):.0f}"


def compile_time(workspace: Path, runs: int) -> None:
    """The first process and the second, with a numba cache of their own."""
    pairs = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as cache:
            pairs.append([run_stage(workspace, NUMBA_CACHE_DIR=cache) for _ in ("first", "second")])
    print(f"\n{heading(runs, FEW)}; wanted: compiling takes under 10 s\n")
    print("| process | seconds | peak MB |\n| --- | ---: | ---: |")
    for name, done in zip(("first: numba's cache is empty", "second"), zip(*pairs, strict=True), strict=True):
        print(f"| {name} | {cost([(r.seconds, r.peak_mb) for r in done])} |")
    print(f"| compiling: the difference | {statistics.median(a.seconds - b.seconds for a, b in pairs):.1f} | |")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1_000_000, help="of the stage (default %(default)s)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS[:3], help="these parts alone")
    parser.add_argument("--memory", action="store_true", help="the stage also on 3/10 and 3 times the series")
    parser.add_argument("--sample", type=int, default=100_000, help="series for the peers; slow ones get a twentieth")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    only = {*given.only, *(["memory"] if given.memory else [])}
    sizes = {"stage": [given.series], "memory": [given.series * 3 // 10, given.series * 3]}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if "peers" in only:
            peers(root, given.sample, given.runs)
        if only == {"peers"}:
            return
        few = filled(root, "few", FEW)
        run_stage(few)  # Python's modules and the kernels are compiled now, where that was not done on this machine
        if wanted := sorted(size for part in only for size in sizes.get(part, [])):
            stage([filled(root, str(size), size) for size in wanted], given.runs)
        if "compile" in only:
            compile_time(few, given.runs)


if __name__ == "__main__":
    time_way(*sys.argv[2:]) if sys.argv[1:2] == ["time"] else main()
