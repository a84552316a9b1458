"""tsclust stream and its broker killed at random moments: each recording gets its verdict, once, for a reader."""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.brokers import Broker, Line, content, read, sources, streaming
from tests.support.bundles import Trained
from tests.support.endurance import LONG, times
from tests.support.series import machine_cycles


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


def each_once(broker: Broker, n: int, seconds: float = 240) -> None:
    """Every recording has one verdict; nothing comes twice, a while later either."""
    found = read(broker.address, "verdicts", lambda found: len(sources(found)) >= n, seconds)
    assert len(sources(found)) == n
    found = read(broker.address, "verdicts", lambda _: False, 3)
    assert set(sources(found).values()) == {1}
    assert {content(one)["series_id"] for one in found} == set(range(n))


@pytest.mark.endurance
def test_each_gets_its_verdict_once_although_tsclust_is_killed(
    broker: Broker, trained: Trained, tmp_path: Path
) -> None:
    n, chance = times(1_500, 100_000), random.Random(21)
    broker.topics("cycles", "verdicts")
    sending = slowly(broker, recordings(n), times(4, 120))
    for _ in range(times(1, 20)):
        with streaming(broker, tmp_path, trained.bundles / "logistic", "--instance", "one") as stream:
            time.sleep(chance.uniform(5.5, 9 if LONG else 6.5))
            stream.process.kill()
    with streaming(broker, tmp_path, trained.bundles / "logistic", "--instance", "one") as stream:
        sending.join()
        each_once(broker, n)
        assert stream.stop() == 0


@pytest.mark.endurance
def test_each_has_one_verdict_although_the_broker_is_cut_off(
    far_broker: tuple[Broker, Line], trained: Trained, tmp_path: Path
) -> None:
    """It is away for a while, in the midst of transactions; tsclust says so, waits, and goes on by itself."""
    broker, line = far_broker
    n, chance = times(1_500, 100_000), random.Random(22)
    broker.topics("cycles", "verdicts")
    broker.send("cycles", recordings(n))
    with streaming(broker, tmp_path, trained.bundles / "logistic", "--instance", "one") as stream:
        read(broker.address, "verdicts", lambda found: len(found) > 0)
        for _ in range(times(1, 5)):
            line.cut()
            time.sleep(3)
            line.join()
            time.sleep(chance.uniform(1, 8))
        each_once(broker, n)
        assert stream.stop() == 0
    said = [one["event"] for one in stream.lines()]
    assert {"the brokers cannot be reached; tried again until they can", "a transaction is tried again"} & {*said}


@pytest.mark.endurance
def test_of_two_that_share_the_work_one_goes_on_alone(broker: Broker, trained: Trained, tmp_path: Path) -> None:
    n = times(600, 20_000)
    broker.topics("cycles", "verdicts")
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(streaming(broker, tmp_path, trained.bundles / "logistic", "--instance", name))
            for name in ("one", "other")
        )
        until_shared(one.log, other.log)
        broker.send("cycles", recordings(n)[: n // 2])
        found = read(broker.address, "verdicts", lambda found: len(found) >= n // 2)
        assert len(found) == n // 2
        other.process.kill()
        broker.send("cycles", recordings(n)[n // 2 :])
        each_once(broker, n)
        assert one.stop() == 0


def until_shared(*logs: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        last = [[json.loads(line) for line in log.read_text().splitlines()] for log in logs]
        now = [[line["now"] for line in lines if "now" in line][-1:] for lines in last]
        if now == [[2], [2]]:
            return
        time.sleep(0.2)
    raise AssertionError(now)
