"""From settings to SQL, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import sql

from tsclust.config import Source
from tsclust.errors import QueryError, SettingsError
from tsclust.source.layouts import Described, Relation, near, relation, select

HERE = Path()
INT8, FLOAT8S, TEXT, FLOAT8, JSONB = 20, 1022, 25, 701, 3802


def column(name: str, oid: int = FLOAT8, category: str = "N", element: str = "") -> Described:
    return Described(
        name, oid, {JSONB: "jsonb", TEXT: "text", FLOAT8: "double precision"}.get(oid, "?"), category, element
    )


SERIES_ID, VALUES = column("series_id", INT8), column("values", FLOAT8S, "A", "N")
T = Relation(sql.SQL("t AS q"), "t")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT 1 ; ;\n", "SELECT 1"),
        ("-- what\nSELECT 1; -- done;\n/* and; */ ;", "-- what\nSELECT 1"),
        ("SELECT ';' -- a", "SELECT ';'"),
        ("SELECT '-- no' ;", "SELECT '-- no'"),
        ("SELECT 'it''s; --'", "SELECT 'it''s; --'"),
        (r"SELECT E'\'; --' ;", r"SELECT E'\'; --'"),
        (r"SELECT date'2020-01-01\'; -- x", r"SELECT date'2020-01-01\'"),
        ('SELECT 1 AS "; --" ;', 'SELECT 1 AS "; --"'),
        ("SELECT $a$ ; -- $$ $a$ ;", "SELECT $a$ ; -- $$ $a$"),
        ("SELECT a$b$ FROM t -- $b$", "SELECT a$b$ FROM t"),
        ("SELECT 1 -- a\n + 1 ;", "SELECT 1 -- a\n + 1"),
        ("SELECT 5 / 2 * '{}' ;", "SELECT 5 / 2 * '{}'"),
    ],
)
def test_a_query_ends_with_its_last_word(text: str, kept: str) -> None:
    assert relation(Source(query=text), HERE).text.as_string() == f"(\n{kept}\n) AS q"


@pytest.mark.parametrize("setting", ["sql/a.sql", "@sql/a.sql", "@ sql/a.sql", "@sql/two words.sql"])
def test_a_query_may_be_a_file(tmp_path: Path, setting: str) -> None:
    (tmp_path / "sql").mkdir()
    for name in ("a.sql", "two words.sql"):
        (tmp_path / "sql" / name).write_text("\ufeff-- a file\nSELECT 1;\n", encoding="utf-8")
    found = relation(Source(query=setting), tmp_path)
    assert found.text.as_string() == "(\n-- a file\nSELECT 1\n) AS q"
    assert found.label == setting.removeprefix("@").strip()


def test_sql_that_ends_like_a_file_is_sql() -> None:
    assert relation(Source(query="SELECT * FROM my.sql"), HERE).label == "source.query"


def test_no_such_file_names_those_there(tmp_path: Path) -> None:
    (tmp_path / "rows.sql").write_text("SELECT 1")
    with pytest.raises(SettingsError, match=r"row\.sql cannot be read \(No such file.*Files there: rows\.sql"):
        relation(Source(query="@row.sql"), tmp_path)


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(b"SELECT '\xff'")
    with pytest.raises(SettingsError, match=r"a\.sql is not UTF-8"):
        relation(Source(query="@a.sql"), tmp_path)


def test_a_query_of_comments_is_none() -> None:
    with pytest.raises(SettingsError, match="holds no query"):
        relation(Source(query="-- nothing\n;"), HERE)


def test_neither_table_nor_query() -> None:
    with pytest.raises(SettingsError, match=r'both empty.*table = "machine\.cycles"'):
        relation(Source(), HERE)


@pytest.mark.parametrize(
    ("table", "quoted"),
    [
        ("cycles", '"cycles"'),
        (" machine.cycles ", '"machine"."cycles"'),
        ('"My Schema"."T"', '"My Schema"."T"'),
        ('"a.b".c', '"a.b"."c"'),
        ('"say ""hi"""', '"say ""hi"""'),
        ("Цикл стрелки", '"Цикл стрелки"'),
        ("t; DROP TABLE t", '"t; DROP TABLE t"'),
    ],
)
def test_table_names(table: str, quoted: str) -> None:
    assert relation(Source(table=table), HERE).text.as_string() == f"{quoted} AS q"


@pytest.mark.parametrize("table", ["a..b", ".a", "a.", 'a"b', '"a', '"a"b', '""'])
def test_what_is_no_table_name(table: str) -> None:
    with pytest.raises(SettingsError, match="is not a table's name"):
        relation(Source(table=table), HERE)


def test_the_select() -> None:
    chosen = select(T, Source(table="t"), [column("a", TEXT), VALUES, SERIES_ID])
    assert chosen.schema.names == ["series_id", "a", "values"]
    assert chosen.between(None, "o'7").as_string() == (
        'SELECT q."series_id"::int8 AS "series_id", q."a" AS "a", q."values" AS "values" FROM t AS q'
        """ WHERE q."series_id" < 'o''7'"""
    )
    assert chosen.between("1", "2").as_string().endswith("""WHERE q."series_id" >= '1' AND q."series_id" < '2'""")
    assert " WHERE " not in chosen.between(None, None).as_string()


@pytest.mark.parametrize(
    ("carry", "names"), [(("*",), ["b", "a"]), (("a",), ["a"]), ((), []), (("a", "b", "a", "series_id"), ["a", "b"])]
)
def test_carried_columns(carry: tuple[str, ...], names: list[str]) -> None:
    chosen = select(T, Source(table="t", carry=carry), [column("b"), SERIES_ID, column("a"), VALUES])
    assert chosen.schema.names == ["series_id", *names, "values"]


def test_a_carried_column_never_takes_our_names() -> None:
    described = [column("n", INT8), SERIES_ID, column("values", TEXT), column("carried_values"), column("v", FLOAT8S)]
    chosen = select(T, Source(table="t", id="n", values="v"), described)
    names = ["series_id", "carried_series_id", "carried_carried_values", "carried_values", "values"]
    assert chosen.schema.names == names


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (Source(id="seriesid"), r"source\.id: t has no column seriesid \(it has series_id, a, values\)"),
        (Source(values="valeus"), r"no column valeus \(it has values, "),
        (Source(carry=("aa",)), r"source\.carry: t has no column aa \(it has a, "),
    ],
)
def test_unknown_columns(source: Source, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        select(T, source, [column("a"), SERIES_ID, VALUES])


def test_a_column_twice() -> None:
    with pytest.raises(QueryError, match="gives column a twice"):
        select(T, Source(), [SERIES_ID, column("a"), column("a"), VALUES])


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (column("values", JSONB, "U"), r"type jsonb: .*sql/jsonb_arrays\.sql"),
        (column("values", FLOAT8, "N"), r"type double precision: .*sql/long_rows\.sql"),
        (column("values", TEXT, "S"), r"type text: .*string_to_array\(values"),
        (column("values", 1009, "A", "S"), r"expected an array of numbers.*Name another column"),
    ],
)
def test_values_of_another_type(values: Described, step: str) -> None:
    with pytest.raises(QueryError, match=step):
        select(T, Source(), [SERIES_ID, values])


def test_near() -> None:
    assert near("Cycels", ["apples", "cycles", "pears"]) == "cycles, apples, pears"
    assert near("x", [str(i) for i in range(12)]).endswith("9, ...")
    assert near("x", []) == ""
