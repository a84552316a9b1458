"""From the user's table or query to one SELECT that gives series_id, the carried columns and values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from psycopg import sql
from psycopg.postgres import types as pg

from tsclust.config import Source
from tsclust.errors import QueryError, SettingsError

_FINITE = "CASE WHEN isfinite({0}) THEN {0} END"  # Arrow has no infinite dates: they become NULL
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
    pg["timestamp"].oid: (_FINITE, pa.timestamp("us")),
    pg["timestamptz"].oid: (_FINITE, pa.timestamp("us", "UTC")),
}
_IDS = {pg[name].oid: ("{0}::int8", pa.int64()) for name in ("int2", "int4", "int8")}
_VALUES = {
    pg["float4"].array_oid: ("{0}", pa.list_(pa.float32())),
    pg["float8"].array_oid: ("{0}", pa.list_(pa.float64())),
}
_JSON = {pg["json"].oid, pg["jsonb"].oid}

_OURS = ("series_id", "values")

# A query up to its last word: strings and quoted names may hold what looks like a comment or a semicolon.
_TOKEN = re.compile(
    r"""(?P<idle> \s+ | ; | --[^\n]* | /\*.*?\*/ )
      | [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
      | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag)
      | [^\W\d][\w$]* | .""",
    re.VERBOSE | re.DOTALL,
)
_NAME = r'"(?:[^"]|"")+"|[^."]+'


@dataclass(frozen=True)
class Relation:
    """What is selected from."""

    text: sql.Composable  # an item of FROM, named q
    label: str  # what messages call it: "machine.cycles", "sql/long_rows.sql"


@dataclass(frozen=True)
class Described:
    """A column as the server describes it."""

    name: str
    oid: int
    type: str  # "double precision[]"
    category: str  # pg_type.typcategory: N numbers, S text, A arrays, ...
    element: str  # the category of an array's elements, else ""


@dataclass(frozen=True)
class Output:
    """A column of the series table and the SQL that gives it."""

    name: str
    expression: sql.Composable
    type: pa.DataType


@dataclass(frozen=True)
class Selection:
    """The SELECT of a source: series_id first, values last."""

    relation: Relation
    key: sql.Composable  # the id in its own type: ranges compare by it
    outputs: tuple[Output, ...]

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(o.name, o.type) for o in self.outputs])

    def between(self, low: str | None, high: str | None) -> sql.Composed:
        """The SELECT of the series with low <= id < high; None is an open end."""
        columns = [sql.SQL("{} AS {}").format(o.expression, sql.Identifier(o.name)) for o in self.outputs]
        ends = [sql.SQL(f"{{}} {sign} {{}}").format(self.key, sql.Literal(end))
                for sign, end in ((">=", low), ("<", high)) if end is not None]  # fmt: skip
        where = sql.SQL(" WHERE ") + sql.SQL(" AND ").join(ends) if ends else sql.SQL("")
        return sql.SQL("SELECT {} FROM {}{}").format(sql.SQL(", ").join(columns), self.relation.text, where)


def relation(source: Source, base: Path) -> Relation:
    """The table or query of `source`; a query may be a file, relative to `base`.

    Raises SettingsError where neither is set, the table's name cannot be read, or there is no such file.
    """
    if source.query.strip():
        text, label = _query(source.query.strip(), base)
        return Relation(sql.SQL("(\n{}\n) AS q").format(sql.SQL(text)), label)
    if source.table.strip():
        return Relation(sql.SQL("{} AS q").format(sql.Identifier(*_table(source.table))), source.table.strip())
    raise SettingsError(
        "source.table and source.query are both empty: expected where the series are",
        'Set one in tsclust.toml, for example: table = "machine.cycles", or: query = "@sql/array_column.sql"',
    )


def select(relation: Relation, source: Source, described: Sequence[Described]) -> Selection:
    """The SELECT for a relation with the columns `described`.

    Raises QueryError where a column is missing, is there twice, or holds no series.
    """
    columns = _by_name(relation, described)
    id_ = _column(relation, columns, source.id, "source.id")
    values = _column(relation, columns, source.values, "source.values")
    carried = _carried(relation, source, columns)
    outputs = (
        _output("series_id", id_, *_IDS.get(id_.oid, _TEXT)),
        *(_output(_free_name(c.name, columns), c, *_CARRIED.get(c.oid, _TEXT)) for c in carried),
        _output("values", values, *_list_of_numbers(relation, values)),
    )
    return Selection(relation, _of_q(id_.name), outputs)


def near(name: str, names: Iterable[str], most: int = 10) -> str:
    """`names` as one text, those that look like `name` first."""
    folded = {n: n.casefold() for n in names}
    alike = difflib.get_close_matches(name.casefold(), folded.values(), n=most, cutoff=0.5)
    ordered = sorted(folded, key=lambda n: alike.index(folded[n]) if folded[n] in alike else most)
    return ", ".join(ordered[:most]) + (", ..." if len(ordered) > most else "")


def _query(text: str, base: Path) -> tuple[str, str]:
    """The SQL to put in parentheses, and what to call it."""
    label = "source.query"
    if text.startswith("@") or re.fullmatch(r"\S+\.sql", text, re.IGNORECASE):
        label = text.removeprefix("@").strip()
        text = _file_text(base / Path(label).expanduser(), label)
    text = _without_end(text)
    if not text:
        raise SettingsError(f"{label} holds no query", "Write a SELECT that gives the id and the values")
    return text, label


def _file_text(path: Path, label: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"source.query: {label} is not UTF-8 text", "Save it as UTF-8") from None
    except OSError as error:
        there = near(path.name, sorted(p.name for p in path.parent.glob("*.sql")))
        raise SettingsError(
            f"source.query: {path} cannot be read ({error.strerror}): expected a file with a SELECT",
            f"Files there: {there}" if there else "Give its path relative to the workspace",
        ) from None


def _without_end(query: str) -> str:
    """`query` without the semicolons, comments and blanks behind its last word: it is going to stand in parentheses."""
    return query[: max((t.end() for t in _TOKEN.finditer(query) if t.lastgroup != "idle"), default=0)]


def _table(text: str) -> tuple[str, ...]:
    """`schema.table` or `"My Schema"."T"` -> its names, spelled exactly as the server has them."""
    if not re.fullmatch(rf"(?:{_NAME})(?:\.(?:{_NAME}))*", text.strip()):
        raise SettingsError(
            f"source.table = {text!r} is not a table's name",
            'Write schema.table, with names that hold a dot or a quote in double quotes: "my.schema"."T"',
        )
    names = re.findall(_NAME, text.strip())
    return tuple(n[1:-1].replace('""', '"') if n.startswith('"') else n.strip() for n in names)


def _by_name(relation: Relation, described: Sequence[Described]) -> dict[str, Described]:
    names = [c.name for c in described]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise QueryError(f"{relation.label} gives column {twice[0]} twice", "Name its columns, or rename one with AS")
    return {c.name: c for c in described}


def _column(relation: Relation, columns: dict[str, Described], name: str, setting: str) -> Described:
    if name not in columns:
        raise QueryError(
            f"{setting}: {relation.label} has no column {name} (it has {near(name, columns)})",
            f"Set {setting} to one of its columns",
        )
    return columns[name]


def _carried(relation: Relation, source: Source, columns: dict[str, Described]) -> list[Described]:
    named = tuple(columns) if "*" in source.carry else tuple(dict.fromkeys(source.carry))
    found = [_column(relation, columns, name, "source.carry") for name in named]
    return [c for c in found if c.name not in (source.id, source.values)]


def _free_name(name: str, names: Iterable[str]) -> str:
    """`name`, or where tsclust needs it itself `carried_name`: an id by another name may leave a `series_id` over."""
    if name not in _OURS:
        return name
    taken = {*_OURS, *names}
    while name in taken:
        name = f"carried_{name}"
    return name


def _list_of_numbers(relation: Relation, column: Described) -> tuple[str, pa.DataType]:
    if column.oid in _VALUES:
        return _VALUES[column.oid]
    if column.element == "N":
        return "{0}::float8[]", pa.list_(pa.float64())  # on the server: numeric[] is slow for a client
    raise QueryError(
        f"source.values: column {column.name} of {relation.label} is of type {column.type}:"
        " expected an array of numbers (double precision[], real[], numeric[], integer[], ...)",
        _remedy(column),
    )


def _remedy(column: Described) -> str:
    name = column.name
    if column.oid in _JSON:
        return f"Use a query that turns {name} into an array: see sql/jsonb_arrays.sql"
    if column.category == "N":
        return "If each row holds one value of a series, group them: see sql/long_rows.sql; else name another column"
    if column.category == "S":
        return f"If it is a list of numbers as text, use a query with: string_to_array({name}, ',')::float8[] AS {name}"
    return f"Name another column, or use a query that makes a float8[] of {name} (examples: sql/)"


def _output(name: str, column: Described, template: str, type_: pa.DataType) -> Output:
    return Output(name, sql.SQL(template).format(_of_q(column.name)), type_)


def _of_q(name: str) -> sql.Composed:
    return sql.SQL("q.{}").format(sql.Identifier(name))
