"""What a cluster costs, and what of a command grows with the number of series, as tables for docs/benchmarks.md.

python bench/scale.py pairs [--series N] [--runs N] [--workers N] [--stages features cluster]
python bench/scale.py memory [--series N ...]
python bench/scale.py model [--series N] [--times N ...]

pairs   each stage by the pool of threads and by workers of a Dask cluster (`dask scheduler`, `dask worker`, one thread
        each), in turn, each in a process of its own: seconds of processors of all of them (user and system, the
        scheduler's and the workers' too), seconds on the clock, the driver's peak. The cluster is warm: kernels are
        compiled, modules loaded. That both write the same bytes is checked.
memory  the driver's peak of each stage, parts being done elsewhere.
model   what 100 million and more series would take, by synthetic parts, so small that nothing is left of a stage but
        what its driver does: to it a part is a name, a sum and a sample, whatever its rows. Each is there so many
        --times, under further names. Every summary goes through bytes, as from a worker.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tsclust.engine.base import using
from tsclust.engine.dask_worker import packed, unpacked
from tsclust.simulation import machines
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

BIN = Path(sys.executable).parent
TICK = os.sysconf("SC_CLK_TCK")
STAGES = ("features", "cluster")
K = "2..20"


@dataclass(frozen=True)
class Cost:
    """Of one run of a stage: seconds on the clock, of processors, the driver's peak in MB, a hash of what it wrote."""

    wall: float
    processors: float
    peak: float
    wrote: str


