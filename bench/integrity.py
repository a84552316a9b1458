"""What it costs to hold files against their hashes where they are read, as tables for docs/benchmarks.md.

python bench/integrity.py [SERIES] [RUNS]

Each stage with the check and without it, one after the other; medians. Then what the page checksums of Parquet would
cost and find instead: of 1,000 flipped bits in a part of features/, how many are read as other data.
"""

from __future__ import annotations

import io
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq

import tsclust
from tsclust.simulation import machines
from tsclust.workspace import integrity

FLIPS = 1_000
SWEEP = {"cluster": {"k": "2..10"}}  # a short one, of which reading is a larger share


def main() -> None:
    series, runs = (int(word) for word in [*sys.argv[1:], "300000", "3"][:2])
    with tempfile.TemporaryDirectory() as folder:
        root = made(Path(folder), series)
        stages(root, runs)
        checksums(root / "features" / "part-00000.parquet", runs)


def made(folder: Path, series: int) -> Path:
    """A workspace with every stage up to the report."""
    root = folder / "ws"
    with pq.ParquetWriter(folder / "cycles.parquet", machines.SCHEMA) as writer:
        for batch, _ in machines.make(series, 1):
            writer.write_batch(batch)
    tsclust.init(root)
    tsclust.extract(root, {"source": {"files": str(folder / "cycles.parquet")}})
    tsclust.features(root)
    tsclust.cluster(root, SWEEP)
    return root


def stages(root: Path, runs: int) -> None:
    print("| stage | seconds | with the check | ratio |")
    print("| --- | ---: | ---: | ---: |")
    other = itertools.count(2)
    work: dict[str, Callable[[], object]] = {
        "features": lambda: tsclust.features(root, {"features": {"peak": ("max", "auto")[next(other) % 2]}}),
        "cluster": lambda: tsclust.cluster(root, {"cluster": SWEEP["cluster"] | {"seed": next(other)}}),
        "report": lambda: tsclust.report(root),
        "status": lambda: tsclust.status(root),
    }
    for name, command in work.items():
        both = [(seconds(command, check=False), seconds(command)) for _ in range(runs)]
        off, on = (statistics.median(of) for of in zip(*both, strict=True))
        print(f"| {name} | {off:.2f} | {on:.2f} | {on / off:.3f} |", flush=True)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) / 1e6
    took = statistics.median(seconds(lambda: tsclust.verify(root)) for _ in range(runs))
    print(f"| verify, {size:.0f} MB | | {took:.2f} | |")


def seconds(command: Callable[[], object], check: bool = True) -> float:
    integrity._known_hash.cache_clear()
    with nullcontext() if check else mock.patch.object(integrity, "_is_as_written", return_value=True):
        return timed(command)


def checksums(part: Path, runs: int) -> None:
    table = pq.read_table(part)
    good = written(table, True)
    work: dict[str, Callable[[bool], object]] = {
        "write": lambda on: written(table, on),
        "read": lambda on: read(good, on),
    }
    for what, do in work.items():
        both = [(timed(partial(do, False)), timed(partial(do, True))) for _ in range(3 * runs)]
        off, on = (statistics.median(of) for of in zip(*both, strict=True))
        print(f"\npage checksums, {what}: {on / off:.3f} times as long")
    small = written(table.slice(0, 300), True)
    footer = range(len(small) - 8 - int.from_bytes(small[-8:-4], "little"), len(small) - 8)
    for where, content, places in (("anywhere", good, range(len(good))), ("in the footer", small, footer)):
        for on in (False, True):
            found = dict(flips(content, places, on))
            print(f"{FLIPS} flips {where}, page checksums {'verified' if on else 'off'}: {found}")


def written(table: pa.Table, checked: bool) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", write_page_checksum=checked)
    return out.getvalue()


def read(content: bytes, checked: bool) -> pa.Table:
    return pq.read_table(io.BytesIO(content), page_checksum_verification=checked)


def timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def flips(good: bytes, places: range, checked: bool) -> Counter[str]:
    rng, whole, found = random.Random(1), pq.read_table(io.BytesIO(good)), Counter[str]()
    for _ in range(FLIPS):
        bad = bytearray(good)
        bad[rng.choice(places)] ^= 1 << rng.randrange(8)
        try:
            table = read(bytes(bad), checked)
            table.validate(full=True)
            found["the same" if table.equals(whole) else "read as other data"] += 1
        except (OSError, pa.ArrowException, ValueError):
            found["refused"] += 1
    return found


if __name__ == "__main__":
    main()
