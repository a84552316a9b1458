"""`tsclust extract` beside other ways from PostgreSQL to Parquet, as a table for docs/benchmarks.md.

python bench/extract.py [--series N] [--layout array|long|both] [--runs N] [--only limit,tsclust,...] [--keep DIR]
python bench/extract.py --memory     tsclust alone, on tables of 300,000 and 3,000,000 series: its peak must not grow

All in one run against one server, in rounds: each round runs every way once, so that noise hits all alike. The limit is
what a client can hope for: psql takes the same query as binary COPY and drops it. The other ways: see peers.py.
ADBC imports pandas where it is installed, as it is for this comparison: 0.2 s and 40 MB for `adbc`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
from machine import cores

from tsclust.embedded_postgres.server import Server, running
from tsclust.simulation import load

PEERS = Path(__file__).with_name("peers.py")
LONG_ROWS = Path(__file__).parents[1] / "sql" / "long_rows.sql"
WAYS = {
    "limit": "psql, binary COPY to /dev/null on one connection: nothing is decoded, nothing written",
    "tsclust": "the whole process, two connections, checksums of all files; kernels compiled before",
    "adbc": "streams batches to pyarrow, one thread",
    "connectorx": "two connections, the whole result in memory",
    "duckdb": "its postgres extension, COPY to Parquet",
    "pandas": "read_sql in chunks of 50,000 rows, server-side cursor, psycopg",
    "pandas-rows": "as pandas, but the long rows as they are, of **a tenth of the series**",
}
ARRAYS = 'SELECT series_id, machine_id, direction, recorded_at, "values" FROM machine.cycles'
TENTH = """SELECT series_id, idx, value FROM machine.samples
WHERE series_id <= (SELECT max(series_id) / 10 FROM machine.samples) ORDER BY series_id, idx"""
# As it is installed: arrow imports pandas where it finds it, half a second that tsclust has no use for.
ALONE = """
import sys
class NoPandas:
    def find_spec(self, name, *_):
        if name == "pandas":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NoPandas())
from tsclust.cli import main
main()"""
COUNT_SERIES = "SELECT count(*) FROM machine.cycles"
COUNT_NOT_EMPTY = "SELECT count(*) FROM machine.cycles WHERE cardinality(values) > 0"
COUNT_TENTH = """SELECT count(*) FROM machine.samples
WHERE series_id <= (SELECT max(series_id) / 10 FROM machine.samples)"""
SAMPLES = """
DROP TABLE IF EXISTS machine.samples;
CREATE TABLE machine.samples (series_id bigint, idx integer, value float8);
INSERT INTO machine.samples
SELECT series_id, idx, value FROM machine.cycles, unnest("values") WITH ORDINALITY AS u (value, idx);
SET LOCAL maintenance_work_mem = '512MB';
ALTER TABLE machine.samples ADD PRIMARY KEY (series_id, idx)"""
COPIES = """
DROP TABLE IF EXISTS machine.many;
CREATE TABLE machine.many AS
SELECT series_id + g * (SELECT max(series_id) FROM machine.cycles) AS series_id,
  machine_id, direction, recorded_at, "values" FROM generate_series(0, 9) AS g, machine.cycles ORDER BY 1;
