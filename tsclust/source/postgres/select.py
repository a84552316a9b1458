"""From a layout to SQL: one SELECT that gives series_id, the carried columns and values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from psycopg import sql
from psycopg.postgres import types as pg

from tsclust.source.columns import Column, Kind
from tsclust.source.ends import moment
from tsclust.source.layouts import MOMENT, ORDER, Layout, free_name
from tsclust.source.long_rows import Sameness
from tsclust.source.postgres.relation import Relation
from tsclust.source.time_text import NUMBER

_FINITE = "CASE WHEN isfinite({0}) THEN {0} END"  # Arrow has no infinite dates: they become NULL
_MOMENT = "CASE WHEN isfinite({0}) AND {0} < '294247-01-01' THEN {0} END"  # nor does it count microseconds further
_TEXT = ("{0}::text", pa.string())  # what has no type of its own in a Parquet file: uuid, enum, json, arrays, ...
_CARRIED = {
    pg["bool"].oid: ("{0}", pa.bool_()),
    pg["int2"].oid: ("{0}", pa.int16()),
    pg["int4"].oid: ("{0}", pa.int32()),
    pg["int8"].oid: ("{0}", pa.int64()),
    pg["float4"].oid: ("{0}", pa.float32()),
    pg["float8"].oid: ("{0}", pa.float64()),
    pg["numeric"].oid: ("{0}::float8", pa.float64()),
    pg["text"].oid: ("{0}", pa.string()),
    pg["varchar"].oid: ("{0}", pa.string()),
    pg["date"].oid: (_FINITE, pa.date32()),
    pg["timestamp"].oid: (_MOMENT, pa.timestamp("us")),
    pg["timestamptz"].oid: (_MOMENT, pa.timestamp("us", "UTC")),
}
MOMENTS = tuple(pg[name].oid for name in ("date", "timestamp", "timestamptz"))
_INTEGERS = tuple(pg[name].oid for name in ("int2", "int4", "int8"))
_ONE_TEXT = tuple(pg[name].oid for name in ("text", "varchar", "uuid"))
_FLOATS = tuple(pg[name].oid for name in ("float4", "float8", "numeric"))
_IDS = {oid: ("{0}::int8", pa.int64()) for oid in _INTEGERS}
_IDS |= {oid: ("nullif({0}::text, 'NaN')", pa.string()) for oid in _FLOATS}  # what had no id is NaN among floats
CHECK = "tsclust check"  # how many rows of a series repeat a place and its value; below 0 what contradicts
# A NULL is a place too.
_REPEATED = "count(*) - count(DISTINCT s.place) - (count(*) > count(s.place))::int"
_CHECKED = f"""CASE WHEN s."{CHECK}" > 0 AND (SELECT count(*) FROM (SELECT DISTINCT p, v FROM unnest(s.places, s.values)
    AS u(p, v)) AS pairs) > cardinality(s.values) - s."{CHECK}" THEN -1 ELSE s."{CHECK}" END AS "{CHECK}" """  # noqa: S608
_KEPT = f"""CASE WHEN s."{CHECK}" > 0 THEN ARRAY(SELECT v FROM (SELECT DISTINCT ON (p) v, n FROM unnest(s.places,
    s.values) WITH ORDINALITY AS u(p, v, n) ORDER BY p, n) AS kept ORDER BY n) ELSE s.values END AS values"""  # noqa: S608
_JOINED = r"replace(replace({}::text, '\', '\\'), '/', '\/')"  # so that no two rows of cells give one id
_ARRAYS = {
    pg["float4"].array_oid: ("{0}", pa.list_(pa.float32())),
    pg["float8"].array_oid: ("{0}", pa.list_(pa.float64())),
}
_JSON = {pg["json"].oid: "json", pg["jsonb"].oid: "jsonb"}
# An object is no series, {} is not an empty one: the text of it makes an error that shows it.
# The second number of each pair, where values are pairs: of a time and a value, mostly.
_SECOND = "ARRAY(SELECT unnest({0}[:][2:2]))"
_SECOND_OF_JSON = "ARRAY(SELECT (p->>1)::float8 FROM {1}_array_elements({0}) WITH ORDINALITY AS e(p, n) ORDER BY n)"
_JSON_LIST = """CASE {}_typeof({{0}}) WHEN 'array' THEN translate({{0}}::text, '[]', '{{{{}}}}')::float8[]
    WHEN 'null' THEN NULL ELSE ('not an array: ' || {{0}}::text)::float8[] END"""


@dataclass(frozen=True)
class Described:
    """A column as the server describes it."""

    name: str
    oid: int
    type: str  # "double precision[]"
    category: str  # pg_type.typcategory: N numbers, S text, A arrays, ...
    element: str  # the category of an array's elements, else ""
    one_text: bool = True  # is each value always written in the same way?

    @property
    def column(self) -> Column:
        """The same for the layout."""
        kinds: dict[str, Kind] = {"N": "number", "S": "text", "D": "time", "T": "time", "U": "other", "E": "text"}
        kind = "numbers" if self.element == "N" else kinds.get(self.category, "other")
        kind = "json" if self.oid in _JSON else "integer" if self.oid in _INTEGERS else kind
        # A uuid may well be an id; a point, a range or a composite never is.
        return Column(self.name, kind, self.type)


@dataclass(frozen=True)
class Output:
    """A column of the series table and the SQL that gives it."""

    name: str
    expression: sql.Composable
    type: pa.DataType


@dataclass(frozen=True)
class Selection:
    """The SELECT of a source: series_id first, values last. Long rows come out grouped, or as they are (`flat`)."""

    relation: Relation
    layout: Layout
    key: sql.Composable  # the id in its own type: ranges compare by it
    id_template: str  # from the key to series_id
    one_text: bool  # are equal ids equal as series_id?
    outputs: tuple[Output, ...]
    order: Output | None  # of long rows
    second: str = ""  # SQL for the second of each pair, where the values are pairs
    same: Sameness | None = None  # what the rows of a series have in common, where that is to be checked
    places: bool = True  # may a series have two rows at one place, for all that the keys say?
    conditions: tuple[sql.Composable, ...] = ()
    bounds: tuple[tuple[str, str], ...] = ()  # of ids: (">", "17")

    @property
    def flat_schema(self) -> pa.Schema:
        """That of `flat`: series_id, the order, carried columns, one value."""
        first, *carried, values = self.schema
        order = [(self.order.name, self.order.type)] if self.order else []
        if ends := self.layout.ends:
            (one, _), carried = carried[:2], carried[2:]
            order.append(moment(one.type, ends))
        return pa.schema([first, *order, *carried, ("values", values.type.value_type)])

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(o.name, o.type) for o in self.outputs])

    @property
    def checked_schema(self) -> pa.Schema:
        """That of `all` and `between`: before the values, CHECK for series that are grouped here."""
        *first, values = self.schema
        return pa.schema([*first, *([pa.field(CHECK, pa.int64())] if self.order and self.same else []), values])

    def where(self, *more: sql.Composable) -> Selection:
        """The same with these conditions too, on the columns of q."""
        return replace(self, conditions=(*self.conditions, *more))

    def bounded(self, *bounds: tuple[str, str]) -> Selection:
        """The same for these ids only: (operator, id as text)."""
        return replace(self, bounds=(*self.bounds, *bounds))

    def between(self, low: str | None, high: str | None) -> sql.Composed:
        """The SELECT of the series with low <= id < high, ascending by id; None is an open end."""
        ends = [(sign, end) for sign, end in ((">=", low), ("<", high)) if end is not None]
        key = sql.SQL("s.by_id") if self.order else self.key
        # Equal ids may have several texts (numeric 1.0 and 1.00): those that are the same stand together then.
        more = sql.SQL("") if self.one_text else sql.SQL(", series_id")
        return sql.SQL("{} ORDER BY {}{}").format(self.bounded(*ends).all(), key, more)

    def all(self) -> sql.Composed:
        """The SELECT of every series, in no order."""
        if self.order is None:
            return sql.SQL("SELECT {} FROM {}").format(_columns(self.outputs), self.source)
        id_, *carried, values = self.outputs
        order, looked = of_q(self.layout.order), self.same is not None and self.places
        ordered = sql.SQL("(SELECT {} AS by_id, {}{} FROM {} ORDER BY {}, {}) AS s").format(
            self.key, _columns(self.outputs[1:]), sql.SQL(", {} AS place" if looked else "").format(order),
            self.source, self.key, order,
        )  # fmt: skip
        grouped = [Output(o.name, _any_of(o, self.layout.ends), o.type) for o in carried]
        if self.same:
            grouped.append(Output(CHECK, _check(carried, tuple(self.same.constant), places=looked), pa.int64()))
        values = Output("values", sql.SQL("array_agg(s.values)"), values.type)
        id_ = Output("series_id", sql.SQL(self.id_template).format(sql.SQL("s.by_id")), id_.type)
        columns = (id_, *grouped, values)
        if looked:
            return _once(columns, ordered)
        return sql.SQL("SELECT {} FROM {} GROUP BY s.by_id").format(_columns(columns), ordered)

    def flat(self) -> sql.Composed:
        """The SELECT of long rows as they lie: series_id, order, carried columns, one value."""
        id_, *rest = self.outputs
        if self.layout.ends:  # the last one is the same column: once is enough
            rest = [replace(rest[0], name=MOMENT), *rest[2:]]
        return sql.SQL("SELECT {} FROM {}").format(
            _columns((id_, *([self.order] if self.order else []), *rest)), self.source
        )

    @property
    def source(self) -> sql.Composed:
        """FROM's item with the conditions."""
        conditions = (*within(self.key, self.bounds), *self.conditions)
        where = sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(conditions)) if conditions else sql.SQL("")
        return sql.Composed([self.relation.text, where])


