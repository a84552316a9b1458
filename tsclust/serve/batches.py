"""Series of many requests scored together: while some are scored, others come and wait, and then go as one.

Nobody waits for others to come. A series gets the same scores alone or among others, to the bit.
"""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

import pyarrow as pa

from tsclust.json_log import note
from tsclust.pipeline.unusual import scores_of, what_can_be_scored
from tsclust.serve.problems import Refusal
from tsclust.stages.scores.scorer import Scorer
from tsclust.wording.language import Language

AT_A_TIME = 8_192  # series: so many keep a core busy, and what is larger is split among cores
WORKERS = 2


@dataclass(frozen=True)
class Piece:
    """Series of one request. words: the language in which to say what is unusual about them, None: not at all."""

    table: pa.Table
    words: Language | None
    scored: Future[pa.Table] = field(default_factory=Future)

    @property
    def alike(self) -> tuple[object, ...]:
        """Pieces that have this in common go together."""
        return self.table.schema, None if self.words is None else self.words.code


class Batcher:
    """The threads that score by one model, and the series that wait for them."""

    def __init__(self, scorer: Scorer, most_waiting: int) -> None:
        self.scorer, self._most = scorer, most_waiting
        self._pieces: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        self._lock, self._waiting, self._closed = threading.Lock(), 0, False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Series that wait, or are at it."""
        return self._waiting

    def submit(self, table: pa.Table, words: Language | None) -> list[Future[pa.Table]]:
        """The scores of a table of series, to come, split in its order. Raises Refusal where too many wait."""
        with self._lock:
            if self._closed:
                raise Refusal(503, "the model is being unloaded", "Try again", headers={"Retry-After": "1"})
            if self._waiting and self._waiting + len(table) > self._most:
                busy = f"{self._waiting:,} series wait for their scores: expected at most {self._most:,}"
                raise Refusal(429, busy, "Try again in a second", headers={"Retry-After": "1"})
            self._waiting += len(table)
            pieces = [Piece(table.slice(at, AT_A_TIME), words) for at in range(0, max(len(table), 1), AT_A_TIME)]
            for piece in pieces:  # with the lock: what comes behind the end is scored by nobody
                self._pieces.put(piece)
        return [piece.scored for piece in pieces]

    def close(self) -> None:
        """What waits is scored; nothing else is taken."""
        with self._lock:
            self._closed = True
            for _ in self._threads:
                self._pieces.put(None)

    def _work(self) -> None:
        left: Piece | None = None
        while True:
            first = left or self._pieces.get()
            if first is None:
                return
            batch, left, end = self._with_others(first)
            self._score(batch)
            if end:
                self._pieces.put(None)

    def _with_others(self, first: Piece) -> tuple[list[Piece], Piece | None, bool]:
        """(what goes together with the first, one that came behind and does not, whether the end came)."""
        batch, rows = [first], len(first.table)
        while rows < AT_A_TIME:
            try:
                piece = self._pieces.get_nowait()
            except queue.Empty:
                break
            if piece is None:
                return batch, None, True
            if piece.alike != first.alike or rows + len(piece.table) > AT_A_TIME:
                return batch, piece, False
            batch.append(piece)
            rows += len(piece.table)
        return batch, None, False

    def _score(self, batch: list[Piece]) -> None:
        wanted = [piece for piece in batch if piece.scored.set_running_or_notify_cancel()]
        try:
            if wanted:
                table = pa.concat_tables([piece.table for piece in wanted]).combine_chunks()
                self._answer(wanted, scores_of(self.scorer, table, wanted[0].words))
        except BaseException as error:  # noqa: BLE001  what waits must hear of whatever it is
            self._fail(wanted, error)
        finally:
            with self._lock:
                self._waiting -= sum(len(piece.table) for piece in batch)

    def _answer(self, wanted: list[Piece], scores: pa.Table) -> None:
        at = 0
        for piece in wanted:
            piece.scored.set_result(scores.slice(at, len(piece.table)))
            at += len(piece.table)

    def _fail(self, wanted: list[Piece], error: BaseException) -> None:
        """One request must not spoil the others', one series not its request: each is tried alone."""
        note("error while scoring", logging.ERROR, error)
        for piece in wanted:
            try:
                piece.scored.set_result(what_can_be_scored(self.scorer, piece.table, piece.words))
            except BaseException as its_own:  # noqa: BLE001
                piece.scored.set_exception(its_own)
