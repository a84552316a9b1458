"""What the loop reads again after an error, with clients that do as they are told."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tests.support.stream_loop import Clients, Desk, Message, Reader, Work, looped, turns, written_without
from tsclust.stream import loop, partitions, transaction
from tsclust.stream.health import Health
from tsclust.stream.loop import Loop
from tsclust.stream.messages import Known
from tsclust.stream.watched import state_of


def test_what_a_partition_brings_during_a_pause_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    reader = Reader(stop, Message(7), Message(8))
    looped(reader, stop, monkeypatch)
    sought = [given for name, given in reader.calls if name == "seek"]
    assert [(one.partition, one.offset) for one in sought] == [(0, 7)]
    assert [name for name, _ in reader.calls if name in ("pause", "resume")] == ["pause", "resume"]


def test_latest_begins_at_an_end_that_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a kill before the first commit would lose what came meanwhile."""
    stop = threading.Event()
    reader = Reader(stop)
    committed: list[tuple[int, int]] = []
    begin(reader, committed, {}, monkeypatch)
    looped(reader, stop, monkeypatch, start="latest")
    assert committed == [(0, 42), (1, 42)]  # the other one is of another member, which may come later
    assert [one.offset for name, one in reader.calls if name == "seek"] == [42]


def test_a_partition_that_was_added_begins_at_its_beginning_where_the_group_has_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All of it came after the group began."""
    stop = threading.Event()
    reader = Reader(stop)
    committed: list[tuple[int, int]] = []
    begin(reader, committed, {1: 30}, monkeypatch)
    looped(reader, stop, monkeypatch, start="latest")
    assert committed == [(0, 3)]


def begin(
    reader: Reader, committed: list[tuple[int, int]], offsets: dict[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two partitions that hold 3 to 42. offsets: of the group; committed: what it commits."""
    about = SimpleNamespace(error=None, partitions={0: None, 1: None})

    def commit(offsets: list[TopicPartition], asynchronous: bool) -> None:
        assert not asynchronous
        committed.extend(sorted((one.partition, one.offset) for one in offsets))

    def of_group(asked: list[TopicPartition], _: float) -> list[TopicPartition]:
        return [TopicPartition("t", one.partition, offsets.get(one.partition, -1001)) for one in asked]

    given = {
        "list_topics": lambda *_, **__: SimpleNamespace(topics={"t": about}), "commit": commit, "committed": of_group,
        "get_watermark_offsets": lambda *_, **__: (3, 42),
    }  # fmt: skip
    for name, one in given.items():
        monkeypatch.setattr(reader, name, one, raising=False)


