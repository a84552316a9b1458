"""tsclust stream and its broker killed at random moments: each recording gets its verdict, once, for a reader."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from confluent_kafka import Message

import tsclust
from bench.machines import MACHINES
from tests.support.brokers import (
    SOURCE,
    Broker,
    content,
    header,
    read,
    sources,
    streaming,
    streaming_within,
    until,
)
from tests.support.bundles import Trained
from tests.support.endurance import times
from tests.support.far_brokers import Away, on_s3
from tests.support.plant import label
from tests.support.series import machine_cycles
from tsclust import Scorer
from tsclust.workspace.folder import Workspace


def recordings(n: int) -> list[tuple[bytes | None, bytes | None]]:
    table = machine_cycles(6_000, 1)[0]
    rows = table.drop_columns(["recorded_at"]).to_pylist()
    return [
        (str(row["machine_id"]).encode(), json.dumps({**row, "series_id": at}).encode())
        for at in range(n) for row in [rows[at % len(rows)]]
    ]  # fmt: skip


def slowly(broker: Broker, messages: list[tuple[bytes | None, bytes | None]], seconds: float) -> threading.Thread:
    """They come over so many seconds, while others do what they do; a broker that is away gets them later."""

    def send() -> None:
        pieces = max(int(seconds * 4), 1)
        for piece in range(pieces):
            broker.send("cycles", messages[piece::pieces])
            time.sleep(seconds / pieces)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def each_once(broker: Broker, n: int, seconds: float = 240, may_lose: int = 0) -> list[Message]:
    """Every recording that the broker has of these has one verdict; nothing comes twice, a while later either.
    may_lose: so many of those that it had acknowledged may be gone from the broker: no fault of who reads them."""
    inputs = {place_of(one): content(one)["series_id"] for one in read(broker.address, "cycles", holds(n), 90)}
    if lost := n - len(inputs):
        print(f"the broker has lost {lost:,} of {n:,} recordings that it had acknowledged")
    assert lost <= may_lose
    found = read(broker.address, "verdicts", lambda found: len(sources(found)) >= len(inputs), seconds)
    assert len(sources(found)) == len(inputs)
    found = read(broker.address, "verdicts", lambda found: len(found) > len(inputs), times(1, 10))
    assert set(sources(found).values()) == {1}
    assert {header(one, SOURCE): content(one)["series_id"] for one in found} == inputs
    return found


def holds(n: int) -> Callable[[list[Message]], bool]:
    return lambda found: len(found) >= n


def place_of(message: Message) -> str:
    """What its verdict calls it."""
    return f"{message.topic()}/{message.partition()}/{message.offset()}"


@pytest.mark.endurance
def test_each_gets_its_verdict_once_although_tsclust_is_killed(
    broker: Broker, trained: Trained, tmp_path: Path
) -> None:
    n, chance = times(1_500, 100_000), random.Random(21)
    model = trained.bundles / "logistic"
    broker.topics("cycles", "verdicts")
    sending = slowly(broker, recordings(n), times(4, 120))
    for _ in range(times(1, 20)):
        with streaming(broker, tmp_path, model, "--instance", "one") as stream:
            read(broker.address, "verdicts", lambda found: len(found) > 0)
            time.sleep(chance.uniform(0, times(1, 4)))
            stream.process.kill()
    with streaming_within(broker, tmp_path, model, instance="one"):
        sending.join()
        each_once(broker, n)


@pytest.fixture(scope="module")
def valves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """(the model of 250 valves, recordings of them that it has not seen): solenoid currents, negative, of noise and
    lengths unlike those of the demo."""
    known, of = times(2_000, 20_000), times(600, 20_000)
    series, _, baseline = MACHINES["valve"](known + of, 7)
    series = series.with_columns(pl.col("series_id") - (known + 1))
    folder = tmp_path_factory.mktemp("valves")
    series.filter(pl.col("series_id") < 0).drop("label").write_parquet(folder / "series.parquet")
    tsclust.init(folder / "ws")
    given: dict[str, Any] = {"source": {"files": str(folder / "series.parquet")}, "cluster": {"baseline": baseline}}
    tsclust.extract(folder / "ws", given)
    tsclust.features(folder / "ws", given)
    label(Workspace.open(folder / "ws"), series.filter(pl.col("series_id") < 0).select("series_id", kind="label"))
    tsclust.train(folder / "ws", given)
    return folder / "ws" / "model", series.filter(pl.col("series_id") >= 0).drop("label").to_dicts()


@pytest.mark.endurance
def test_foreign_series_get_the_verdicts_of_score_once_although_the_broker_goes_away(
    far_broker: Away, valves: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    """It is away for a while, in the midst of transactions; tsclust says so, waits, and goes on by itself."""
    broker, (model, series), chance, aways = far_broker.broker, valves, random.Random(22), times(2, 5)
    expected = {row["series_id"]: row for row in Scorer.open(model).score(pa.Table.from_pylist(series)).to_pylist()}
    broker.topics("cycles", "verdicts")
    broker.send("cycles", [(one["valve"].encode(), json.dumps(one).encode()) for one in series])
    with streaming_within(broker, tmp_path, model, batch=times(100, 1_000), wait=times(1, 8) / 4) as stream:
        for had in range(aways):
            read(broker.address, "verdicts", holds(1 + had * len(series) // (aways + 1)))
            time.sleep(chance.uniform(0, 0.3))
            far_broker.away()
            time.sleep(times(1, 3))
            far_broker.back()
        found = each_once(broker, len(series), may_lose=times(0, len(series) // 100))  # on S3 it is killed
        assert stream.stop() == 0
    for one in map(content, found):
        assert {name: one[name] for name in expected[0]} == expected[one["series_id"]]
        assert one["valve"] == series[one["series_id"]]["valve"]
    said = {one["event"] for one in stream.lines()}
    assert {"the brokers cannot be reached; tried again until they can", "a transaction is tried again"} & said


def test_what_the_broker_died_over_is_written_again_although_it_says_that_it_has_it(
    trained: Trained, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is killed when it has counted the verdicts, and has not kept them: what is sent again is "there already"."""
    deaths: list[str] = []

    def die(key: str) -> None:
        if "/verdicts/" in key and key.endswith(".batch") and not deaths:
            broker.kill()
            deaths.append(key)
            raise ConnectionError(key)

    with on_s3(tmp_path_factory.mktemp("s3"), die) as broker:
        broker.topics("cycles", "verdicts", partitions=1)
        broker.send("cycles", recordings(50))
        with streaming_within(broker, tmp_path, trained.bundles / "logistic") as stream:
            until(lambda: deaths)
            broker.start()
            each_once(broker, 50)
            assert stream.stop() == 0
    assert "DUPLICATE_SEQUENCE_NUMBER" in json.dumps(stream.lines())


@pytest.mark.endurance
def test_of_two_that_share_the_work_one_goes_on_alone(broker: Broker, trained: Trained, tmp_path: Path) -> None:
    n, model = times(600, 20_000), trained.bundles / "logistic"
    broker.topics("cycles", "verdicts")
    with (
        streaming(broker, tmp_path, model, "--instance", "other") as other,
        streaming_within(broker, tmp_path, model, instance="one") as one,
    ):
        until_shared(one.lines, other.lines)
        broker.send("cycles", recordings(n)[: n // 2])
        found = read(broker.address, "verdicts", lambda found: len(found) >= n // 2)
        assert len(found) == n // 2
        other.process.kill()
        broker.send("cycles", recordings(n)[n // 2 :])
        each_once(broker, n)
        assert one.stop() == 0


def until_shared(*logs: Callable[[], list[dict[str, Any]]]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        now = [[line["now"] for line in log() if "now" in line][-1:] for log in logs]
        if now == [[2], [2]]:
            return
        time.sleep(0.2)
    raise AssertionError(now)
