"""demo --stream: made machines send recordings to a broker of our own, a fault begins on one, and it is named."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import Producer

from tsclust import embedded_broker
from tsclust.config import Settings
from tsclust.config.stream import Stream
from tsclust.engine.base import Listener
from tsclust.pipeline import extract, features, init, train
from tsclust.simulation import machines
from tsclust.simulation.labels import label
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.model.facts import MODEL
from tsclust.stream.clients import LIBRDKAFKA
from tsclust.stream.health import Health
from tsclust.stream.run import Options, stream
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result

MACHINES, CYCLES = 20, 12_000
A_SECOND = 80  # recordings that come
QUIET, PATIENCE, AFTER = 12.0, 40.0, 4.0  # seconds before the fault, that are waited for the alarm, and then shown
CHUNK = 2_000  # normal cycles that are sent over and over
SETTINGS = """# Written by `tsclust demo --stream`.
[source]
files = "cycles.parquet"

[cluster]
baseline = ["machine_id", "direction"]
"""


def demo(root: Path, listen: Listener, stop: threading.Event, watching: Callable[[Health, str], None]) -> Result:
    """Train on made cycles, unless that was done before, then stream more of them until the fault is named.

    watching: told of what may be shown, once it streams.
    """
    meter = Meter()
    pool = trained(root, listen)
    with embedded_broker.running() as address:
        asked = Stream(
            brokers=address, topic="cycles", to_topic="verdicts", alarms="alarms", create=True, instance="demo",
            model=str(root / MODEL.name),
        )  # fmt: skip
        sender = _Machines(address, pool, stop)

        def begin(health: Health) -> None:
            watching(health, "cycles -> verdicts")
            sender.start(health)

        stream(root, Settings(stream=asked), Options(), stop, begin)
    notes = tuple(sender.notes())
    return Result("demo", root, *meter.read(), notes=notes, then="docs/stream.md: with your own", facts=sender.facts())


class _Machines:
    """They send normal cycles, and from some moment on one of them others."""

    def __init__(self, address: str, pool: pl.DataFrame, stop: threading.Event) -> None:
        self._producer, self._stop = (
            Producer({"bootstrap.servers": address, "linger.ms": 20, "logger": LIBRDKAFKA}),
            stop,
        )
        self._rows = pool.to_dicts()
        self.machine = str(pool["machine_id"].mode().sort()[0])
        self._began, self.named = 0.0, 0.0
        self._others: tuple[str, ...] = ()

    def start(self, health: Health) -> None:
        threading.Thread(target=self._send, args=(health,), daemon=True).start()

    def _send(self, health: Health) -> None:
        started, rng, number = time.monotonic(), np.random.default_rng(1), 0
        while not self._stop.is_set() and not self._is_over(health, started):
            for at in rng.integers(0, len(self._rows), A_SECOND // 10):
                number += 1
                row = self._rows[at] | {"series_id": number}
                if self._began and row["machine_id"] == self.machine:
                    row["values"] = _stiff(row["values"])
                self._producer.produce("cycles", orjson.dumps(row), row["machine_id"])
            self._producer.poll(0)
            self._stop.wait(0.1)
        self._producer.flush(5)
        self._stop.set()

    def _is_over(self, health: Health, started: float) -> bool:
        now = time.monotonic()
        if not self._began and health.kinds and now - started > QUIET:
            self._began = now
        if self._began and not self.named and self.machine in health.machines:
            self.named, self._others = now, tuple(one for one in health.machines if one != self.machine)
        since = self.named + AFTER if self.named else self._began + PATIENCE if self._began else started + 3 * PATIENCE
        return now > since

    def notes(self) -> Iterator[str]:
        if self.named:
            yield f"a fault began on {self.machine}, and {self.named - self._began:.0f} s later it was named"
        elif self._began:
            yield f"a fault began on {self.machine}; it was stopped before that was named"

    def facts(self) -> dict[str, Any]:
        after = round(self.named - self._began, 1) if self.named else None
        return {"machine": self.machine, "named_after": after, "others": list(self._others)}


def _stiff(values: list[float]) -> list[float]:
    """The resistance grows along the way."""
    curve = np.array(values)
    run = slice(14, max(len(curve) - 14, 15))
    curve[run] += 0.5 * np.median(curve[run]) * np.linspace(0, 1, len(curve[run]))
    return [float(one) for one in curve]


def trained(root: Path, listen: Listener) -> pl.DataFrame:
    """The workspace with a model; what is sent: normal cycles that it was not trained on."""
    batches = list(machines.make(CYCLES + CHUNK, 1, machines=MACHINES))
    table = pa.Table.from_batches([batch for batch, _ in batches])
    kinds = pl.DataFrame(pa.Table.from_batches([truth for _, truth in batches]))
    if not (root / MODEL.name).is_dir():
        _train(root, table.slice(0, CYCLES), kinds.head(CYCLES), listen)
    rest = pl.DataFrame(table.slice(CYCLES)).join(kinds.filter(pl.col("kind") == "normal"), on="series_id")
    return rest.drop("kind", "recorded_at")


def _train(root: Path, cycles: pa.Table, kinds: pl.DataFrame, listen: Listener) -> None:
    init.write_workspace(root, SETTINGS)
    pq.write_table(cycles, root / "cycles.parquet")
    extract.extract(root, None, listen)
    features.features(root, None, listen)
    workspace = Workspace.open(root)
    columns = ["series_id", "rejected_by"]
    kept = pl.concat([pl.read_parquet(path, columns=columns) for path in workspace.parts(FEATURES)])
    kept = kept.filter(pl.col("rejected_by").is_null()).join(kinds, on="series_id")
    label(workspace, kept.filter(~pl.col("kind").str.starts_with("impossible")).select("series_id", "kind"))
    train.train(root, None, listen)
