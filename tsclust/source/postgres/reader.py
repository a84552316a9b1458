"""A million series out of PostgreSQL: one snapshot; ranges of ids where an index opens them, else one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock

import pyarrow as pa
from psycopg import Error, sql

from tsclust import config
from tsclust.config import Source
from tsclust.errors import BadSeriesError
from tsclust.source import checks
from tsclust.source.carried_times import CarriedTimes
from tsclust.source.columns import for_shell
from tsclust.source.long_rows import counts_of, once, with_counts, without_counts
from tsclust.source.postgres import contradictions, copy, copy_rows
from tsclust.source.postgres.query import selected
from tsclust.source.postgres.ranges import Origin
from tsclust.source.postgres.ranges import ranges as plan_ranges
from tsclust.source.postgres.relation import relation
from tsclust.source.postgres.select import CHECK, Selection, of_q
from tsclust.source.postgres.session import (
    Connection,
    DamagedStreamError,
    PooledError,
    join_snapshot,
    open_snapshot,
    started_at,
    translate_errors,
)
from tsclust.source.protocols import OnBytes, PlannedRanges, Range, RowFilter, SourceInfo, Tables
from tsclust.source.spill import spilling

# A standby has the system identifier of its primary.
_WHERE = """SELECT pg_export_snapshot(), (SELECT system_identifier::text FROM pg_control_system()), oid::text
    FROM pg_database WHERE datname = current_database()"""


# Its trim takes spaces alone, and classes of characters are those of a locale.
HAS_TEXT = (
    r'"{}"::text ~ $$[^\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$$'
)


class PostgresReader:
    """Reads ranges of one snapshot, or all of it. Any number of threads may call `batches`."""

    def __init__(
        self, dsn: str, holder: Connection, selection: Selection, times: CarriedTimes, found: SourceInfo, source: Source
    ) -> None:
        self.info, self._times = found, times
        self._dsn, self._holder, self._selection = dsn, holder, selection
        self._part_rows, self._longest = source.part_rows, source.longest
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        self._busy: set[Connection] = set()
        self._server_start = started_at(holder)
        self._alone, self._one_at_a_time = False, Lock()

    def batches(self, range_: Range) -> Iterator[pa.RecordBatch]:
        """The series of `range_`, ascending by id in the server's order. A NULL array stays NULL, NULL elements too.

        Raises SourceLostError (DamagedStreamError where what came is no server's), QueryError, ConnectError, or
        BadSeriesError (an id twice, text that is not UTF-8, an array of several dimensions).
        """
        before: pa.RecordBatch | None = None
        rows = 0
        query, schema = self._selection.between(range_.low, range_.high), self._selection.checked_schema
        for batch in self._copied(query, schema):
            checks.refuse_nameless(batch.column(0), rows, self._selection.layout.ids, HAS_TEXT)
            rows += batch.num_rows
            last = batch.slice(batch.num_rows - 1)
            batch, before = once(batch, before), last
            yield self._times.typed(self._checked(batch))

    def parts(self, folder: Path, keep: RowFilter, tell: OnBytes) -> Tables:
        """All series in one pass, a part at a time, by way of a file in `folder`; tell(n) counts bytes in memory."""
        long = self._selection.layout.form == "long"
        schema, same = self._one_pass_schema, self._selection.same
        batches = self._copied(self._selection.flat() if long else self._selection.all(), schema)
        counts = Counter[str]()
        with spilling(folder, schema, long, same, self._longest, HAS_TEXT) as spill:
            for batch in batches:
                counts += counts_of(batch.schema)
                spill.add(keep(without_counts(batch)))
                tell(batch.nbytes)
            for table in spill.series(self._part_rows):
                typed = pa.Table.from_batches(
                    map(self._times.typed, table.to_batches()), self._times.schema(table.schema)
                )
                yield with_counts(typed, counts + counts_of(table.schema))
                counts = Counter[str]()

    def prepare(self, say: Callable[[str], None]) -> None:
        """Compile the kernels."""
        say("compiling kernels (the first time only)")
        copy_rows.compile_for(self._selection.checked_schema if self.info.ranges else self._one_pass_schema)

    def cancel(self) -> None:
        """End what is being read: the readers get an error."""
        for connection in tuple(self._busy):
            with suppress(Error):
                connection.cancel_safe(timeout=2)

    def close(self) -> None:
        """Close every connection, also those that an error left amid a COPY. Nobody may read any more."""
        while not self._idle.empty():
            self._idle.get_nowait().close()
        for connection in tuple(self._busy):
            connection.close()

    @property
    def _one_pass_schema(self) -> pa.Schema:
        """Long rows in one pass come as they lie: to group them here takes the server nothing."""
        return self._selection.flat_schema if self._selection.layout.form == "long" else self._selection.schema

    def _copied(self, query: sql.Composed, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        wide = self._selection.layout.form == "wide"
        with translate_errors(self._selection.relation.label), self._connection() as connection:
            for batch in self._explained(copy.batches(connection, query, schema)):
                if wide:
                    last = batch.num_columns - 1
                    batch = batch.set_column(last, "values", checks.trimmed(batch.column(last)))
                yield batch

    def _explained(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches; arrays of several dimensions are refused with the query that reads one column of them."""
        layout, label = self._selection.layout, self._selection.relation.label
        try:
            yield from batches
        except DamagedStreamError as error:
            raise DamagedStreamError(f"{label}: {error.problem}") from None
        except copy_rows.DimensionsError as error:
            ids = ", ".join(f'"{name}"' for name in layout.ids)
            query = f'SELECT {ids}, {self._selection.second} AS "values" FROM {label}'  # noqa: S608 - shown, not run
            step = f"Read one column of it, for example the second (--query {for_shell(query)})"
            raise copy_rows.DimensionsError(error.problem, f"{step}, or exclude such series with --where") from None

    def _checked(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The series of grouped rows without CHECK, which must find nothing. Raises BadSeriesError."""
        if CHECK not in batch.schema.names:
            return batch
        found = batch.column(CHECK).to_numpy()
        if found.min(initial=0) < 0:
            row = int(found.argmin())
            raise self._contradiction(batch.column(0)[row], int(found[row]))
        batch = batch.drop_columns([CHECK])
        counted = with_counts(pa.Table.from_batches([batch]), {checks.REPEATED: int(found.sum())})
        return counted.to_batches()[0] if found.any() else batch

    def _contradiction(self, id_: pa.Scalar, code: int) -> BadSeriesError:
        """The error for a series that CHECK refuses, with what is there where a further connection can look."""
        column = "" if code == -1 or not self._selection.same else self._selection.same.called[-2 - code]
        if (connection := self._another()) is None:
            return contradictions.unseen(self._selection, id_, column)
        with closing(connection):
            return contradictions.seen(connection, self._selection, id_, column)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """An idle or a new connection on the snapshot; one that met an error is not used again."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            another = self._another()
            connection = self._holder if another is None else another
        with self._one_at_a_time if connection is self._holder else nullcontext(), self._used(connection):
            yield connection
        if connection is not self._holder:
            self._idle.put(connection)

    def _another(self) -> Connection | None:
        """A further connection; None where a pooler has but one for us, which holds the snapshot and reads too."""
        if not self._alone:
            try:
                return join_snapshot(self._dsn, self._holder, self.info.snapshot, self._server_start)
            except PooledError:
                self._alone = True
        return None

    @contextmanager
    def _used(self, connection: Connection) -> Iterator[None]:
        self._busy.add(connection)
        try:
            yield
        except BaseException:
            connection.close()
            raise
        finally:
            self._busy.discard(connection)


@contextmanager
def opened(
    dsn: str, source: Source, base: Path, frozen: PlannedRanges = lambda _: None, after: str | None = None
) -> Iterator[PostgresReader]:  # fmt: skip
    """A reader of `source` on one snapshot, which lasts as long as the context.

    dsn: a libpq URI or key=value; "" = PGHOST, PGSERVICE, .pgpass ...  base: the folder of the query's file.
    frozen: identity -> the ranges of an earlier plan, to go on with it. after: the mark of the last reading, to read
    what is new.
    Raises SettingsError, ConnectError, QueryError, BadSeriesError (an id that is NULL).
    """
    from_ = relation(source, base)
    with closing(open_snapshot(dsn)) as holder:
        with translate_errors(from_.label):
            selection, times, origin = selected(holder, from_, source, after)
            found = _found(holder, selection, times, origin, source, frozen, after)
        with closing(PostgresReader(dsn, holder, selection, times, found, source)) as reader:
            yield reader


def _found(
    holder: Connection,
    selection: Selection,
    times: CarriedTimes,
    origin: Origin | None,
    source: Source,
    frozen: PlannedRanges,
    after: str | None,
) -> SourceInfo:
    label, info = selection.relation.label, holder.info
    snapshot, cluster, database = holder.execute(_WHERE).fetchone() or ("", "", "")
    place = config.digest(info.dbname, cluster, database)
    schema = times.schema(selection.schema)
    what = (selection.all().as_string(holder), schema.to_string(), str(source.part_rows))
    ranges = frozen(identity := config.digest(place, *what))
    if ranges is None:
        by_watermark = source.watermark and after is not None  # an index on it may serve, one on the id will not
        ranges = () if by_watermark else plan_ranges(holder, selection, origin, source.part_rows, source.share)
    if len(ranges) > 1:
        _refuse_null(holder, selection)
    if ranges and selection.order and selection.same:
        contradictions.refuse_pauses(holder, selection)
    version = (info.parameter_status("server_version") or "").split()[0]
    return SourceInfo(
        origin=f"{label} on PostgreSQL {version}, database {info.dbname}", location_hash=place, identity=identity,
        layout=f"{selection.layout}{times}", settings=selection.layout.settings, schema=schema, snapshot=snapshot,
        ranges=ranges, rows=sum(r.rows for r in ranges), high_watermark=_mark(holder, selection, source, bool(ranges)),
    )  # fmt: skip


def _refuse_null(holder: Connection, selection: Selection) -> None:
    """A NULL id lies in no range: it would be left out without a word."""
    missing = selection.where(sql.SQL("{} IS NULL").format(selection.key)).source
    ((nulls,),) = holder.execute(sql.SQL("SELECT count(*) FROM {}").format(missing), binary=True).fetchall()
    if nulls:
        label, id_ = selection.relation.label, selection.layout.id
        raise BadSeriesError(
            f"{nulls} rows of {label} have no {id_} (NULL)", f"Exclude them: --where '{id_} IS NOT NULL'"
        )


def _mark(holder: Connection, selection: Selection, source: Source, ranged: bool) -> str | None:
    """How far this snapshot goes: the highest watermark, or the highest id where an index tells it."""
    column = of_q(source.watermark) if source.watermark else selection.key
    if not (source.watermark or ranged):
        return None
    there = selection.where(sql.SQL("{} IS NOT NULL").format(column)).source
    query = sql.SQL("SELECT {0}::text FROM {1} ORDER BY {0} DESC LIMIT 1").format(column, there)
    row = holder.execute(query, binary=True).fetchone()
    return row[0] if row else None
