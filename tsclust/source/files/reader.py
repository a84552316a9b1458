"""Series out of files: their layout is found as a table's is, and they are read in one pass."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tsclust import config
from tsclust.config import Source
from tsclust.errors import NoSeriesError, QueryError, TsclustError
from tsclust.hashing import hash_ids
from tsclust.source import checks, numbered
from tsclust.source.carried_times import CarriedTimes
from tsclust.source.columns import Key, shortened
from tsclust.source.ends import ends_of, moment
from tsclust.source.files import discovery, paths
from tsclust.source.files.first_rows import all_different, same_in_series
from tsclust.source.files.looks import Looks
from tsclust.source.files.order import Days, Order, columns_of, kind
from tsclust.source.files.several import FILE_NAME
from tsclust.source.files.spellings import Spellings
from tsclust.source.files.unchanged import Unchanged
from tsclust.source.identity import joined, sameness
from tsclust.source.layouts import FILE, ORDER, Layout, free_name, layout, naming_ends, same_only
from tsclust.source.number_text import with_nulls
from tsclust.source.numbered import FEWEST_WIDE
from tsclust.source.protocols import OnBytes, Range, RowFilter, Rows, SourceInfo, Tables, first_batch
from tsclust.source.spill import spilling


class FileReader:
    """Reads all of some rows, in one pass."""

    def __init__(
        self, rows: Rows, schema: pa.Schema, source: Source, layout: Layout, order: Order, times: CarriedTimes,
        unchanged: Unchanged,
    ) -> None:  # fmt: skip
        self._times, self._unchanged = times, unchanged
        self._rows, self._schema, self._source, self._layout, self._order = rows, schema, source, layout, order
        folders, files = getattr(rows, "folders", ()), getattr(rows, "files", ())
        columns = {column.name: column for column in columns_of(rows, schema)}
        self._same = sameness(layout, columns, source, folders, files)
        self._types = _types(schema, layout, order)
        by_file = self._same is not None and len(files) > 1
        grouped = order.look.as_text(layout.values)
        self._flat = _flat_schema(self._types | times.types, layout, schema.names, order, by_file=by_file)
        self._types |= grouped
        self.info = _found(rows, source, layout, self._flat, times)

    def batches(self, range_: Range) -> Iterator[pa.RecordBatch]:
        """Files have no ranges."""
        raise NotImplementedError

    def parts(self, folder: Path, keep: RowFilter, tell: OnBytes) -> Tables:
        """All series, a part at a time, by way of a file in `folder`. Errors are those of the rows and of `Spill`."""
        left = self._source.limit or None
        types = {n: self._schema.field(n).type for n in _asked_by_where(self._schema, self._source)} | self._types
        types |= {FILE: pa.int32()} if FILE in self._flat.names else {}
        long = self._layout.form == "long"
        with (
            spilling(folder, self._flat, long, self._same, self._source.longest) as spill,
            closing(self._rows.read(types, tell)) as batches,
        ):
            rows, days, spellings = 0, Days(self._order), self._spellings()
            with self._unchanged.held():
                for batch in batches:
                    named = self._named(self._filtered(self._typed(self._without_nan(batch))))
                    checks.refuse_nameless(named.column(0), rows, self._layout.ids)
                    rows += named.num_rows
                    spellings.add(named.column(0))
                    if self._order.of_day:
                        days.add(named.column(0), named.column(1))
                    spill.add(keep(self._sampled(named)))
            days.check()
            spellings.check()
            for table in spill.series(self._source.part_rows):
                yield table.slice(0, left)
                left = None if left is None else left - min(table.num_rows, left)
                if left == 0:
                    return

    def prepare(self, say: Callable[[str], None]) -> None:
        """Nothing to do."""

    def cancel(self) -> None:
        """Nobody else reads."""

    def _spellings(self) -> Spellings:
        id_ = self._layout.id
        of: Mapping[str, str] = {} if self._layout.joined else getattr(self._rows, "spelled", {})
        return Spellings(self._rows.label, id_, of.get(id_, ""))

    def _typed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with times and numbers in place of the texts of them."""
        return self._order.look.numbers(self._times.typed(batch), self._layout.values)

    def _filtered(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return _where(batch, self._source.where) if self._source.where.strip() else batch

    def _named(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns under our names, in our order."""
        layout = self._layout
        order = [layout.order] if layout.order else []
        columns = [self._ids(batch), *(self._order.places(batch.column(n)) for n in order)]
        columns += [batch.column(FILE)] if FILE in self._flat.names else []
        columns += [self._order.moments(batch.column(layout.order))] if layout.ends else []
        columns += [batch.column(n) for n in layout.carry]
        values = _stacked(batch, layout.values, self._flat) if layout.form == "wide" else batch.column(layout.values[0])
        return pa.record_batch([*columns, values], schema=self._flat)

    def _without_nan(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """NULL for an id that is NaN: what had no id became that among floats."""
        for name in self._layout.ids:
            if pa.types.is_floating(self._schema.field(name).type):
                number, texts = batch.schema.get_field_index(name), batch.column(name)
                texts = pc.if_else(pc.equal(pc.utf8_lower(texts), "nan"), None, texts)
                batch = batch.set_column(number, batch.schema.field(number), texts)
        return batch

    def _ids(self, batch: pa.RecordBatch) -> pa.Array:
        parts = [batch.column(name) for name in self._layout.ids]
        return joined(parts) if self._layout.joined else parts[0]

    def _sampled(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._source.share == 1:
            return batch
        low = hash_ids(batch.column(0), 1) < np.uint64(self._source.share * 2.0**64)
        return batch.filter(pa.array(low))


def reader(source: Source, base: Path) -> FileReader:
    """A reader of the files that `source` names, relative to `base`.

    Raises SettingsError, SourceFileError, QueryError where their columns hold no series, NoSeriesError, BadSeriesError.
    """
    unchanged = Unchanged.of(paths.found(source.files, base))
    rows = discovery.opened(source.files, source.table, base, source.missing)
    schema = _with_empty(rows, source)
    if FILE_NAME in (*source.id.split(","), *source.carry) and FILE_NAME in getattr(rows, "folders", ()):
        schema = schema.append(pa.field(FILE_NAME, pa.string()))
    _refuse_generated(rows, source)
    look = Looks(rows, source.missing, source.time_format)
    try:
        found = _layout(rows, schema, source, look)
    except QueryError as error:
        raise _why(error, rows) from None
    if found.form == "long" and "*" in source.carry:
        found = same_only(found, same_in_series(rows, schema, source, found))
    order = Order.of(rows, schema, found.order, look)
    if order.moment is not None:
        found = naming_ends(found, source.carry, schema.names)
    taken = (*found.ids, found.order, *found.values)
    texts = (n for n in dict.fromkeys((*found.carry, *_asked_by_where(schema, source))) if n not in taken)
    times = look.carried_times([n for n in texts if pa.types.is_string(schema.field(n).type)], source.times)
    return FileReader(rows, schema, source, found, order, times, unchanged)


def _asked_by_where(schema: pa.Schema, source: Source) -> list[str]:
    return [name for name in schema.names if name in source.where]


def _refuse_generated(rows: Rows, source: Source) -> None:
    """Raises QueryError for a setting that names a column that the server computes: a dump has none of its values."""
    asked = (*source.id.split(","), source.order, source.values, *source.carry)
    for name in getattr(rows, "generated", ()):
        if name in asked:
            raise QueryError(
                f"{rows.label}: column {name} is generated by the server: a dump has none of its values",
                "Export the table on the server: \\copy (SELECT * FROM TABLE) TO 'rows.csv' CSV HEADER",
            )


def _layout(rows: Rows, schema: pa.Schema, source: Source, look: Looks) -> Layout:
    """The layout. What is different in each of the first rows is no id of long rows, whatever it is called."""
    keys: list[Key] = list(getattr(rows, "keys", ()))
    while True:
        found = layout(rows.label, columns_of(rows, schema), keys, source, look)
        if found.form != "long" or source.id or found.joined or not all_different(rows, schema, found.id):
            return found
        keys.append(Key((found.id,), unique=True))


def _why(error: QueryError, rows: Rows) -> TsclustError:
    """The error for columns that make no series: there may be no rows that tell types, or columns nobody can use."""
    first = first_batch(rows, {f.name: f.type for f in rows.schema})
    if first is None or not first.num_rows:
        return NoSeriesError(f"{rows.label} has no series: expected at least one row", "Check how it was made")
    left_out: Mapping[str, str] = getattr(rows, "left_out", {})
    return QueryError("; ".join([error.problem, *left_out.values()]), error.next_step) if left_out else error


def _with_empty(rows: Rows, source: Source) -> pa.Schema:
    """The columns of `rows`. One with nothing in its first rows is a number where those called like it are."""
    schema = rows.schema
    families = Counter(_family(f.name) for f in schema if kind(f.type) in ("integer", "number"))
    alike = [f.name for f in schema if pa.types.is_string(f.type) and _family(f.name) and families[_family(f.name)]]
    first = first_batch(rows, dict.fromkeys(alike, pa.string())) if alike else None
    empty = [n for n in alike if first is not None and _is_empty(first.column(n), source.missing)]
    for name in empty:
        several = families[_family(name)] + sum(_family(n) == _family(name) for n in empty) >= FEWEST_WIDE
        wide = several or source.layout == "wide"
        if numbered.fits(name, source.values) if source.values else wide:
            schema = schema.set(schema.get_field_index(name), pa.field(name, pa.float64()))
    return schema


def _is_empty(texts: pa.Array, missing: Sequence[str]) -> bool:
    return bool(with_nulls(texts, missing).null_count == len(texts))


def _family(name: str) -> str:
    """What the columns of a wide table have in common: v0 -> v."""
    return re.sub(r"\d+(?=\D*$)", "0", name) if any(map(str.isdigit, name)) else ""


def _types(schema: pa.Schema, layout: Layout, order: Order) -> dict[str, pa.DataType]:
    """Which columns are read, and as what."""
    of = {name: schema.field(name).type for name in schema.names}
    types = {name: of[name] for name in layout.carry}
    types |= {name: pa.int64() if pa.types.is_integer(of[name]) else pa.string() for name in layout.ids}
    if layout.order:
        types[layout.order] = order.read_as
    if layout.form == "array":
        return types | {layout.values[0]: of[layout.values[0]]}
    single = all(pa.types.is_float32(of[name]) for name in layout.values)
    return types | dict.fromkeys(layout.values, pa.float32() if single else pa.float64())


def _flat_schema(
    types: dict[str, pa.DataType], layout: Layout, names: list[str], by: Order, *, by_file: bool
) -> pa.Schema:
    """What goes into the spill: series_id, the order of long rows, their file, carried columns, values."""
    order: list[tuple[str, pa.DataType] | pa.Field] = [(ORDER, by.type)] if layout.order else []
    order += [(FILE, pa.int32())] if by_file else []
    order += [moment(by.moment, layout.ends)] if layout.ends else []
    carried = [(free_name(name, names), types[name]) for name in layout.carry]
    values = types[layout.values[0]]
    id_ = pa.string() if layout.joined else types[layout.id]
    return pa.schema([("series_id", id_), *order, *carried,
                      ("values", pa.list_(values) if layout.form == "wide" else values)])  # fmt: skip


def _found(rows: Rows, source: Source, layout: Layout, flat: pa.Schema, times: CarriedTimes) -> SourceInfo:
    *first, values = (end for field in flat if field.name not in (ORDER, FILE) for end in ends_of(field))
    schema = pa.schema([*first, ("values", pa.list_(values.type) if layout.form == "long" else values.type)])
    return SourceInfo(
        origin=rows.label, location_hash=config.digest(source.files, source.table),
        identity=config.digest(source, schema.to_string()), layout=f"{layout}{times}{_not_read(rows)}",
        settings=layout.settings, schema=schema, snapshot="", ranges=(), rows=0, high_watermark=None, size=rows.size,
    )  # fmt: skip


def _not_read(rows: Rows) -> str:
    """What is not read, for the output: lines of the first CSV that are no rows, columns that the server computes."""
    first = getattr(rows, "parts", (rows,))[0]
    head = getattr(first, "head", None)
    skipped: Sequence[str] = getattr(head, "skipped", ())
    unnamed = "" if getattr(head, "has_names", True) else "; no header: the first column is the id"
    absent = ", ".join(getattr(rows, "generated", ()))
    lines = f"; no rows: {', '.join(shortened(line, 30) for line in skipped)}" if skipped else ""
    return unnamed + lines + (f"; not in a dump: {absent} (generated by the server)" if absent else "")


def _where(batch: pa.RecordBatch, condition: str) -> pa.RecordBatch:
    """The rows for which an SQL condition holds. Polars parses it: nothing is run as code."""
    import polars as pl

    said = f"source.where = {condition!r}"
    try:
        pl.sql_expr(condition)  # one expression: nothing hides behind a ) or a ;
        rows = pl.SQLContext({"rows": pl.DataFrame(batch)}, eager=True)  # knows the types: '2024-01-31' may be a date
        mask = rows.execute(f"SELECT ({condition}\n) AS kept FROM rows")["kept"]  # noqa: S608
    except pl.exceptions.PolarsError as error:
        step = 'Correct the condition: put a column named like an SQL word in quotes, "values"'
        raise QueryError(f"{said}: {str(error).splitlines()[0]}", step) from None
    if mask.dtype not in (pl.Boolean, pl.Null) or len(mask) != batch.num_rows:
        raise QueryError(f"{said}: expected true or false for each row", "Compare a column with something")
    return batch.filter(mask.cast(pl.Boolean).fill_null(value=False).to_arrow())


def _stacked(batch: pa.RecordBatch, names: tuple[str, ...], flat: pa.Schema) -> pa.ListArray:
    """A list for each row of a wide table, without the NULLs that fill it up at the end."""
    columns = [batch.column(name) for name in names]
    matrix = np.stack([c.to_numpy(zero_copy_only=False) for c in columns], axis=1)
    null = np.stack([c.is_null().to_numpy(zero_copy_only=False) for c in columns], axis=1)
    type_ = flat.field("values").type
    values = pa.array(matrix.reshape(-1), type_.value_type, mask=null.reshape(-1))
    ends = pa.array(np.arange(len(batch) + 1) * len(names), pa.int32())
    return checks.trimmed(pa.ListArray.from_arrays(ends, values, type=type_))