def test_messages_wait_no_longer_for_others_where_scoring_took_long(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, waits = threading.Event(), [0.0]
    reader = Reader(stop)

    def consume(_: int, timeout: float) -> list[Message]:
        waits.append(timeout)
        if len(waits) == 4:
            stop.set()
        return []

    monkeypatch.setattr(reader, "consume", consume, raising=False)
    monkeypatch.setattr(Desk, "take", lambda *_: time.sleep(0.02))
    looped(reader, stop, monkeypatch, wait=0.01)
    assert waits[2:] == [0.0, 0.0]


def test_what_fails_again_and_again_pauses_longer_and_health_says_so_until_a_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop, health, waits = threading.Event(), Health(), list[float]()
    reader, desk = Reader(stop), Desk(*[Work({0: 9})] * 5)
    monkeypatch.setattr(reader, "consume", turns(reader, stop, *[[8]] * 5), raising=False)
    said: list[object] = []

    def wait(_: object, seconds: float, __: object) -> bool:
        waits.append(seconds)
        said.append(state_of(health)[1]["waits_for"])
        return True

    monkeypatch.setattr(partitions.Partitions, "wait", wait)
    refused = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
    monkeypatch.setattr(transaction, "write", written_without(refused, 4))
    monkeypatch.setattr(Clients, "writer", lambda _: object())
    monkeypatch.setattr(reader, "position", lambda _: [], raising=False)
    looped(reader, stop, monkeypatch, desk, health, pauses=(0.1, 0.2, 0.3))
    assert waits == [0.1, 0.2, 0.3]  # none after the first
    assert said == [["commits"]] * 3
    assert (len(desk.done_with), state_of(health)[1]["status"]) == (1, "ok")


def test_a_look_that_fails_for_good_is_not_asked_for_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, health, looks = threading.Event(), Health(), list[float]()
    reader = Reader(stop)
    monkeypatch.setattr(reader, "consume", turns(reader, stop, *[[]] * 6), raising=False)

    def known(*_: object) -> Known:
        looks.append(time.monotonic())
        raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    looped(reader, stop, monkeypatch, health=health, known=known)
    assert min(later - one for one, later in pairwise(looks[1:])) >= 0.05
    assert state_of(health)[1] == {**state_of(health)[1], "status": "waiting", "waits_for": ["commits"]}


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The reader is turned back by brokers alone: what has offsets that were committed before is something else."""
    stop = threading.Event()
    reader, desk = Reader(stop), Desk(Work({0: 9}), Work({0: 2}))
    monkeypatch.setattr(reader, "consume", turns(reader, stop, [7, 8], [0, 1], [2]), raising=False)
    monkeypatch.setattr(transaction, "write", written_without(None, 0))
    with caplog.at_level("INFO", "tsclust"):
        looped(reader, stop, monkeypatch, desk)
    assert desk.taken == [[7, 8], [0, 1], [2], []]
    assert sum("begins anew" in one.message for one in caplog.records) == 1


def test_what_comes_again_although_it_is_committed_is_passed_over_and_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An older offset may be what the broker knows, a moment after a commit."""
    stop = threading.Event()
    reader, desk = Reader(stop), Desk(Work({0: 9}), Work({0: 10}))
    monkeypatch.setattr(reader, "consume", turns(reader, stop, [7, 8], [9], [7, 8, 9]), raising=False)
    failing = iter([None, KafkaError(KafkaError._TIMED_OUT)])
    monkeypatch.setattr(transaction, "write", lambda *given: given[-1].put(next(failing)))
    old = [TopicPartition("t", 0, 7)]
    monkeypatch.setattr(reader, "committed", lambda asked, _: old if asked else [], raising=False)
    with caplog.at_level("INFO", "tsclust"):
        looped(reader, stop, monkeypatch, desk)
    assert desk.taken == [[7, 8], [9], [9], []]
    assert any("passed over" in one.message for one in caplog.records)


def test_what_a_transaction_has_no_room_for_is_read_again_behind_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    reader, desk = Reader(stop), Desk(Work({0: 8}, rest={0: 8}), Work({0: 9}))
    monkeypatch.setattr(reader, "consume", turns(reader, stop, [7, 8], [8]), raising=False)
    monkeypatch.setattr(transaction, "write", written_without(None, 0))
    looped(reader, stop, monkeypatch, desk)
    assert [one.offset for name, one in reader.calls if name == "seek"] == [8]
    assert desk.taken == [[7, 8], [8], []]


def test_brokers_that_were_away_are_found_again_where_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, health = threading.Event(), Health()
    reader = Reader(stop)
    health.on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    answers = iter([KafkaException(KafkaError(KafkaError._TRANSPORT)), None])

    def list_topics(*_: object, timeout: float) -> None:
        assert timeout <= 1
        if (error := next(answers)) is not None:
            raise error

    monkeypatch.setattr(loop, "ASKED", 0.0)
    monkeypatch.setattr(reader, "list_topics", list_topics, raising=False)
    monkeypatch.setattr(reader, "consume", turns(reader, stop, [], []), raising=False)
    monkeypatch.setattr(Loop, "_recover", lambda self, _: setattr(self, "_writer", object()) or True)
    states = []
    monkeypatch.setattr(Health, "turned", lambda self, _: states.append(state_of(self)[1]["status"]))
    looped(reader, stop, monkeypatch, health=health)
    assert states == ["waiting", "ok", "ok"]


def test_what_comes_while_a_look_is_cut_short_is_left_for_the_next_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there already was not seen."""
    stop = threading.Event()
    reader, desk = Reader(stop), Desk(Work({0: 9}))
    monkeypatch.setattr(reader, "consume", turns(reader, stop, [7, 8]), raising=False)

    def known(*_: object) -> Known:
        stop.set()
        return Known()

    looped(reader, stop, monkeypatch, desk, known=known)
    assert (desk.taken, desk.done_with) == ([], [])
