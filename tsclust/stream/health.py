"""What a stream has done and how it is, for /metrics, /healthz and the terminal."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence

from confluent_kafka import KafkaError
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client import Counter as Counted

from tsclust.json_log import note
from tsclust.stages.labels.kinds import DONT_KNOW, IMPOSSIBLE, NONE_OF_THESE
from tsclust.stages.scores.scorer import Scorer
from tsclust.stream.judging import Verdict

BROKERS, COMMITS = "the brokers", "commits"  # that are waited for
AWAY = (KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE, KafkaError._AUTHENTICATION, KafkaError._SSL)
OWN = (DONT_KNOW, NONE_OF_THESE, IMPOSSIBLE)
STALLED = 60.0  # seconds without a turn: something hangs
RECENT = 10.0  # seconds that a rate is of
SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600)


class Health:
    """Written by the loop, read by others. Nothing is labelled by an id or a machine: their number has no bound."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.series = Counted(
            "tsclust_stream_series", "Series scored, by verdict.", ["verdict"], registry=self.registry
        )
        self.unreadable = Counted("tsclust_stream_unreadable", "Messages that got no verdict.", registry=self.registry)
        self.known = Counted(
            "tsclust_stream_known", "Messages passed over, as their verdict was there.", registry=self.registry
        )
        self.delay = Histogram(
            "tsclust_stream_seconds", "Seconds from a message to its verdict.", buckets=SECONDS, registry=self.registry
        )
        self.lag = Gauge("tsclust_stream_lag", "Messages that wait.", registry=self.registry)
        self.drifting = Gauge("tsclust_stream_drifting", "Machines that drift.", registry=self.registry)
        about = "1 while brokers or the database cannot be reached, or nothing can be committed."
        self.away = Gauge("tsclust_stream_away", about, registry=self.registry)
        self.kinds: Counter[str] = Counter()
        self.dead = 0
        self.machines: tuple[str, ...] = ()
        self.model = ""
        self.waiting = 0
        self.trouble: dict[str, str] = {}  # what cannot be reached -> why
        self._verdicts: dict[str, str] = {}
        self._lock = threading.Lock()
        self._turn = time.monotonic()
        self._recent: deque[tuple[float, int]] = deque()

    def model_is(self, scorer: Scorer) -> None:
        self.model, self._verdicts = scorer.model.facts.id, dict(scorer.model.facts.verdicts)

    def turned(self, lag: int) -> None:
        """The loop has come round."""
        self._turn, self.waiting = time.monotonic(), lag
        self.lag.set(lag)

    def scored(self, verdicts: Sequence[Verdict], dead: int, now: float) -> None:
        """These are committed."""
        found = Counter(one.said for one in verdicts)
        for said, n in found.items():
            self.series.labels(said if said in OWN else self._verdicts.get(said, "other")).inc(n)
        for one in verdicts:
            self.delay.observe(max(now - one.of.at, 0.0))
        self.unreadable.inc(dead)
        with self._lock:
            self.kinds += found
            self.dead += dead
            self._recent.append((time.monotonic(), len(verdicts)))
            self._forget_old()

    def drifts(self, machines: Sequence[str]) -> None:
        self.machines = tuple(machines)
        self.drifting.set(len(machines))

    def rate(self) -> float:
        """Series a second, of late."""
        with self._lock:
            self._forget_old()
            return sum(n for _, n in self._recent) / RECENT

    def _forget_old(self) -> None:
        now = time.monotonic()
        while self._recent and now - self._recent[0][0] > RECENT:
            self._recent.popleft()

    def on_error(self, error: KafkaError) -> None:
        """Of a client, by itself."""
        if error.code() in AWAY:
            self.lost(BROKERS, error.str())

    def lost(self, what: str, why: str) -> None:
        """It cannot be reached: said once, until it is there again."""
        self._waits(what, why, f"{what} cannot be reached; tried again until they can")

    def found(self, what: str) -> None:
        self._goes_on(what, f"{what} can be reached again")

    def reached(self) -> None:
        """Brokers have answered."""
        self.found(BROKERS)

    def is_away(self) -> bool:
        """Whether brokers could not be reached the last time."""
        return BROKERS in self.trouble

    def failing(self, why: str) -> None:
        """Nothing can be committed, again and again: said where it is not for brokers that are away."""
        if not self.is_away():
            self._waits(COMMITS, why, "nothing can be committed; tried again until it can")

    def works(self) -> None:
        """Nothing fails any more."""
        self._goes_on(COMMITS, "what failed works again")

    def _waits(self, what: str, why: str, said: str) -> None:
        if what not in self.trouble:
            note(said, logging.WARNING, why=why)
        self.trouble[what] = why
        self.away.set(1)

    def _goes_on(self, what: str, said: str) -> None:
        if self.trouble.pop(what, None) is not None:
            note(said)
        self.away.set(bool(self.trouble))

    def is_stalled(self) -> bool:
        return time.monotonic() - self._turn > STALLED

    def text(self) -> bytes:
        """In Prometheus' format."""
        return generate_latest(self.registry)