def select(
    relation: Relation,
    layout: Layout,
    described: Sequence[Described],
    same: Sameness | None = None,
    *,
    places: bool = True,
) -> Selection:
    """The SELECT for a relation with the columns `described`. same, places: see Selection."""
    columns = {c.name: c for c in described}
    ids = [columns[name] for name in layout.ids]
    key, template, type_ = of_q(ids[0].name), *_IDS.get(ids[0].oid, _TEXT)
    if layout.joined:
        key, template, type_ = joined(ids), "{0}", pa.string()
    outputs = (
        Output("series_id", sql.SQL(template).format(key), type_),
        *(_output(name, columns[layout.order], *_CARRIED[columns[layout.order].oid]) for name in layout.ends),
        *(_output(free_name(name, columns), columns[name], *_CARRIED.get(columns[name].oid, _TEXT))
          for name in layout.carry),
        _values([columns[name] for name in layout.values], layout),
    )  # fmt: skip
    order = columns.get(layout.order)
    by = _output(ORDER, order, *_order(order)) if order else None
    one_text = bool(layout.joined) or ids[0].oid in (*_INTEGERS, *_ONE_TEXT)
    second = _second(columns[layout.values[0]]) if layout.form == "array" else ""
    return Selection(relation, layout, key, template, one_text, outputs, by, second, same, places)


