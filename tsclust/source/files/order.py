"""What long rows of files are sorted by: a column in a type that keeps all of it, or the times that its texts tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tsclust.errors import BadSeriesError
from tsclust.source.carried_times import thousandth, type_of
from tsclust.source.columns import Column, Kind
from tsclust.source.files.looks import Looks
from tsclust.source.protocols import Rows
from tsclust.source.time_text import DAY, NUMBER, TimeForm
from tsclust.wording.english import counted


@dataclass(frozen=True)
class Order:
    """read_as: the type that the column is read as;  type: what is sorted by"""

    name: str
    read_as: pa.DataType
    type: pa.DataType
    form: TimeForm | None
    look: Looks

    @classmethod
    def of(cls, rows: Rows, schema: pa.Schema, name: str, look: Looks) -> Order:
        """The order of the column `name`, "" where there is none. Raises BadSeriesError for texts that tell no time."""
        if not name:
            return cls("", pa.null(), pa.null(), None, look)
        exact = exact_types(rows).get(name)
        shown = schema.field(name).type if name in schema.names else None
        if exact is not None or not pa.types.is_string(shown):
            type_ = exact or (pa.int64() if pa.types.is_integer(shown) else shown)
            return cls(name, type_, type_, None, look)
        form = look.time_form(name)
        return cls(name, pa.string(), pa.int64() if form.pattern else NUMBER, form, look)

    @property
    def of_day(self) -> bool:
        """Does it start anew at midnight?"""
        return self.form is not None and self.form.of_day

    @property
    def moment(self) -> pa.DataType | None:
        """What the times are carried as; None for what is no date or time of one: numbers, durations, times of day."""
        if self.form is not None:
            return None if self.form.of_day or "(?P<y>" not in self.form.pattern else type_of(self.form)
        if pa.types.is_timestamp(self.type):
            return pa.timestamp("us", self.type.tz)
        return pa.date32() if pa.types.is_date(self.type) else None

    def moments(self, column: pa.Array) -> pa.Array:
        """The times of rows as they are carried, fractions of a microsecond rounded down."""
        if self.form is not None:
            return thousandth(self._parsed(column)).cast(pa.timestamp("us")).cast(self.moment, safe=False)
        return column.cast(self.moment, safe=False)

    def places(self, column: pa.Array) -> pa.Array:
        """The places of rows in their series. Raises BadSeriesError where a row has none."""
        if self.form is not None:
            column = self._parsed(column)
        lost = column.is_null()
        if pa.types.is_floating(column.type):
            lost = pc.fill_null(pc.is_nan(column), True)
        if pc.any(lost).as_py():
            raise BadSeriesError(
                f"{self.look.label}: {counted(pc.sum(lost).as_py(), 'row')} without {self.name}: expected one in each,"
                " as it orders the values",
                f"Exclude them: --where '\"{self.name}\" IS NOT NULL', or name another column with --order",
            )
        return column

    def _parsed(self, texts: pa.Array) -> pa.Array:
        texts = self.look.with_nulls(texts)
        assert self.form is not None
        places, _ = self.form.parse(texts)
        if places.null_count > texts.null_count:
            raise self.look.bad_time(self.name, self.form)
        return places


class Days:
    """Holds times of day against midnight, where they begin again: no series may reach over it.

    Twelve hours are more than an operation takes; a series that seems to take more goes from 23:59 to 0:01.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._ends: list[pa.Table] = []

    def add(self, ids: pa.Array, places: pa.Array) -> None:
        """Note the first and the last time of each series."""
        self._ends.append(_ends(pa.table({"id": ids, "low": places, "high": places})))

    def check(self) -> None:
        """Raises BadSeriesError where a series spans more than half a day."""
        if not self._ends:
            return
        ends = _ends(pa.concat_tables(self._ends))
        long = ends.filter(pc.greater(pc.subtract(ends["high"], ends["low"]), DAY // 2))
        if len(long):
            raise BadSeriesError(
                f"{self._order.look.label}: the times of day in {self._order.name} of series {pc.min(long['id'])} span"
                " more than 12 hours, as those do that pass midnight: expected times that order the values",
                "Write date and time in one column and name it with --order, or if it is no time of day but counts from"
                " 0 name them so (--time-format duration)",
            )


def _ends(table: pa.Table) -> pa.Table:
    found = table.group_by("id").aggregate([("low", "min"), ("high", "max")])
    return found.select(["id", "low_min", "high_max"]).rename_columns(["id", "low", "high"])


def exact_types(rows: Rows) -> Mapping[str, pa.DataType]:
    """The types that order a column exactly, where the one that is shown does not: name -> type, for all files."""
    parts = getattr(rows, "parts", (rows,))
    return {name: type_ for part in parts for name, type_ in getattr(part, "orders", {}).items()}


def columns_of(rows: Rows, schema: pa.Schema) -> list[Column]:
    """The columns for the layout, those too that are good for nothing but to order by."""
    left_out: Mapping[str, str] = getattr(rows, "left_out", {})
    there = [Column(f.name, kind(f.type), str(f.type)) for f in schema]
    return there + [Column(n, "time", "duration") for n in exact_types(rows) if n in left_out]


def kind(type_: pa.DataType) -> Kind:
    """What a column of this type may be in a layout."""
    tests: tuple[tuple[Kind, bool], ...] = (
        ("integer", pa.types.is_integer(type_)),
        ("number", pa.types.is_floating(type_)),
        ("numbers", pa.types.is_list(type_)),
        ("text", pa.types.is_string(type_)),
        ("time", pa.types.is_temporal(type_)),
    )
    return next((kind for kind, fits in tests if fits), "other")
