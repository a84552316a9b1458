"""What is selected from: a table's name, a query, a file with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsclust.config import Source
from tsclust.errors import SettingsError
from tsclust.source.postgres.relation import relation, table_names

HERE = Path()


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
    with pytest.raises(SettingsError, match="contains no query"):
        relation(Source(query="-- nothing\n;"), HERE)


def test_neither_table_nor_query() -> None:
    with pytest.raises(SettingsError, match=r'all empty.*table = "machine\.cycles"'):
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
    with pytest.raises(SettingsError, match="is not a table name"):
        relation(Source(table=table), HERE)


def test_names_are_those_of_the_server() -> None:
    assert table_names(' "My ""Schema""".T') == ('My "Schema"', "T")
    assert table_names("a.b.c") == ("a", "b", "c")


def test_a_query_in_a_folder_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "mine.SQL").write_text("SELECT 2")
    assert relation(Source(query=f"@{tmp_path / 'mine.SQL'}"), HERE).text.as_string() == "(\nSELECT 2\n) AS q"


def test_a_file_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.sql").mkdir()
    with pytest.raises(SettingsError, match=r"a\.sql cannot be read \(Is a directory"):
        relation(Source(query="a.sql"), tmp_path)