class Cluster:
    """A scheduler and workers on this machine."""

    def __init__(self, folder: Path, workers: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url, self._folder = f"dask://127.0.0.1:{port}", folder
        self._processes = [self._start("scheduler", "--host", "127.0.0.1", "--port", str(port))]
        for _ in range(workers):
            self._processes.append(self._start("worker", f"tcp://127.0.0.1:{port}", "--no-nanny", "--nthreads", "1"))

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{what}.log").open("ab")
        return subprocess.Popen(
            [BIN / "dask", what, *words, "--no-dashboard"], stdout=log, stderr=log, cwd=self._folder
        )

    def processors(self) -> float:
        """Seconds of processors that its processes have taken."""
        return sum(_processors(one.pid) for one in self._processes)

    def end(self) -> None:
        for one in self._processes:
            one.kill()
            one.wait()


def _processors(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@contextmanager
def clustered(folder: Path, workers: int) -> Iterator[Cluster]:
    cluster = Cluster(folder, workers)
    try:
        yield cluster
    finally:
        cluster.end()


def plant(folder: Path, series: int, part_rows: int = 65_536) -> Path:
    """A workspace of so many made cycles."""
    folder.mkdir(exist_ok=True)
    source, root = folder / "cycles.parquet", folder / "ws"
    with pq.ParquetWriter(source, machines.SCHEMA) as writer:
        for batch, _ in machines.make(series, 1):
            writer.write_batch(batch)
    tsclust("init", root)
    config = (root / "tsclust.toml").read_text(encoding="utf-8")
    (root / "tsclust.toml").write_text(
        config.replace("part_rows = 65536", f"part_rows = {part_rows}"), encoding="utf-8"
    )
    tsclust("extract", root, "--from", str(source))
    source.unlink()
    return root


def tsclust(command: str, root: Path, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tsclust", command, "-w", str(root), "--json", *words],
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(stage: str, root: Path, cluster: Cluster | None) -> Cost:
    """A stage anew."""
    shutil.rmtree(root / {"features": "features", "cluster": "clusters"}[stage], ignore_errors=True)
    shutil.rmtree(root / "history", ignore_errors=True)
    words = [*(["--k", K] if stage == "cluster" else []), *(["--engine", cluster.url] if cluster else [])]
    before, at, begin = (
        resource.getrusage(resource.RUSAGE_CHILDREN),
        cluster and cluster.processors(),
        time.perf_counter(),
    )
    told = tsclust(stage, root, *words)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    theirs = cluster.processors() - (at or 0.0) if cluster else 0.0
    return Cost(wall, own + theirs, told["peak_mb"], wrote(root, stage))


def wrote(root: Path, stage: str) -> str:
    manifest = json.loads((root / {"features": "features", "cluster": "clusters"}[stage] / "manifest.json").read_text())
    return hashlib.sha256(repr(sorted(manifest["outputs"].items())).encode()).hexdigest()[:12]


def pairs(said: argparse.Namespace, folder: Path) -> None:
    root = plant(folder, said.series[0])
    with clustered(folder, said.workers) as cluster:
        tsclust("features", root)
        for stage in said.stages:
            run(stage, root, cluster)  # warm
            found = [(run(stage, root, None), run(stage, root, cluster)) for _ in range(said.runs)]
            assert len({one.wrote for pair in found for one in pair}) == 1, "other bytes"
            _row(stage, said.series[0], found)


def _row(stage: str, series: int, found: Sequence[tuple[Cost, Cost]]) -> None:
    more = statistics.median(b.processors / a.processors for a, b in found)
    pool, cluster = ([pair[i] for pair in found] for i in (0, 1))
    cells = (f"{_middle(of, name):.1f}" for name in ("processors", "wall", "peak") for of in (pool, cluster))
    print(f"| {stage} | {series:,} | {more - 1:+.0%} | {' | '.join(cells)} |", flush=True)


def _middle(costs: Sequence[Cost], name: str) -> float:
    return float(statistics.median(getattr(one, name) for one in costs))


def memory(said: argparse.Namespace, folder: Path) -> None:
    for series in said.series:
        root = plant(folder / str(series), series)
        with clustered(folder, said.workers) as cluster:
            for stage in STAGES:
                cost = run(stage, root, cluster)
                print(f"| {stage} | {series:,} | {cost.peak:.0f} | {cost.wall:.0f} |", flush=True)
        shutil.rmtree(root.parent)


@dataclass
class Moved:
    """What went to workers and came back: calls of map_parts, parts, bytes of what all parts need, of summaries."""

    passes: int = 0
    parts: int = 0
    known: int = 0
    summaries: int = 0

    def __call__(
        self, function: Callable[[Any], Any], parts: Iterable[Any], workers: int, stop: Callable[[], object], /
    ) -> Iterator[Any]:
        """An engine that does one part after the other, each by way of bytes."""
        known = packed(function)
        self.passes, self.known = self.passes + 1, self.known + len(known)
        own = unpacked(known)
        for part in parts:
            summary = packed(own(unpacked(packed(part))))
            self.parts, self.summaries = self.parts + 1, self.summaries + len(summary)
            yield unpacked(summary)
        stop()


def model(said: argparse.Namespace, folder: Path) -> None:
    root = plant(folder / "plant", said.series[0], 1)  # as many parts as extract makes
    for times in said.times:
        repeat(root, times)
        for stage in STAGES:
            done = subprocess.run(
                [sys.executable, __file__, "driver", "--root", str(root), "--stages", stage],
                stdout=subprocess.PIPE, text=True, check=True,
            )  # fmt: skip
            print(f"| {stage} {done.stdout.strip()}", flush=True)


def repeat(root: Path, times: int) -> None:
    """Have series/ hold its parts so many times, under further names of the same files."""
    workspace = Workspace.open(root)
    manifest = workspace.manifest(SERIES)
    names = sorted(name for name in manifest.outputs if name.startswith("part-"))
    outputs = dict(manifest.outputs)
    for number in range(len(names), len(names) * times):
        name, source = f"part-{number:05d}.parquet", names[number % len(names)]
        os.link(root / "series" / source, root / "series" / name)
        outputs[name] = outputs[source]
    more = {"outputs": outputs, "rows": manifest.rows * times, "parts": manifest.parts * times}
    workspace.reseal(SERIES, manifest.model_copy(update=more))


def driver(said: argparse.Namespace, _: Path) -> None:
    """A stage in this process, and what it moved."""
    import tsclust as library

    (stage,), moved, begin = said.stages, Moved(), time.perf_counter()
    flags: dict[str, object] = {"cluster": {"k": K}} if stage == "cluster" else {}
    with using(moved):
        done = getattr(library, stage)(said.root, flags)
    print(
        f"| {moved.parts // moved.passes:,} | {moved.passes} | {moved.known / moved.passes / 2**10:.0f} |"
        f" {moved.summaries / moved.parts / 2**10:.1f} | {done.peak_mb:.0f} | {time.perf_counter() - begin:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pairs", "memory", "model", "driver"))
    parser.add_argument("--series", type=int, nargs="+", default=[3_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--times", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--root", type=Path)
    said = parser.parse_args()
    what: dict[str, Callable[[argparse.Namespace, Path], None]] = {
        "pairs": pairs, "memory": memory, "model": model, "driver": driver
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        what[said.what](said, Path(folder))


if __name__ == "__main__":
    main()