SET LOCAL maintenance_work_mem = '512MB';
ALTER TABLE machine.many ADD PRIMARY KEY (series_id)"""


_compiled: set[str] = set()  # servers that were read from: numba's cache is filled


@dataclass(frozen=True)
class Run:
    """What one run cost, and what it wrote."""

    seconds: float
    peak_mb: float
    rows: int
    written_mb: float
    stage: tuple[float, float] = (0.0, 0.0)  # seconds and peak MB as told by `tsclust extract --json`


@dataclass
class Task:
    """A way on a layout: what it reads, and its runs so far."""

    layout: str
    way: str
    query: str
    table: str  # where it is one: then tsclust and DuckDB are told the table
    count: str  # the query for how many rows are to come out
    runs: list[Run] = field(default_factory=list)
    trouble: str = ""  # why there is nothing to measure


class FailedError(Exception):
    """A way did not come to its end, or lost rows."""


def tasks_of(layout: str, only: Sequence[str]) -> list[Task]:
    """Every way on `layout`, those of `only` where it names any."""
    ways = [w for w in WAYS if (w in only or not only) and (layout, w) != ("array", "pandas-rows")]
    if layout == "array":
        return [Task(layout, way, ARRAYS, "machine.cycles", COUNT_SERIES) for way in ways]
    grouped = "\n".join(line for line in LONG_ROWS.read_text().splitlines() if not line.startswith("--"))
    queries = {"pandas-rows": (TENTH, "", COUNT_TENTH)}
    return [Task(layout, way, *queries.get(way, (grouped, "", COUNT_NOT_EMPTY))) for way in ways]


def run_tsclust(dsn: str, source: Sequence[str], folder: Path) -> Run:
    """`tsclust extract` into a new workspace."""
    tsclust = [sys.executable, "-c", ALONE]
    subprocess.run([*tsclust, "init", "-w", str(folder)], check=True, capture_output=True)
    if dsn not in _compiled:  # once on a machine, not once a run
        _compiled.add(dsn)
        first = [*tsclust, "extract", "-w", str(folder), "--limit", "10", *source]
        subprocess.run(first, check=True, capture_output=True, env={**os.environ, "TSCLUST_DSN": dsn})
        shutil.rmtree(folder / "series")
    command = [*tsclust, "extract", "--json", "-w", str(folder), *source]
    seconds, peak, told = launched(command, folder, TSCLUST_DSN=dsn)
    result = json.loads(told)
    return Run(seconds, peak, *written(folder), stage=(result["seconds"], result["peak_mb"]))


def run_way(server: Server, task: Task, folder: Path) -> Run:
    """One way, once, in a new folder."""
    if task.way == "tsclust":
        source = ("--table", task.table) if task.table else ("--query", "sql/long_rows.sql")
        return run_tsclust(server.dsn, source, folder)
    command = [sys.executable, str(PEERS), "read", task.way, server.dsn, task.query, task.table, str(folder)]
    if task.way == "limit":
        copy = "COPY (" + task.query + ") TO STDOUT (FORMAT binary)"
        command = [str(server.bin / "psql"), "-X", "-c", copy, server.dsn]
    seconds, peak, _ = launched(command, folder, drop=task.way == "limit")
    return Run(seconds, peak, *written(folder))


def launched(command: Sequence[str], folder: Path, drop: bool = False, **env: str) -> tuple[float, float, str]:
    """(seconds, peak MB, output) of a command; with `drop` its output goes to /dev/null. Raises FailedError."""
    report, output, errors = folder / "report.json", folder / "output.txt", folder / "errors.txt"
    launch = [sys.executable, "-I", "-S", str(PEERS), "launch", str(report), *command]
    os.sync()  # what the last one left to write is not to weigh on this one
    with Path(os.devnull if drop else output).open("w") as out, errors.open("w") as err:
        subprocess.run(launch, check=True, stdout=out, stderr=err, env={**os.environ, **env})
    seconds, peak, code = json.loads(report.read_text())
    if code:
        raise FailedError(([f"exit code {code}", *errors.read_text().strip().splitlines()])[-1][:160])
    return seconds, peak, "" if drop else output.read_text()


def written(folder: Path) -> tuple[int, float]:
    """(rows, MB) of all Parquet files in a folder."""
    files = list(folder.rglob("*.parquet"))
    return sum(pq.read_metadata(f).num_rows for f in files), sum(f.stat().st_size for f in files) / 2**20


def one_run(server: Server, task: Task, expected: int) -> None:
    """Run a task once more; a peer that fails is a finding, the limit and tsclust have to work."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = run_way(server, task, Path(folder))
            if task.way != "limit" and run.rows != expected:
                raise FailedError(f"{run.rows:,} rows came out, expected {expected:,}")
        except FailedError as error:
            if task.way in ("limit", "tsclust"):
                raise
            task.trouble = f"fails: {error}".replace("|", "/")
            return
    task.runs.append(run)
    print(f"{task.layout} {task.way}: {run.seconds:.2f} s, {run.peak_mb:.0f} MB", file=sys.stderr)


def compare(server: Server, tasks: Sequence[Task], runs: int) -> None:
    """The rounds."""
    with psycopg.connect(server.dsn) as connection:
        expected = {count: (connection.execute(count).fetchone() or (0,))[0] for count in {t.count for t in tasks}}
    for task in tasks:
        ready = [sys.executable, str(PEERS), "ready", task.way]
        task.trouble = subprocess.run(ready, check=True, capture_output=True, text=True).stdout.strip()
    for _ in range(runs):
        for task in tasks:
            if not task.trouble:
                one_run(server, task, expected[task.count])


