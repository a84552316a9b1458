"""The SELECT of a table of any layout, as text."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from psycopg import sql

from tsclust.config import Source
from tsclust.source.layouts import layout
from tsclust.source.postgres.relation import Relation
from tsclust.source.postgres.select import Described, Selection, select

INT8, FLOAT8S, TEXT, FLOAT8, NUMERICS, JSONB, FLOAT4 = 20, 1022, 25, 701, 1231, 3802, 700


T = Relation(sql.SQL("t AS q"), "t")


def column(name: str, oid: int = FLOAT8, category: str = "N", element: str = "") -> Described:
    return Described(name, oid, "?", category, element)


SERIES_ID, VALUES = column("series_id", INT8), column("values", FLOAT8S, "A", "N")


def selection(*described: Described, **said: Any) -> Selection:
    source = Source(table="t", **said)
    return select(T, layout("t", [d.column for d in described], (), source), described)


def test_the_select_of_arrays() -> None:
    chosen = selection(column("a", TEXT, "S"), VALUES, SERIES_ID)
    assert chosen.schema.names == ["series_id", "a", "values"]
    everything = 'SELECT q."series_id"::int8 AS "series_id", q."a" AS "a", q."values" AS "values" FROM t AS q'
    assert chosen.all().as_string() == everything
    assert chosen.between(None, None).as_string() == everything + ' ORDER BY q."series_id"'
    assert chosen.between(None, "o'7").as_string() == (
        everything + """ WHERE q."series_id" < 'o''7' ORDER BY q."series_id\""""
    )
    assert chosen.between("1", "2").as_string().endswith(
        """WHERE q."series_id" >= '1' AND q."series_id" < '2' ORDER BY q."series_id\""""
    )  # fmt: skip


def test_conditions_and_bounds_add_up() -> None:
    chosen = selection(SERIES_ID, VALUES).where(sql.SQL("(a OR b)")).bounded((">", "5")).where(sql.SQL("c"))
    assert chosen.between("6", None).as_string().endswith(
        """ WHERE q."series_id" > '5' AND q."series_id" >= '6' AND (a OR b) AND c ORDER BY q."series_id\""""
    )  # fmt: skip


def test_long_rows_are_grouped_or_flat() -> None:
    chosen = selection(SERIES_ID, column("idx", INT8), column("kind", TEXT, "S"), column("value"))
    assert chosen.schema.names == ["series_id", "kind", "values"]
    assert chosen.flat_schema.names == ["series_id", "tsclust order", "kind", "values"]
    assert chosen.flat_schema.field("values").type == pa.float64()
    assert "GROUP BY s.by_id ORDER BY s.by_id" in chosen.between("1", "9").as_string()
    assert "GROUP" not in chosen.flat().as_string()


JSON_LIST = """CASE jsonb_typeof(q."values") WHEN 'array' THEN translate(q."values"::text, '[]', '{}')::float8[]
    WHEN 'null' THEN NULL ELSE ('not an array: ' || q."values"::text)::float8[] END"""


@pytest.mark.parametrize(
    ("values", "expression", "type_"),
    [
        (VALUES, 'q."values"', pa.float64()),
        (column("values", NUMERICS, "A", "N"), 'q."values"::float8[]', pa.float64()),
        (column("values", JSONB, "U"), JSON_LIST, pa.float64()),
    ],
)
def test_the_server_turns_values_into_numbers(values: Described, expression: str, type_: pa.DataType) -> None:
    last = selection(SERIES_ID, values).outputs[-1]
    assert (last.expression.as_string(), last.type) == (expression, pa.list_(type_))


def test_wide_columns_become_an_array_of_the_smaller_type_if_all_have_it() -> None:
    real = [column(f"v{i}", FLOAT4) for i in range(8)]
    assert selection(SERIES_ID, *real).outputs[-1].type == pa.list_(pa.float32())
    assert selection(SERIES_ID, *real, column("v8")).outputs[-1].type == pa.list_(pa.float64())


def test_a_carried_column_never_takes_our_names() -> None:
    text = column("values", TEXT, "S")
    described = [column("n", INT8), SERIES_ID, text, column("carried_values"), column("v", FLOAT8S, "A", "N")]
    names = ["series_id", "carried_series_id", "carried_carried_values", "carried_values", "values"]
    assert selection(*described, id="n", values="v").schema.names == names
