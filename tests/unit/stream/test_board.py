"""What --watch shows."""

from __future__ import annotations

import io
import logging
import time

import pytest
from rich.console import Console

from tsclust.stream import board
from tsclust.stream.health import Health
from tsclust.stream.judging import Verdict
from tsclust.stream.messages import Recording
from tsclust.stream.watched import state_of


def verdicts(**kinds: int) -> list[Verdict]:
    of = Recording("t/0/0", None, {}, time.time(), b"")
    return [Verdict(of, {"said": kind}) for kind, n in kinds.items() for _ in range(n)]


def test_it_shows_what_comes_and_the_last_lines_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    health = Health()
    with board.shown(health, "cycles -> verdicts"):
        health.scored(verdicts(normal=3, obstacle=1), 2, time.time())
        health.turned(1_234)
        health.drifts(["P07"])
        health.lost("the database", "no answer")
        logging.getLogger("tsclust").warning("something happened")
    shown = capsys.readouterr().out
    for words in ("cycles -> verdicts", "4 in all", "lag 1,234", "2 unreadable", "75.00%", "drift: P07",
                  "waiting for", "something happened"):  # fmt: skip
        assert words in shown


def test_many_kinds_and_machines_are_counted() -> None:
    health = Health()
    health.scored(verdicts(**{f"kind {i}": 1 for i in range(board.KINDS + 2)}), 0, time.time())
    health.drifts([f"P{i}" for i in range(board.MACHINES + 3)])
    paper = io.StringIO()
    Console(width=120, file=paper).print(board.picture(health, "t", ()))
    assert "and 2 more" in paper.getvalue()
    assert "and 3 more" in paper.getvalue()


def test_what_the_rate_is_of_does_not_grow_where_nobody_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    health, clock = Health(), [0.0]
    monkeypatch.setattr("tsclust.stream.health.time.monotonic", lambda: clock[0])
    for _ in range(1_000):
        clock[0] += 0.2
        health.scored(verdicts(normal=2), 0, 0.0)
    assert len(health._recent) <= 51
    assert health.rate() == pytest.approx(10, rel=0.05)


def test_commits_that_fail_are_said_beside_brokers_that_answer_alone(caplog: pytest.LogCaptureFixture) -> None:
    health = Health()
    with caplog.at_level("INFO", "tsclust"):
        health.lost("the brokers", "down")
        health.failing("timed out")
        health.reached()
        health.failing("too large")
        health.failing("too large")
        assert state_of(health)[1]["waits_for"] == ["commits"]
        health.works()
    assert state_of(health)[1]["status"] == "ok"
    assert [one.message for one in caplog.records] == [
        "the brokers cannot be reached; tried again until they can", "the brokers can be reached again",
        "nothing can be committed; tried again until it can", "what failed works again",
    ]  # fmt: skip
