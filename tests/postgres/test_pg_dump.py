"""Dumps that pg_dump made, in every format, against the rows that the server gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.dumps import (
    F64,
    FORMATS,
    LIST,
    ON_18,
    PACKED,
    TEXT,
    asked,
    dump,
    dumped_database,
    older,
    table,
    written,
)
from tsclust.embedded_postgres.server import Server
from tsclust.source.pgdump import tables

ASKED = """
SELECT id, label, "val""ues", small, "whole number", r, d, n::float8, b, day, at, atz, rs::float8[],
       ns::float8[], ints::float8[], ARRAY(SELECT nullif(x, 'null')::float8 FROM jsonb_array_elements_text(j) x) AS j,
       js::text, words::text, mood::text, u::text
FROM machine.odd ORDER BY id
"""


@pytest.fixture(scope="module", params=["server", "server16"])
def filled(request: pytest.FixtureRequest) -> Iterator[Server]:
    with dumped_database(request.getfixturevalue(request.param)) as server:
        yield server


@pytest.mark.parametrize("format_", [*FORMATS, *PACKED])
def test_every_format_gives_the_rows_of_the_server(filled: Server, tmp_path: Path, format_: str) -> None:
    path = (FORMATS | PACKED)[format_](filled, tmp_path / "name without meaning.csv")
    got = sorted(table(path, "machine.odd"), key=lambda row: row["id"])
    expected = asked(filled, ASKED)
    expected[0]["j"] = None  # ARRAY(of nothing) is {}
    assert len(got) == 18
    assert list(got[0]) == list(expected[0])
    assert repr(got).replace("zoneinfo.ZoneInfo(key='UTC')", "datetime.timezone.utc") == repr(expected)
    assert table(path, "machine.parts", {"id": F64, "values": LIST}) == [
        {"id": float(i), "values": [float(i), i / 8]} for i in range(20)
    ]


@ON_18
@pytest.mark.parametrize("minor", [12, 13, 14])
def test_archives_of_older_versions(filled: Server, tmp_path: Path, minor: int) -> None:
    """Written anew as pg_dump wrote them before it had what was added later."""
    path = dump(filled, tmp_path / "x", "-t", "machine.par*", "-Fc", pipe=True)
    path.write_bytes(b"".join(older(path.read_bytes(), minor)))
    assert len(table(path, "machine.parts")) == 20


@pytest.mark.parametrize("format_", ["-Fp", "-Fc", "-Fd"])
def test_data_only(filled: Server, tmp_path: Path, format_: str) -> None:
    path = dump(filled, tmp_path / "x", format_, "-a")
    if format_ == "-Fp":
        schema = tables.opened(path, "machine.odd").schema
        assert [str(schema.field(c).type) for c in ("id", "label", "val\"ues", "d", "n", "u")] == [
            "int64", "string", "list<item: double>", "double", "double", "string"]  # fmt: skip
    assert table(path, "machine.cycles") == [{"id": 1, "values": [1, 2]}, {"id": 2, "values": None}]
    assert [r["id"] for r in table(path, '"My.Schema".cycles')] == ["007", ""]


def test_rows_loaded_via_the_root(filled: Server, tmp_path: Path) -> None:
    for format_ in ("-Fp", "-Fc", "-Fd"):
        path = dump(filled, tmp_path / f"x{format_}", format_, "--load-via-partition-root")
        assert [r["id"] for r in table(path, "machine.parts")] == list(range(20))


@pytest.mark.parametrize("encoding", ["WIN1251", "KOI8R", "LATIN1", "SQL_ASCII"])
@pytest.mark.parametrize("format_", ["-Fp", "-Fc", "-Fd"])
def test_other_encodings(filled: Server, tmp_path: Path, format_: str, encoding: str) -> None:
    word = "désolé" if encoding == "LATIN1" else "цикл"
    with psycopg.connect(filled.dsn, dbname="dumped", autocommit=True) as connection:
        connection.execute(f'CREATE TABLE "{word}" ("{word}" text, v real[])')
        connection.execute(f"INSERT INTO \"{word}\" VALUES ('{word}', '{{1}}')")
        path = dump(filled, tmp_path / "x", format_, "-E", encoding, "-t", "public.*")
        connection.execute(f'DROP TABLE "{word}"')
    assert table(path, word) == [{word: word, "v": [1.0]}]


def test_dumps_of_before_schemas_were_named(tmp_path: Path) -> None:
    path = written(tmp_path / "x", "1\t{1}\n")
    path.write_text(path.read_text().replace("COPY public.t", "SET search_path = machine, pg_catalog;\nCOPY t"))
    assert table(path, "machine.t") == [{"id": 1, "values": [1.0]}]


def test_long_lines_and_many_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_PIECE", 100_000)
    long = "{" + ",".join(["0.1234567890123456789"] * 100_000) + "}"
    path = written(tmp_path / "x", "".join(f"{i}\t{long if i % 50 == 7 else '{1,2}'}\n" for i in range(100)))
    rows = table(path, "t")
    assert [r["id"] for r in rows] == list(range(100))
    assert {len(r["values"]) for r in rows} == {2, 100_000}


@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.floats())))
def test_text_in_small_pieces(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float]]) -> None:
    escapes = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
    text = "".join(f"{''.join(escapes.get(c, c) for c in t)}\t{x}\n" for t, x in rows)
    path = written(tmp_path_factory.mktemp("x") / "x", text, "t, d")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "_PIECE", 7)
        assert repr([tuple(r.values()) for r in table(path, "", {"t": TEXT, "d": F64})]) == repr(rows)
