"""Series of many requests scored together: while some are scored, others come and wait, and then go as one.

Nobody waits for others to come. A series gets the same scores alone or among others, to the bit.
"""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Int64s
from tsclust.errors import TsclustError
from tsclust.pipeline.unusual import in_words
from tsclust.series import SeriesBlock
from tsclust.serve.log import note
from tsclust.serve.problems import Refusal
from tsclust.stages.features.parts import FeatureRows
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.scores import input_table, parts
from tsclust.stages.scores.scorer import Scorer, score_rows
from tsclust.wording.language import Language

AT_A_TIME = 8_192  # series: so many keep a core busy, and what is larger is split among cores
WORKERS = 2
UNUSUAL = "unusual"


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


def what_can_be_scored(scorer: Scorer, table: pa.Table, words: Language | None) -> pa.Table:
    """As `scores_of`; a series that meets an error of ours has nulls. What is wrong with all of them is raised."""
    try:
        return scores_of(scorer, table.combine_chunks(), words)
    except (TsclustError, OSError, MemoryError):
        raise
    except Exception:  # noqa: BLE001  whatever it is, it is of one series
        if len(table) == 1:
            return scores_of(scorer, table.slice(0, 0), words).take(pa.array([None], pa.int64()))
        middle = len(table) // 2
        return pa.concat_tables(what_can_be_scored(scorer, half, words) for half in (table[:middle], table[middle:]))


def scores_of(scorer: Scorer, table: pa.Table, words: Language | None) -> pa.Table:
    """The columns of scores/ for series, with `unusual` where words are wanted: null where the answer is "normal"."""
    block = input_table.block_of(table, scorer.carried)
    rows, carried = scorer.describe(block, table)
    scores = score_rows(scorer.model, rows, carried).table(scorer.model)
    if words is None:
        return scores
    return scores.append_column(UNUSUAL, _unusual(scorer, block, rows, carried, scores, words))


def _unusual(
    scorer: Scorer, block: SeriesBlock, rows: FeatureRows, carried: pl.DataFrame, scores: pa.Table, words: Language
) -> pa.Array:
    """(n,) lists of sentences: none for what is normal, or impossible, which has a reason."""
    odd = rows.kept & (scores[parts.SAID].to_numpy(zero_copy_only=False) != NORMAL)
    which: Int64s = np.flatnonzero(odd)
    said: list[list[str]] = [[] for _ in range(len(block))]
    for at, sentences in zip(which, in_words(scorer.model, rows, carried, which, words), strict=True):
        said[at] = list(sentences)
    return pa.array(said, pa.list_(pa.string()))
