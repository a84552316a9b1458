"""Models in memory: the current version of each that was asked, as many as the settings allow; the least used goes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tsclust.serve.batches import Batcher
from tsclust.serve.store import Store
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.scores.scorer import Scorer


@dataclass(frozen=True)
class Loaded:
    """A version of a model that scores."""

    version: str
    batcher: Batcher

    @property
    def scorer(self) -> Scorer:
        return self.batcher.scorer

    @property
    def model(self) -> ModelBundle:
        return self.scorer.model


class Models:
    """Which models are loaded. Loading one waits for another that is being loaded: memory is taken once."""

    def __init__(self, store: Store, most: int, waiting: int, count: Callable[[int], object]) -> None:
        self.store, self._most, self._waiting, self._count = store, most, waiting, count
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._lock = threading.RLock()

    def loaded(self, name: str) -> Loaded | None:
        """The model as it is loaded, of whatever version; None where it is not."""
        return self._loaded.get(name)

    def waiting(self) -> int:
        """Series that wait for their scores."""
        return sum(one.batcher.waiting for one in list(self._loaded.values()))

    def ready(self, name: str) -> Loaded | None:
        """The current version where that needs no loading: at once."""
        found = self._loaded.get(name)
        if found is None or found.version != self.store.versions(name).current:
            return None
        with suppress(KeyError):  # it was unloaded just now
            self._loaded.move_to_end(name)
        return found

    def load(self, name: str) -> Loaded:
        """The current version of a model. Raises Refusal, and what reading it raises."""
        with self._lock:
            version = self.store.versions(name).current
            found = self._loaded.get(name)
            if found is None or found.version != version:
                self._make_room(name)
                scorer = Scorer(self.store.open(name, version), allow_features=self.store.allow_features)
                scorer.warm()
                self._loaded[name] = found = Loaded(version, Batcher(scorer, self._waiting))
                self._count(len(self._loaded))
            self._loaded.move_to_end(name)
            return found

    def unload(self, name: str) -> None:
        """Free its memory once what waits is scored. The next request for scores loads it again."""
        self.store.versions(name)
        with self._lock:
            self._drop(name)

    def close(self) -> None:
        """Unload all."""
        with self._lock:
            for name in list(self._loaded):
                self._drop(name)

    def _make_room(self, name: str) -> None:
        """Before another one is read."""
        self._drop(name)
        while len(self._loaded) >= self._most:
            self._drop(next(iter(self._loaded)))

    def _drop(self, name: str) -> None:
        if found := self._loaded.pop(name, None):
            found.batcher.close()
            self._count(len(self._loaded))