def _second(values: Described) -> str:
    name = '"' + values.name.replace('"', '""') + '"'
    return _SECOND_OF_JSON.format(name, _JSON[values.oid]) if values.oid in _JSON else _SECOND.format(name)


def joined(ids: Sequence[Described]) -> sql.Composed:
    """Several columns as one id: 7/12."""
    parts = [sql.SQL("{}::text" if c.oid in _INTEGERS else _JOINED).format(of_q(c.name)) for c in ids]
    return sql.SQL("({})").format(sql.SQL(" || '/' || ").join(parts))


def _order(column: Described) -> tuple[str, pa.DataType]:
    """What sorts as the column does, where we sort: a time by its seconds, infinite ones too."""
    if column.category == "N":
        if column.oid == pg["numeric"].oid:  # it may count nanoseconds since 1970
            return "CASE WHEN {0} <> 'NaN' AND abs({0}) < 1e22 THEN round({0}, 15)::text END", NUMBER
        return ("{0}::int8", pa.int64()) if column.oid in _INTEGERS else ("{0}::float8", pa.float64())
    return "extract(epoch FROM {0})::float8", pa.float64()


def within(key: sql.Composable, bounds: Iterable[tuple[str, str]]) -> list[sql.Composable]:
    """The conditions of ids in these bounds."""
    return [sql.SQL(f"{{}} {sign} {{}}").format(key, sql.Literal(end)) for sign, end in bounds]


