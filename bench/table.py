"""One table: what each step of a million series costs beside what is wanted and beside the peers, each timed once.

python bench/table.py [--series N] [--rows N] [--runs N] [--only extract cluster plant start] [--write]
make bench                   with --write, which puts it in docs/benchmarks.md, with the machine and the commit

extract   psql's binary COPY to /dev/null is the limit, in turn with `tsclust extract`: ordered by the key, less than a
          third of it, and a uuid key whose rows lie in another order. The whole process, kernels compiled before.
cluster   `tsclust cluster` of rows x 20 features, k = 2..40, all diagnostics; KMeans once for some k, the rest between.
plant     `demo` on fewer series compiles what later commands need; then the demo's stages, report, train and score.
start     processor seconds of `tsclust status`; how much longer a first `demo` takes than another, and what it is to
          compile all kernels ahead.

A figure is the median of --runs where nothing else is said; what is wanted is of a quiet machine with two cores.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cluster
import demo
import kmeans
import numpy as np
import polars as pl
import score
from extract import ALONE, ARRAYS, Task, launched, make_table, run_way
from machine import cores

from tsclust.embedded_postgres.server import Server, running
from tsclust.simulation import load
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.workspace.folder import Workspace

DOC = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench/table.py writes from here -->", "<!-- to here -->"
PEER_KS = (2, 10, 40)
SMALL = 3_000  # series of a first run
KEYED = """
DROP TABLE IF EXISTS machine.keyed;
CREATE TABLE machine.keyed AS SELECT md5(series_id::text)::uuid AS id, machine_id, direction, recorded_at, "values"
FROM machine.cycles ORDER BY series_id;
ALTER TABLE machine.keyed ADD PRIMARY KEY (id)"""
FIRST = """
DROP TABLE IF EXISTS machine.first;
CREATE TABLE machine.first AS SELECT * FROM machine.cycles ORDER BY series_id LIMIT {};
ALTER TABLE machine.first ADD PRIMARY KEY (series_id)"""


@dataclass(frozen=True)
class Line:
    """What is measured: a number in its unit, the number that it should be at most, or at least; MB of memory."""

    what: str
    value: float
    unit: str
    wanted: float | None = None
    at_least: bool = False
    peak: float | None = None
    most: float | None = None  # MB wanted
    beside: str = ""

    @property
    def cells(self) -> str:
        sign = "at least" if self.at_least else "at most"
        wanted = "" if self.wanted is None else f"{sign} {self.wanted:g} {self.unit}"
        memory = "" if self.peak is None else f"{self.peak:,.0f}"
        limit = "" if self.most is None else f"{self.most:,.0f}"
        # As many digits as tell it from what is wanted: 1.20 of at most 1.2 would be met.
        digits = next((n for n in (2, 3, 4) if round(self.value, n) != self.wanted), 2)
        value = f"{self.value:.{digits}f} {self.unit}"
        return f"| {self.what} | {value} | {wanted} | {memory} | {limit} | {self._met} | {self.beside} |"

    @property
    def _met(self) -> str:
        if self.wanted is None and self.most is None:
            return ""
        time_met = self.wanted is None or (self.value >= self.wanted if self.at_least else self.value <= self.wanted)
        return "yes" if time_met and (self.most is None or (self.peak or 0) <= self.most) else "no"


def of_extract(said: argparse.Namespace) -> Iterator[Line]:
    """Times what psql takes for the same query, in turns."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "postgres") as server:
        load.fill(server.dsn, said.series, seed=1)
        few = max(said.series * 3 // 10, 1)
        make_table(server.dsn, "machine.keyed", KEYED, said.series)
        make_table(server.dsn, "machine.first", FIRST.format(few), said.series)
        yield beside_psql(server, "ordered by the key", "machine.cycles", said.series, said.runs, 1.2)
        yield beside_psql(server, "ordered by the key", "machine.first", few, said.runs, 1.5)
        yield beside_psql(server, "a uuid key, in another order", "machine.keyed", said.series, said.runs, 1.5)


def beside_psql(server: Server, what: str, table: str, series: int, runs: int, wanted: float) -> Line:
    query = ARRAYS.replace("machine.cycles", table).replace("series_id", "id" if "keyed" in table else "series_id")
    ways = [Task("array", way, query, table, "") for way in ("limit", "tsclust")]
    for _ in range(runs):
        for task in ways:
            with tempfile.TemporaryDirectory() as folder:
                task.runs.append(run_way(server, task, Path(folder)))
    limit, ours = (statistics.median(run.seconds for run in task.runs) for task in ways)
    lost = series - ways[1].runs[-1].rows
    if lost:
        sys.exit(f"{table}: {lost:,} rows were lost")
    peak = max(run.peak_mb for run in ways[1].runs)
    beside = f"{ours:.1f} s; psql {limit:.1f} s"
    return Line(f"extract {series:,}, {what}", ours / limit, "times psql", wanted, peak=peak, most=350, beside=beside)


def of_cluster(said: argparse.Namespace) -> Iterator[Line]:
    """A sweep, beside scikit-learn's KMeans."""
    with tempfile.TemporaryDirectory() as folder:
        source = cluster.Source.of(Path(folder), 20, regimes=False)
        cluster.run_stage(source.filled(Path(folder), cluster.FEW))  # compiles
        for rows, seconds, times in ((said.rows, 10.0, 35.0), (max(said.rows // 5, cluster.FEW + 1), 5.0, None)):
            workspace = source.filled(Path(folder), rows)
            runs = [cluster.run_stage(workspace) for _ in range(said.runs)]
            ours, peak = cluster.median(runs), max(run.peak_mb for run in runs)
            yield Line(f"cluster {rows:,} x 20, k = 2..40", ours, "s", seconds, peak=peak)
            if times:
                yield beside_kmeans(workspace, ours, times)


def beside_kmeans(workspace: Workspace, ours: float, wanted: float) -> Line:
    file = workspace.root / "rows.npy"
    np.save(file, cluster.grid_of(workspace))
    peer = kmeans.Timed("KMeans", "", {})
    for k in PEER_KS:
        peer.measure(k, file)
    own = dict(pl.read_parquet(workspace.stage(CLUSTERS) / "sweep.parquet").select("k", "inertia").iter_rows())
    worst = max(own[k] / row[2] for k, row in peer.of_k.items())
    theirs = peer.total(0) + peer.total(1)
    beside = f"{theirs:.0f} s by k = {', '.join(map(str, PEER_KS))}; inertia at worst {worst:.4f} times its"
    return Line("the same beside scikit-learn's KMeans", theirs / ours, "times as fast", wanted, True, beside=beside)


def of_plant(said: argparse.Namespace) -> Iterator[Line]:
    """The demo's stages, then report, train and score as commands of their own."""
    demo.one_run(SMALL)  # compiles
    many = [demo.one_run(said.series) for _ in range(said.runs)]
    stages = [name for name in demo.STAGES if name != "fill"]
    total = statistics.median(sum(run[name][0] for name in stages) for run in many)
    peak = max(run[name][1] for run in many for name in stages)
    name = f"demo, {said.series:,}"
    yield Line(f"{name}: extract to report", total, "s", 35, peak=peak, most=1_024)
    for stage in stages:
        yield Line(f"{name}: {stage}", statistics.median(r[stage][0] for r in many), "s",
                   peak=max(r[stage][1] for r in many))  # fmt: skip
    yield from of_commands(said)


def of_commands(said: argparse.Namespace) -> Iterator[Line]:
    wanted = {"train": 10.0, "others": 15.0}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "plant"
        with running(root / ".postgres") as server:
            os.environ["TSCLUST_DSN"] = server.dsn
            costs: dict[str, list[score.Cost]] = {}
            for what, cost in score.measured(root, server.dsn, said.series, 1):
                costs.setdefault(what, []).append(cost)
        for what, each in costs.items():
            limit = next((seconds for word, seconds in wanted.items() if word in what), None)
            seconds, peak = statistics.median(s for s, _ in each), max(mb for _, mb in each)
            yield Line(what, seconds, "s", limit, peak=peak, beside=f"{len(each)} run" + "s" * (len(each) > 1))
        report = [sys.executable, "-c", ALONE, "report", "--json", "-w", str(root)]
        runs = [launched(report, root)[:2] for _ in range(said.runs)]
        seconds = statistics.median(s for s, _ in runs)
        yield Line("`report`, the whole process", seconds, "s", 4, peak=max(mb for _, mb in runs), most=500)


def of_start(said: argparse.Namespace) -> Iterator[Line]:
    """Processor seconds of a small command; seconds of a first demo beside a second, kernels compiled as installed."""
    with tempfile.TemporaryDirectory() as folder:
        root, kernels = Path(folder) / "plant", Path(folder) / "kernels"
        ahead = _seconds("-m", "tsclust.pipeline.kernels_ahead", kernels=kernels)
        demo_of = ("-c", ALONE, "demo", "--series", SMALL, "-w")
        first, then = (_seconds(*demo_of, root / name, kernels=kernels) for name in ("a", "b"))
        status = [_processor_seconds("-c", ALONE, "status", "-w", root / "a") for _ in range(said.runs)]
        yield Line("`status`, processor seconds", statistics.median(status), "s", 0.5)
        words = f"a first `demo` of {SMALL:,} after `make demo` has installed, longer than another"
        beside = f"one run; {first:.1f} s; then {then:.1f} s; all kernels compiled in {ahead:.1f} s"
        yield Line(words, first - then, "s", 3, beside=beside)


def _run(*words: object, kernels: Path | None = None) -> None:
    env = os.environ | ({"NUMBA_CACHE_DIR": str(kernels)} if kernels else {})
    subprocess.run([sys.executable, *map(str, words)], check=True, capture_output=True, env=env)


def _seconds(*words: object, kernels: Path) -> float:
    began = time.perf_counter()
    _run(*words, kernels=kernels)
    return time.perf_counter() - began


def _processor_seconds(*words: object) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(*words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Line]]] = {
    "extract": of_extract, "cluster": of_cluster, "plant": of_plant, "start": of_start,
}  # fmt: skip


def heading(runs: int) -> str:
    """The machine, the commit, the day, and how busy the machine is with other things: before anything is measured."""
    load_now, day = os.getloadavg()[2], datetime.now(UTC).date()
    return (
        f"`make bench`, {cores()}, Python {platform.python_version()}, commit {_commit() or 'unknown'}, {day}. Medians"
        f" of {runs} where nothing else is said, each peer once; load of the 15 minutes before {load_now:.1f}."
    )


def _commit() -> str:
    """ "" where there is no git, or no repository."""
    try:
        return subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def table_of(lines: Sequence[Line], above: str) -> str:
    head = "| what | found | wanted | peak MB | wanted, MB | met | beside |\n" + "| --- " * 7 + "|"
    return "\n".join([above, "", head, *(line.cells for line in lines)])


def _whole() -> str:
    """docs/benchmarks.md. Exits where it has no place for the table: what is after it would be lost."""
    whole = DOC.read_text(encoding="utf-8")
    if not (whole.count(BEGIN) == whole.count(END) == 1 and whole.index(BEGIN) < whole.index(END)):
        sys.exit(f"{DOC} has no place for the table: expected the lines {BEGIN} and {END}, once each")
    return whole


def write(text: str) -> None:
    """Into docs/benchmarks.md, in the place of the table before."""
    before, rest = _whole().split(BEGIN)
    _, after = rest.split(END)
    DOC.write_text(f"{before}{BEGIN}\n## Speed in one table\n\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of cluster")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[*PARTS], help="these parts alone")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    said = parser.parse_args()
    if said.write:
        if set(said.only) != set(PARTS):
            parser.error("--write puts the whole table in the place of the one before: expected no --only beside it")
        _whole()  # before an hour of measuring
    above = heading(said.runs)
    lines: list[Line] = []
    for part in said.only:
        for line in PARTS[part](said):
            lines.append(line)
            print(line.cells, file=sys.stderr, flush=True)
    text = table_of(lines, above)
    print(text)
    if said.write:
        write(text)


if __name__ == "__main__":
    main()
