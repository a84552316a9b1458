"""What fails in a row: pauses grow with it, and health says it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Protocol

from confluent_kafka import KafkaError

from tsclust.config.stream import Stream
from tsclust.errors import SettingsError
from tsclust.json_log import note

LOOK, COMMIT, RECOVERY = "the look for verdicts", "a commit", "a recovery"
QUIET = 60.0  # seconds without a failure, and with nothing to commit: all that failed is there
FENCED = 3  # times in a row that another one of our name has taken over
FENCES = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)


class Told(Protocol):
    """Health, as far as failures go."""

    def failing(self, why: str) -> None:
        """Something has failed again."""

    def works(self) -> None:
        """Nothing fails any more."""


class Failures:
    """Of each step those since it worked the last time: what works meanwhile says nothing of another one."""

    def __init__(self, settings: Stream, told: Told) -> None:
        self._settings, self._told = settings, told
        self._counts: Counter[str] = Counter()
        self._fenced, self._last = 0, 0.0

    def add(self, step: str, error: KafkaError) -> None:
        """Say it. Raises SettingsError where another one of our name takes over again and again."""
        why = f"{error.name()}: {error.str()}"
        note("a transaction is tried again", logging.WARNING, why=why)
        self._counts[step] += 1
        self._last = time.monotonic()
        if self._counts[step] > 1:
            self._told.failing(why)
        self._fenced += error.code() in FENCES
        if self._fenced > FENCED:
            raise SettingsError(
                f"another tsclust stream of the group {self._settings.group} calls itself {self._settings.name!r}",
                "Give each one a name of its own: --instance NAME",
            )

    def in_a_row(self) -> int:
        return self._counts.total()

    def worked(self, step: str) -> None:
        if self._counts.pop(step, 0) and not self._counts:
            self._told.works()

    def committed(self) -> None:
        """All works."""
        self._counts.clear()
        self._fenced = 0
        self._told.works()

    def nothing_to_do(self) -> None:
        """Nothing came, and nothing is to be committed."""
        if self._counts and time.monotonic() - self._last > QUIET:
            self.committed()
