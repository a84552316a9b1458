"""What of a topic counts as written already: by this group, and behind its offsets."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from tsclust.config.stream import Stream
from tsclust.stream import written
from tsclust.stream.messages import Known


class End:
    def __init__(self, partition: int = 0) -> None:
        self._partition = partition

    def error(self) -> KafkaError | None:
        return KafkaError(KafkaError._PARTITION_EOF)

    def topic(self) -> str:
        return "v"

    def partition(self) -> int:
        return self._partition


class Message(End):
    """One of partition 0, unless it says otherwise."""

    def __init__(self, offset: int = 0, partition: int = 0, **headers: str | bytes) -> None:
        super().__init__(partition)
        self._offset = offset
        self._headers = [
            (f"tsclust-{name}", value.encode() if isinstance(value, str) else value) for name, value in headers.items()
        ]

    def error(self) -> None:
        return None

    def offset(self) -> int:
        return self._offset

    def headers(self) -> list[tuple[str, bytes]]:
        return self._headers

    def key(self) -> bytes:
        return b"k"


class Looker:
    """A consumer of `partitions` that have `held` offsets each; every call brings what `turns` says next, the last one
    again and again. It waits for more as long as it may."""

    def __init__(self, *turns: Sequence[End], held: int = 100, partitions: int = 1, error: int | None = None) -> None:
        self._turns = itertools.chain(turns[:-1], itertools.repeat(turns[-1] if turns else ()))
        self._held, self._partitions, self._error = held, partitions, error
        self.waited = 0.0  # seconds

    def list_topics(self, topic: str, timeout: float) -> object:
        assert timeout
        error = None if self._error is None else KafkaError(self._error)
        about = SimpleNamespace(error=error, partitions=dict.fromkeys(range(0 if error else self._partitions)))
        return SimpleNamespace(topics={topic: about})

    def get_watermark_offsets(self, *_: object) -> tuple[int, int]:
        return 0, self._held

    def assign(self, _: object) -> None: ...

    def close(self) -> None: ...

    def consume(self, _: int, seconds: float) -> Sequence[Any]:
        self.waited += seconds
        return next(self._turns)


def known(reader: Looker, stop: threading.Event | None = None) -> Known:
    clients: Any = SimpleNamespace(settings=Stream(topic="t", group="ours"), looker=lambda: reader)
    return written.known(clients, ["v"], {0: 5}, stop or threading.Event())


def test_what_another_group_has_judged_is_judged_by_this_one_and_is_found_at_once() -> None:
    reader = Looker([
        Message(source="t/0/5"), Message(source="t/0/6", group="ours"), Message(source="t/0/7", group="another"),
        Message(source="t/0/8", last="20", group="another"), Message(source="t/0/9", last="21", group="ours"),
        Message(source="other/0/9", group="ours"), Message(source="t/0/1", group="ours"), End(),
    ])  # fmt: skip
    found = known(reader)
    assert reader.waited < 1
    assert found.sources == {"t/0/5", "t/0/6", "t/0/9"}
    assert found.last == {(0, b"k"): 21}


def test_what_others_write_to_the_topic_is_passed_over_whatever_it_is() -> None:
    foreign = [
        Message(trace=b"\xff\xfe"), Message(source=b"\xff"), Message(source="t/abc"), Message(source="t/0"),
        Message(source="t/0/x"), Message(source="t/0/7", last="soon"), Message(source="t/0/7", group=b"\xff"),
    ]  # fmt: skip
    ours = Message(source="t/0/8", trace=b"\xff\xfe", group="ours")
    assert known(Looker([*foreign, ours, End()])).sources == {"t/0/8"}


def test_a_topic_that_cannot_be_looked_at_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(KafkaException, match="LEADER_NOT_AVAILABLE"):
        known(Looker([End()], error=KafkaError.LEADER_NOT_AVAILABLE))


def test_it_ends_although_others_go_on_writing_and_not_before_the_last_batch() -> None:
    """A broker may say that a partition ends in front of its last batch."""
    more = ([Message(at, source=f"t/0/{at}")] for at in itertools.count(99))
    found = known(Looker(*itertools.islice(more, 20_000), held=100))
    assert {"t/0/99", "t/0/5000", "t/0/10000"} <= found.sources
    assert len(found.sources) < 11_000


def test_one_partition_that_says_nothing_is_not_waited_for_because_another_one_talks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(written, "PATIENCE", 0.05)
    reader = Looker([Message(99), End()], [Message(100)], partitions=2)
    with pytest.raises(KafkaException, match="cannot be read in time"):
        known(reader)


def test_the_whole_look_has_an_end_and_stop_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    assert known(Looker([Message(1)]), stop).sources == set()
    monkeypatch.setattr(written, "WHOLE", 0.05)
    with pytest.raises(KafkaException, match="cannot be read in time"):
        known(Looker([Message(1)]))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("more", "held"), [
    ({}, 5_000), ({"batch": 50_000}, 50_000), ({"batch": 1_000_000}, 100_000), ({"format": "arrow"}, 100_000),
    ({"format": "long"}, 5_000), ({"format": "long", "batch": 1_000_000}, 1_000_000),
])  # fmt: skip
def test_more_is_looked_at_than_one_transaction_holds(more: dict[str, Any], held: int) -> None:
    assert written.looked_at(Stream(topic="t", **more)) >= max(2 * held, 20_000)


def test_what_will_be_passed_over_is_said_and_where_the_topic_may_be_another_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Brokers forget a group's offsets with the topic; where they do not, it ends before what has verdicts."""
    found = Known({"t/0/5", "t/0/9", "t/1/20007", "t/2/0"})
    with caplog.at_level("INFO", "tsclust"):
        written.say(found, {0: 5, 1: 20_000, 2: -1}, lambda part: (9, 7, 1)[part])
    assert [one.levelname for one in caplog.records] == ["INFO", "INFO", "WARNING", "INFO", "WARNING"]
    assert "made anew" in caplog.records[-1].message
