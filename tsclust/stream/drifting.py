"""Which machines are no longer what they were in training, by their last recordings: the test of `tsclust score`.

Each machine's last 20 recordings, in which a fault that begins shows soon, and its last 200, in which a slow change
does, are held against training every few seconds. There is one false alarm a week at most, over all machines, features
and windows: the week's looks share it alike (Bonferroni), and each spends half of its share on either window.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import numpy as np
import orjson

from tsclust.arrays import Int64s
from tsclust.json_log import note
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.profile import BINS, LEVELS, MOST, Bins, FeatureProfile, unlikeness
from tsclust.stages.scores import messages
from tsclust.stages.scores.drift import FEW, Changed
from tsclust.stages.scores.drift_check import CurrentProfile, detect_drift
from tsclust.stages.scores.onset import Sign
from tsclust.stages.scores.scorer import Scores
from tsclust.stream.health import Health
from tsclust.stream.judging import Judged
from tsclust.stream.messages import Out

WINDOWS = (20, 200)  # recordings
EVERY = 5.0  # seconds between two looks
WEEK = 7 * 24 * 3600
CHANCES = EVERY / WEEK / len(WINDOWS)  # of a false alarm in one window of one look
REJECTED = 255  # in the place of a bin: a recording that is impossible
ALL = ""  # what all machines together are called


@dataclass
class Ring:
    """The last recordings of a machine: bins (WINDOWS[-1], d) of their features, over: levels of unlikeness that each
    exceeds, refused; where the next one goes, and how many there are. said: of the last few."""

    bins: np.ndarray
    over: np.ndarray
    refused: np.ndarray
    at: int = 0
    filled: int = 0
    said: deque[str] = field(default_factory=lambda: deque(maxlen=WINDOWS[0]))

    @classmethod
    def of(cls, d: int) -> Ring:
        most = WINDOWS[-1]
        return cls(np.zeros((most, d), np.uint8), np.zeros(most, np.uint8), np.zeros(most, bool))

    def add(self, bins: np.ndarray, over: np.ndarray, refused: np.ndarray) -> None:
        size, n = len(self.over), len(over)
        rows = (self.at + np.arange(n)[-size:]) % size
        self.bins[rows], self.over[rows], self.refused[rows] = bins[-size:], over[-size:], refused[-size:]
        self.at, self.filled = (self.at + n) % size, min(self.filled + n, size)

    def last(self, n: int) -> np.ndarray:
        """Places of the last n, or as many as there are."""
        return (self.at - 1 - np.arange(min(n, self.filled))) % len(self.over)


class DriftWatch:
    """Sees what is committed, and raises an alarm for each machine once, until it is as before."""

    def __init__(self, topic: str, health: Health) -> None:
        self._topic, self._health = topic, health
        self._model: ModelBundle | None = None
        self._coming: ModelBundle | None = None
        self._rings: dict[str, Ring] = {}
        self._next, self._fresh = 0.0, False
        self._drifting: dict[str, Changed] = {}
        self._pending: list[Out] = []
        self._judges = ThreadPoolExecutor(1)  # a look at hundreds of machines takes half a second: no message waits
        self._looking: Future[dict[str, Changed]] | None = None

    def model_is(self, model: ModelBundle) -> None:
        """From the next look on; may be called from another thread."""
        self._coming = model

    def _take_over(self) -> None:
        """Another model has other bins: what was seen does not count any more."""
        if (model := self._coming) is not self._model:
            self._model, self._rings, self._fresh, self._looking = model, {}, False, None

    def see(self, judged: Judged) -> None:
        self._take_over()
        if self._model is None or not len(self._model.profile.machines):
            return  # of an earlier version, whose profile has other bins
        if any(one.row["model"] != self._model.facts.id for one in judged.verdicts[:1]):
            return  # of the model before, whose bins are others
        for scores in judged.scores:
            if scores.deviations.z.shape[1] == len(self._model.profile.bins.edges):
                self._add(scores, self._model.profile.bins)
        if name := self._model.facts.machine:
            for one in judged.verdicts:
                if ring := self._rings.get(_text(one.of.fields.get(name))):
                    ring.said.append(one.said)

    def alarms(self) -> list[Out]:
        """What is to be written, until `sent`."""
        self._take_over()
        now, model = time.monotonic(), self._model
        if self._looking and self._looking.done() and model is not None:
            self._tell(self._looking.result(), model)
            self._looking = None
        if self._fresh and now >= self._next and self._looking is None and model is not None:
            self._next, self._fresh = now + EVERY, False
            profiles = [self.profile(window, model.profile.bins) for window in WINDOWS]
            self._looking = self._judges.submit(_look, profiles, model)
        return list(self._pending)

    def sent(self) -> None:
        self._pending.clear()

    def _add(self, scores: Scores, bins: Bins) -> None:
        of, d = scores.deviations, len(bins.edges)
        kept, out = np.flatnonzero(of.keep), np.flatnonzero(~of.keep)
        rows = np.full((len(of.keep), d), REJECTED, np.uint8)
        rows[kept] = np.column_stack([np.searchsorted(bins.edges[j], of.z[:, j]) for j in range(d)])
        over, refused = np.zeros(len(rows), np.uint8), np.zeros(len(rows), bool)
        over[kept], refused[kept] = np.searchsorted(bins.levels, unlikeness(of.z)), scores.refused
        machine = np.empty(len(rows), dtype=np.result_type(of.machine, of.rejected))
        machine[kept], machine[out] = of.machine, of.rejected
        for name, mine in _groups(machine):
            if name not in self._rings and len(self._rings) >= MOST:
                continue  # more machines than a profile tells apart
            self._rings.setdefault(name, Ring.of(d)).add(rows[mine], over[mine], refused[mine])
        self._fresh = True

    def _tell(self, found: dict[str, Changed], model: ModelBundle) -> None:
        for name, one in found.items():
            if name not in self._drifting:
                self._raise(name, one, model)
        for name in self._drifting.keys() - found.keys():
            note("no longer drifts", machine=name or messages.EVERYTHING)
        self._drifting = found
        self._health.drifts([name or messages.EVERYTHING for name in found])

    def profile(self, window: int, bins: Bins) -> FeatureProfile:
        """How the last recordings of each machine are distributed."""
        names = sorted(name for name, ring in self._rings.items() if ring.filled >= FEW)
        counted = [_counted(self._rings[name], window) for name in names]
        if not counted:
            return FeatureProfile.empty(bins)
        counts, unlike, refused, rejected = (np.stack(one) for one in zip(*counted, strict=True))
        return FeatureProfile(bins, np.array(names, str), counts, unlike, refused, rejected)

    def _raise(self, name: str, one: Changed, model: ModelBundle) -> None:
        said = Counter(self._rings[name].said).most_common(3) if name in self._rings else []
        text = messages.in_words(one)
        note("drift", logging.WARNING, machine=name or messages.EVERYTHING, text=text, said=dict(said))
        content = {
            "machine": name or None, "text": text, "said": dict(said), "series": one.rows, "model": model.facts.id,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "shifts": [asdict(shift) for shift in one.shifts],
        }  # fmt: skip
        if self._topic:
            self._pending.append(Out(self._topic, name.encode() or None, orjson.dumps(content)))


def _look(profiles: Sequence[FeatureProfile], model: ModelBundle) -> dict[str, Changed]:
    """Machine -> how it has changed, by the shortest window that shows it."""
    found: dict[str, Changed] = {}
    for one in profiles:
        for changed in detect_drift(CurrentProfile(one, {}), model, _unknown, CHANCES).changed:
            found.setdefault(ALL if changed.machine is None else changed.machine, changed)
    return found


def _counted(ring: Ring, window: int) -> tuple[Int64s, Int64s, np.int64, np.int64]:
    """(d, BINS) counts, (LEVELS,) series above each level, how many are refused, how many rejected."""
    rows = ring.last(window)
    kept = rows[ring.bins[rows, 0] != REJECTED]
    d = ring.bins.shape[1]
    at = ring.bins[kept].astype(np.int64) + BINS * np.arange(d)
    counts = np.bincount(at.ravel(), minlength=d * BINS).reshape(d, BINS)
    unlike = (ring.over[kept][:, None] > np.arange(len(LEVELS))).sum(axis=0)
    return counts, unlike, np.int64(ring.refused[kept].sum()), np.int64(len(rows) - len(kept))


def _groups(machine: np.ndarray) -> Iterator[tuple[str, Int64s]]:
    """(name, its rows in their order) of each machine."""
    names, at = np.unique(machine, return_inverse=True)
    order = np.argsort(at, kind="stable")
    yield from zip(names.tolist(), np.split(order, np.cumsum(np.bincount(at))[:-1]), strict=True)


def _unknown(signs: Sequence[Sign]) -> list[str | None]:
    """Nobody asks since which day."""
    return [None] * len(signs)


def _text(value: object) -> str:
    return "" if value is None else str(value)
