"""What of a topic counts as written already: by this group, and behind its offsets."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError

from tsclust.config.stream import Stream
from tsclust.stream import written


class End:
    def error(self) -> KafkaError:
        return KafkaError(KafkaError._PARTITION_EOF)

    def topic(self) -> str:
        return "v"

    def partition(self) -> int:
        return 0


class Message:
    def __init__(self, **headers: str) -> None:
        self._headers = [(f"tsclust-{name}", value.encode()) for name, value in headers.items()]

    def error(self) -> None:
        return None

    def headers(self) -> list[tuple[str, bytes]]:
        return self._headers

    def key(self) -> bytes:
        return b"k"


class Looker:
    """A consumer of a partition with fewer messages than it is asked for: it waits for more as long as it may."""

    waited = 0.0  # seconds

    def assign(self, _: object) -> None: ...

    def close(self) -> None: ...

    def consume(self, _: int, seconds: float) -> list[Any]:
        self.waited += seconds
        return [
            Message(source="t/0/5"), Message(source="t/0/6", group="ours"), Message(source="t/0/7", group="another"),
            Message(source="t/0/8", last="20", group="another"), Message(source="t/0/9", last="21", group="ours"),
            Message(source="other/0/9", group="ours"), Message(source="t/0/1", group="ours"), End(),
        ]  # fmt: skip


def test_what_another_group_has_judged_is_judged_by_this_one_and_is_found_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(written, "_tails", lambda *_: ["one partition"])
    reader = Looker()

    class Clients:
        settings = Stream(topic="t", group="ours")

        def looker(self) -> Looker:
            return reader

    clients: Any = Clients()
    found = written.known(clients, ["v"], {0: 5})
    assert reader.waited < 1
    assert found.sources == {"t/0/5", "t/0/6", "t/0/9"}
    assert found.last == {(0, b"k"): 21}
