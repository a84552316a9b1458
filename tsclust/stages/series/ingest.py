"""How series/ comes about: ranges or one pass, each part whole and noted down, again where a connection breaks.

Unlike the other maps over parts, the one over ranges is not pure and always runs in threads of this process: the
sessions read from one snapshot that this process holds, and what is on disk is noted in a journal as soon as it is
there, so that a kill loses no more than the parts in the making.
"""

from __future__ import annotations

import gc
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import tenacity

from tsclust.clock import now
from tsclust.config import Settings
from tsclust.engine.base import Listener, Progress
from tsclust.engine.threads import pool_of_threads
from tsclust.errors import BadSeriesError, ConnectError, QueryError, SourceFileError, SourceLostError
from tsclust.source import checks
from tsclust.source.long_rows import counts_of, without_counts
from tsclust.source.open import opened
from tsclust.source.postgres.session import DamagedStreamError, SnapshotGoneError
from tsclust.source.protocols import Range, Reader, RowFilter, SourceInfo
from tsclust.stages.series.journal import Done, Journal, Plan
from tsclust.workspace.parquet import StageWriter, write_batches


class StoppedError(Exception):
    """Another part met an error, or the user pressed Ctrl-C: nobody waits for this one any more."""


class Reading:
    """One reading of a source into a stage in the making. Use: `info = Reading(...).all()`."""

    def __init__(
        self, settings: Settings, root: Path, writer: StageWriter, listen: Listener, *,
        keep: RowFilter, after: str | None, first: int, strict: bool, check: Callable[[SourceInfo], None],
    ) -> None:  # fmt: skip
        """keep: leaves out what is not wanted; after: the mark to read on from; first: the number of the first part.

        check: raises where what was found is not to be read.
        """
        self.journal = Journal(writer.folder)
        self._settings, self._root, self._writer, self._listen = settings, root, writer, listen
        self._keep, self._after, self._first, self._strict, self._check = keep, after, first, strict, check
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._begun = False
        self._so_far: dict[int, tuple[int, bool]] = {}  # part -> series read, is it whole?
        if strict:
            self.journal.clear()

    def all(self) -> SourceInfo:
        """Read what is missing, on a new snapshot where the old one is lost (not if `strict`)."""
        try:
            for attempt in self._again(self._may_reopen, longest=30):
                with attempt:
                    info = self._once()
        except (BadSeriesError, QueryError, SourceFileError):
            if self._begun:  # else the plan that lies there is another one's: a mistyped table must not cost it
                self.journal.clear()  # the source has to change: what was read of it is of no use
            raise
        except (SourceLostError, ConnectError) as error:
            there, plan = len(self.journal.done), self.journal.plan
            if not (there and plan and self._begun) or self._strict:
                raise
            kept = f"{error.problem} ({there} of {len(plan.ranges)} parts are on disk and will not be read again)"
            raise type(error)(kept, error.next_step) from error
        self.journal.close()
        self._writer.outputs.clear()
        self._writer.outputs.update({d.file: d.sha256 for d in self.parts if d.rows})
        return info

    @property
    def parts(self) -> list[Done]:
        """What is on disk, in order."""
        return [self.journal.done[number] for number in sorted(self.journal.done)]

    def _once(self) -> SourceInfo:
        with opened(self._settings, self._root, self._frozen, self._after) as reader:
            info, self._begun = reader.info, True
            self._stop.clear()
            self._so_far = {}
            self._check(info)
            reader.prepare(lambda what: self._listen(Progress(f"extract: {what}", 0, 0, "")))
            if not info.ranges:
                self.journal.clear()
            if self._frozen(info.identity) is None or not info.ranges:
                ranges = tuple((r.low, r.high, r.rows) for r in info.ranges)
                self.journal.freeze(
                    Plan(identity=info.identity, first=self._first, mark=info.high_watermark, ranges=ranges)
                )
            taken_at = now()
            snapshot = f"{info.snapshot} of {taken_at}" if info.snapshot else taken_at
            with _no_collector():
                (self._by_ranges if info.ranges else self._in_one_pass)(reader, snapshot)
            return info

    def _frozen(self, identity: str) -> tuple[Range, ...] | None:
        plan = self.journal.plan
        return plan.as_ranges if plan and (plan.identity, plan.first) == (identity, self._first) else None

    def _by_ranges(self, reader: Reader, snapshot: str) -> None:
        self._so_far = {number: (done.rows, True) for number, done in self.journal.done.items()}
        missing = [(n, r) for n, r in enumerate(reader.info.ranges) if n not in self.journal.done]

        def one_part(numbered: tuple[int, Range]) -> None:
            number, range_ = numbered
            lost: list[SourceLostError] = []
            for attempt in self._again(self._may_reread, longest=5):
                with attempt, _told_with(lost):
                    self._write(number, reader.info, snapshot, map(self._keep, reader.batches(range_)))

        def stop() -> None:
            self._stop.set()
            reader.cancel()

        for _ in pool_of_threads(one_part, missing, self._settings.source.workers, stop):
            pass

    def _in_one_pass(self, reader: Reader, snapshot: str) -> None:
        read = 0

        def tell(size: int) -> None:
            nonlocal read
            read += size
            self._listen(Progress("extract: reading", read, reader.info.size, "bytes"))

        def one_part(numbered: tuple[int, pa.Table]) -> None:
            number, table = numbered
            self._write(number, reader.info, snapshot, table.to_batches())

        try:
            # Closed before the folder goes with what the reader has open in it.
            with closing(reader.parts(self._writer.folder, self._keep, tell)) as tables:
                for _ in pool_of_threads(one_part, enumerate(tables), 1, self._stop.set):
                    pass  # a part is encoded while the next one is put in order here: another one would take memory
        except BaseException:
            self.journal.clear()  # one pass has no half-way
            raise

    def _write(self, number: int, info: SourceInfo, snapshot: str, batches: Iterable[pa.RecordBatch]) -> None:
        """Write a part and note it down."""
        name, counts = f"part-{self._first + number:05d}.parquet", Counter[str]()
        folder = self._writer.folder
        written, rows = write_batches(folder, name, info.schema, self._counted(number, info, batches, counts))
        path = folder / name
        done = Done(
            part=number, file=name, rows=rows, size=path.stat().st_size if rows else 0,
            sha256=written.sha256, snapshot=snapshot, odd=dict(counts),
        )  # fmt: skip
        if not rows:
            path.unlink()
        with self._lock:
            self.journal.record(done)
            self._so_far[number] = (rows, True)

    def _counted(
        self, number: int, info: SourceInfo, batches: Iterable[pa.RecordBatch], counts: Counter[str]
    ) -> Iterator[pa.RecordBatch]:
        """The batches, odd series counted, progress told, until someone says stop."""
        rows = 0
        for batch in batches:
            if self._stop.is_set():
                raise StoppedError
            lengths = pc.list_value_length(batch.column(batch.num_columns - 1))
            checks.refuse_longer(batch.column(0), lengths, self._settings.source.longest)
            counts.update(checks.count(batch))
            counts.update(counts_of(batch.schema))
            rows += batch.num_rows
            with self._lock:
                self._so_far[number] = (rows, False)
                self._listen(self._progress(info))
            yield without_counts(batch)

    def _progress(self, info: SourceInfo) -> Progress:
        """Series so far, of about how many: the planner's estimate, corrected by the ranges that are whole."""
        done = sum(rows for rows, _ in self._so_far.values())
        whole = [n for n, (_, is_whole) in self._so_far.items() if is_whole and n < len(info.ranges)]
        planned = sum(info.ranges[n].rows for n in whole)
        found_there = sum(self._so_far[n][0] for n in whole)
        total = round(info.rows * found_there / planned) if planned and found_there else info.rows
        size = sum(d.size for d in self.journal.done.values())
        return Progress("extract", done, max(total, done), size=size)

    def _may_reread(self, error: BaseException) -> bool:
        """A connection broke, and the snapshot may still be there: other sessions hold it."""
        return _lost(error) and not isinstance(error, SnapshotGoneError) and not self._stop.is_set()

    def _may_reopen(self, error: BaseException) -> bool:
        return _lost(error) and self._begun and not self._strict

    def _again(self, which: Callable[[BaseException], bool], longest: float) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(which),
            stop=tenacity.stop_after_attempt(self._settings.source.retries + 1),
            wait=tenacity.wait_exponential(multiplier=0.2, max=longest),
            reraise=True,
        )


def _lost(error: BaseException) -> bool:
    """May another try help? Not where data were changed on the way: who reads has to know of it."""
    return isinstance(error, SourceLostError | ConnectError) and not isinstance(error, DamagedStreamError)


@contextmanager
def _no_collector() -> Iterator[None]:
    """A row of PostgreSQL is an object, none is in a cycle: the collector would take a quarter of the time and more."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _told_with(lost: list[SourceLostError]) -> Iterator[None]:
    """Where the snapshot turns out to be gone, what took it away is said: what was `lost` before."""
    try:
        yield
    except SnapshotGoneError as gone:
        if not lost:
            raise
        raise SnapshotGoneError(f"{lost[0].problem}; then {gone.problem}", lost[0].next_step) from gone
    except SourceLostError as error:
        lost.append(error)
        raise