def make_table(dsn: str, table: str, script: str, series: int) -> None:
    """Run the script that fills `table` from machine.cycles, where it was not filled from as many already."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT obj_description(to_regclass(%s), 'pg_class')", [table]).fetchone()
        if row == (str(series),):
            return
        print(f"filling {table} on the server", file=sys.stderr)
        connection.execute(f"{script}; COMMENT ON TABLE {table} IS '{series}'")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"VACUUM (ANALYZE) {table}")


def heading(server: Server, series: int, runs: int) -> str:
    """What was measured on what."""
    with psycopg.connect(server.dsn) as connection:
        version = (connection.info.parameter_status("server_version") or "").split()[0]
    counted = f"median of {runs} runs" if runs > 1 else "1 run"
    return f"{series:,} series, {counted}, {cores()}, PostgreSQL {version}"


def table_of(tasks: Sequence[Task]) -> str:
    """A Markdown table of one layout."""
    limit = next((statistics.median(r.seconds for r in t.runs) for t in tasks if t.way == "limit" and t.runs), 0.0)
    lines = ["| way | seconds | times the limit | peak MB | note |", "| --- | ---: | ---: | ---: | --- |"]
    for task in tasks:
        if task.trouble:
            lines.append(f"| {task.way} | | | | {task.trouble} |")
            continue
        size = f"; {task.runs[0].written_mb:.0f} MB written" if task.way != "limit" else ""
        costs = [(r.seconds, r.peak_mb) for r in task.runs]
        lines.append(row_of(task.way, costs, limit, WAYS[task.way] + size))
        if task.way == "tsclust":
            stages = [r.stage for r in task.runs]
            lines.append(row_of("tsclust, the stage", stages, limit, "as told by `--json`: without Python's start"))
    return "\n".join(lines)


def row_of(name: str, costs: Sequence[tuple[float, float]], limit: float, note: str) -> str:
    """A line of the table: median seconds, the highest peak. A tenth of the rows is not held against the whole."""
    seconds = statistics.median(s for s, _ in costs)
    times = f"{seconds / limit:.1f}" if limit and name != "pandas-rows" else ""
    return f"| {name} | {seconds:.1f} | {times} | {max(p for _, p in costs):.0f} | {note} |"


def tell(server: Server, layout: str, tasks: Sequence[Task], series: int, runs: int) -> None:
    """Print what was measured on a layout."""
    about = {
        "array": "machine.cycles of the demo: one row a series, values real[], three carried columns",
        "long": "machine.samples: one row a value (float8), the server groups (sql/long_rows.sql)",
    }
    print(f"\n{heading(server, series, runs)}\n\nLayout `{layout}`, {about[layout]}.\n")
    print(table_of([t for t in tasks if t.layout == layout]))


def memory(server: Server, series: int, runs: int) -> None:
    """tsclust's peak on the demo's table, and on one of ten times as many series."""
    make_table(server.dsn, "machine.many", COPIES, series)
    runs_of: dict[str, list[Run]] = {"machine.cycles": [], "machine.many": []}
    for _ in range(runs):
        for table, done in runs_of.items():
            with tempfile.TemporaryDirectory() as folder:
                done.append(run_tsclust(server.dsn, ("--table", table), Path(folder)))
    print(f"\n{heading(server, series, runs)}; and ten times as many\n")
    print("| series | seconds | peak MB | peak MB of the stage |\n| ---: | ---: | ---: | ---: |")
    for done in runs_of.values():
        seconds, peak = statistics.median(r.seconds for r in done), max(r.peak_mb for r in done)
        print(f"| {done[0].rows:,} | {seconds:.1f} | {peak:.0f} | {max(r.stage[1] for r in done):.0f} |")
    few, many = (max(r.peak_mb for r in done) for done in runs_of.values())
    print(f"\nTen times the series: {many / few:.2f} times the peak.")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--series", type=int, help="how many (default 1000000; of the smaller table with --memory 300000)"
    )
    parser.add_argument("--layout", choices=("array", "long", "both"), default="both")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], help=f"some of: {','.join(WAYS)}")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="a folder for the filled server, to be used again")
    parser.add_argument("--memory", action="store_true", help="tsclust alone, peaks of two tables")
    given = parser.parse_args()
    if unknown := set(given.only) - set(WAYS):
        parser.error(f"--only: {', '.join(sorted(unknown))} is none of {', '.join(WAYS)}")
    given.series = given.series or (300_000 if given.memory else 1_000_000)
    return given


def main() -> None:
    given: Any = arguments()
    place = nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory()
    with place as folder, running(Path(folder) / "postgres") as server:
        load.fill(server.dsn, given.series, seed=1)
        if given.memory:
            memory(server, given.series, given.runs)
            return
        layouts = ("array", "long") if given.layout == "both" else (given.layout,)
        if "long" in layouts:
            make_table(server.dsn, "machine.samples", SAMPLES, given.series)
        tasks = [task for layout in layouts for task in tasks_of(layout, given.only)]
        compare(server, tasks, given.runs)
        for layout in layouts:
            tell(server, layout, tasks, given.series, given.runs)


if __name__ == "__main__":
    main()
