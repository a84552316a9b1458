"""Brokers that go away and come back: in memory behind a line that is cut, on S3 where they are killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import s3
from tests.support.broker_lines import Line
from tests.support.brokers import Broker
from tests.support.conditional_writes import conditional
from tests.support.endurance import LONG
from tests.support.service import free_port


@dataclass(frozen=True)
class Away:
    """A broker that can be made to go away, and to come back with what it had."""

    broker: Broker
    away: Callable[[], None]
    back: Callable[[], None]


@contextmanager
def on_s3(folder: Path, before: Callable[[str], None] = lambda _: None) -> Iterator[Broker]:
    """One whose messages are on S3. before: see `conditional`."""
    with s3.served(folder, "--keep-etag") as gateway, conditional(gateway, before) as bucket:
        more = {"AWS_ENDPOINT": bucket.environment["AWS_ENDPOINT_URL"], "AWS_ALLOW_HTTP": "true"}
        found = Broker(f"127.0.0.1:{free_port()}", storage="s3://plant/", environment=bucket.environment | more)
        found.start()
        try:
            yield found
        finally:
            found.kill()


@contextmanager
def behind_a_line() -> Iterator[Away]:
    """One in memory, whose connections are cut."""
    broker = Broker(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    broker.start()
    line = Line(broker.address, broker.behind)
    try:
        yield Away(broker, line.cut, line.join)
    finally:
        line.cut()
        broker.kill()


@pytest.fixture
def far_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Away]:
    """Its connections are cut; in the long form its messages are on S3, and it is killed."""
    if LONG:
        with on_s3(tmp_path_factory.mktemp("s3")) as broker:
            yield Away(broker, broker.kill, broker.start)
    else:
        with behind_a_line() as away:
            yield away
