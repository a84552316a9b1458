"""tsclust stream between topics of a real broker: each recording gets a verdict, once, the one that score gives."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from tests.support.brokers import (
    REASON,
    SOURCE,
    Broker,
    content,
    header,
    messages_of,
    read,
    sources,
    streaming,
    streaming_within,
    until,
)
from tests.support.bundles import Trained
from tests.support.commands import call_tsclust
from tests.support.series import machine_cycles
from tsclust import json_log
from tsclust.cli import stream as cli
from tsclust.serve.bodies import arrow_of
from tsclust.stream import demo, whole


@pytest.fixture(scope="module")
def cycles() -> pa.Table:
    """Made cycles, their values in float64: JSON knows no other."""
    table = machine_cycles(6_000, 1)[0].slice(0, 1_200)
    values = table["values"].cast(pa.list_(pa.float64()))
    return table.set_column(table.column_names.index("values"), "values", values)


def test_each_recording_gets_the_verdict_that_score_gives(
    broker: Broker, trained: Trained, cycles: pa.Table, tmp_path: Path
) -> None:
    """Key and carried fields go with it; it is stopped in the midst, and goes on where it was."""
    broker.topics("cycles")
    expected = {row["series_id"]: row for row in trained.scorer("logistic").score(cycles).to_pylist()}
    with streaming(broker, tmp_path, trained.bundles / "logistic") as first:
        broker.send("cycles", messages_of(cycles.slice(0, 400)))
        read(broker.address, "verdicts", lambda found: len(found) >= 200)
        broker.send("cycles", messages_of(cycles.slice(400)))
        assert first.stop() == 0
        assert first.lines()[-1]["event"] == "stopped"
    with streaming_within(broker, tmp_path, trained.bundles / "logistic"):
        found = read(broker.address, "verdicts", lambda found: len(found) >= len(cycles))
    assert set(sources(found).values()) == {1}
    assert len(found) == len(cycles)
    carried = {row["series_id"]: row for row in cycles.select(["series_id", "machine_id", "direction"]).to_pylist()}
    for one in found:
        verdict = content(one)
        assert {name: verdict[name] for name in expected[1]} == expected[verdict["series_id"]]
        assert {name: verdict[name] for name in carried[1]} == carried[verdict["series_id"]]
        assert one.key() == verdict["machine_id"].encode()
        assert bool(verdict["unusual"]) <= (verdict["said"] not in ("normal", "impossible"))
        assert verdict["scored_at"].startswith("20")


def test_messages_of_more_recordings_than_a_transaction_has_room_for_get_each_verdict_once(
    broker: Broker, trained: Trained, cycles: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what others write to the topic of verdicts ends nothing."""
    monkeypatch.setattr(whole, "ROOM", 100)
    broker.topics("cycles", "verdicts", partitions=2)
    broker.send("verdicts", [(b"k", b"?")], headers=[("trace", b"\xff\xfe"), (SOURCE, b"cycles/none")])
    messages = [(str(at).encode(), arrow_of(cycles.slice(at, 30))) for at in range(0, len(cycles), 30)]
    broker.send("cycles", messages)
    with streaming_within(broker, tmp_path, trained.bundles / "logistic", format="arrow"):
        found = read(broker.address, "verdicts", lambda found: len(found) > len(cycles))
    verdicts = [content(one) for one in found if one.value() != b"?"]
    assert sorted(one["series_id"] for one in verdicts) == cycles["series_id"].to_pylist()
    assert set(sources(found).values()) == {1}


UNREADABLE = {
    b'{"series_id": 1, "values": [1, 2': "is not JSON",
    b"[1, 2, 3]": "no JSON object",
    b'{"series_id": 1, "values": [0, NaN]}': "is not JSON",
    b'{"series_id": 1, "values": [0, 1e999]}': "is not JSON",
    b"\xff\xfe": "is not JSON",
    b'{"values": [0.0, 1.0]}': "no series_id",
    b'{"series_id": 1.5, "values": [1]}': "expected an integer or text",
    b'{"series_id": 1}': "expected a list of numbers",
    b'{"series_id": 1, "values": "1,2"}': "expected a list of numbers",
    b'{"series_id": 1, "values": [1, "x"]}': "expected numbers",
    b'{"series_id": 1, "values": [1, 2]}': "no machine_id",
    b'{"series_id": 1, "values": [1], "machine_id": 7.5, "direction": "x"}': "machine_id",
    b"": "is empty",
}