def sampled(key: sql.Composable, share: float) -> sql.Composed:
    """The condition that keeps `share` of the series: those whose id has a low hash, always the same ones."""
    return sql.SQL("(hashtextextended({}::text, 0) & 1048575) < {}").format(key, sql.Literal(round(share * 1048576)))


def of_q(name: str) -> sql.Composed:
    """The column of the relation."""
    return sql.SQL("q.{}").format(sql.Identifier(name))


def _values(columns: Sequence[Described], layout: Layout) -> Output:
    first = columns[0]
    if layout.form == "array":
        if first.oid in _JSON:
            return _output("values", first, _JSON_LIST.format(_JSON[first.oid]), pa.list_(pa.float64()))
        # On the server: numeric[] is slow for a client.
        return _output("values", first, *_ARRAYS.get(first.oid, ("{0}::float8[]", pa.list_(pa.float64()))))
    real = all(c.oid == pg["float4"].oid for c in columns)
    type_, name = (pa.float32(), "real") if real else (pa.float64(), "float8")
    cells = sql.SQL(", ").join(sql.SQL(f"{{}}::{name}").format(of_q(c.name)) for c in columns)
    if layout.form == "wide":
        cells = sql.SQL("ARRAY[{}]").format(cells)
    return Output("values", cells, pa.list_(type_))


def _once(columns: Sequence[Output], ordered: sql.Composed) -> sql.Composed:
    """The series where rows may repeat a place: each one once, and CHECK -1 where two of them differ in value.

    What is done for a series that repeats none is to count its places.
    """
    grouped = sql.SQL("SELECT s.by_id, {}, array_agg(s.place) AS places FROM {} GROUP BY s.by_id")
    names = [sql.SQL("s.{}").format(sql.Identifier(c.name)) for c in columns[:-2]]
    return sql.SQL("SELECT {}, {}, {} FROM ({}) AS s").format(
        sql.SQL(", ").join(names), sql.SQL(_CHECKED), sql.SQL(_KEPT), grouped.format(_columns(columns), ordered)
    )


def _check(carried: Iterable[Output], constant: Sequence[str], *, places: bool) -> sql.Composed:
    """CHECK of a series: -2 - i where constant[i] has two values; else how many rows are at the place of another."""
    whens: list[sql.Composable] = []
    outputs = {output.name: output for output in carried}
    for number, name in enumerate(constant):
        template = "s.{}::int" if pa.types.is_boolean(outputs[name].type) else "s.{}"
        template += ' COLLATE "C"' if pa.types.is_string(outputs[name].type) else ""
        column = sql.SQL(template).format(sql.Identifier(name))
        whens.append(sql.SQL("WHEN min({0}) <> max({0}) THEN {1}").format(column, sql.Literal(-2 - number)))
    count = sql.SQL(_REPEATED if places else "0")
    if not whens:
        return sql.SQL("({})::int8").format(count)
    return sql.SQL("(CASE {} ELSE {} END)::int8").format(sql.SQL(" ").join(whens), count)


def _any_of(output: Output, ends: Sequence[str]) -> sql.Composed:
    """A carried column of long rows: what the first row of the series has; the last row, where it is the last time."""
    place = "count(*)" if output.name in ends[1:] else "1"
    return sql.SQL(f"(array_agg(s.{{}}))[{place}]").format(sql.Identifier(output.name))


def _columns(outputs: Iterable[Output]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("{} AS {}").format(o.expression, sql.Identifier(o.name)) for o in outputs)


def _output(name: str, column: Described, template: str, type_: pa.DataType) -> Output:
    return Output(name, sql.SQL(template).format(of_q(column.name)), type_)