def test_what_cannot_be_read_goes_to_its_topic_with_the_reason_and_nothing_stops(
    broker: Broker, trained: Trained, cycles: pa.Table, tmp_path: Path
) -> None:
    broker.topics("cycles", partitions=1)
    good = messages_of(cycles.slice(0, 3))
    odd = json.loads(good[1][1] or b"") | {"series_id": "text", "machine_id": "nobody knows it", "said": "mine"}
    long = json.dumps({"series_id": 9, "values": [0.5] * 200_000, "machine_id": "W101", "direction": "x"}).encode()
    sent = [good[0], *((b"k", one or None) for one in UNREADABLE), (None, json.dumps(odd).encode()), (b"k", long)]
    with streaming_within(broker, tmp_path, trained.bundles / "logistic") as stream:
        broker.send("cycles", [*sent, good[2]])
        dead = read(broker.address, "cycles-unreadable", lambda found: len(found) > len(UNREADABLE))
        found = read(broker.address, "verdicts", lambda found: len(found) >= 3)
        assert stream.stop() == 0
    reasons = {header(one, SOURCE): header(one, REASON) for one in dead}
    for at, expected in enumerate([*UNREADABLE.values(), "expected at most 100,000"], 1):
        offset = at if at <= len(UNREADABLE) else at + 1
        assert expected in reasons[f"cycles/0/{offset}"]
    assert [one.value() for one in dead if header(one, SOURCE) == "cycles/0/1"] == [next(iter(UNREADABLE))]
    found = sorted(found, key=lambda one: int(header(one, SOURCE).split("/")[2]))
    assert [(content(one)["series_id"], content(one)["said"] != "mine", one.key()) for one in found] == [
        (1, True, good[0][0]), ("text", True, None), (3, True, good[2][0]),
    ]  # fmt: skip
    assert any(line.get("field") == "said" for line in stream.lines())


def test_latest_begins_at_the_end_and_misses_nothing_that_comes_while_it_is_away(
    broker: Broker, trained: Trained, cycles: pa.Table, tmp_path: Path
) -> None:
    broker.topics("cycles", "verdicts")
    for at in range(10):  # one by one: the end that Tansu tells is that of the first message of the last batch
        broker.send("cycles", messages_of(cycles.slice(at, 1)))
    for first in (10, 20):
        with streaming_within(broker, tmp_path, trained.bundles / "logistic", start="latest") as stream:
            until(lambda stream=stream: [line for line in stream.lines() if line.get("now") == 4])
            broker.send("cycles", messages_of(cycles.slice(first, 5)))
            read(broker.address, "verdicts", lambda found, n=first - 5: len(found) >= n)
            assert stream.stop() == 0
        broker.send("cycles", messages_of(cycles.slice(first + 5, 5)))
    found = read(broker.address, "verdicts", lambda found: len(found) > 15, 1)
    assert sorted(content(one)["series_id"] for one in found) == cycles["series_id"].to_pylist()[10:25]


def test_the_demo_names_the_machine_on_which_a_fault_begins_and_ends_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer cycles than by default, which come faster."""
    for name, value in {"CYCLES": 4_000, "MACHINES": 5, "A_SECOND": 200, "QUIET": 1.0, "AFTER": 0.5}.items():
        monkeypatch.setattr(demo, name, value)
    for place, name in ((cli, "_stop_at_signals"), (json_log, "start")):
        monkeypatch.setattr(place, name, lambda *_: None)
    done = call_tsclust("demo", "--stream", "-w", tmp_path / "demo", "--json")
    assert done.returncode == 0, done.stderr
    (about,) = (json.loads(line) for line in done.stdout.splitlines())
    assert about["facts"]["named_after"] < demo.PATIENCE
    assert about["facts"]["others"] == []
    assert "%" not in done.stderr  # librdkafka's own log
