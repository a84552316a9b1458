"""What a server takes for one id is no two series in its dump; compressed chunks of other hypertables do not matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import dumps
from tests.support.hints import refused, series
from tsclust.errors import SourceFileError
from tsclust.source.pgdump import tables

FOLDING = "CREATE COLLATION public.ci (provider = icu, deterministic = false, locale = 'und-u-ks-level1');\n\n"
STRICT = "CREATE COLLATION public.ci (provider = icu, locale = 'de');\n\n"
DOMAIN = "CREATE DOMAIN public.code AS public.citext;\n\n"


def dumped(folder: Path, type_: str, ids: list[str], before: str = "") -> Path:
    create = f'CREATE TABLE public.t (\n    id {type_},\n    "values" double precision[]\n);\n\n'
    rows = "".join(f"{id_}\t{{{i}.5}}\n" for i, id_ in enumerate(ids))
    return dumps.written(folder / "x.sql", rows, create=before + create)


@pytest.mark.parametrize(
    ("type_", "ids", "before"),
    [
        ("public.citext NOT NULL", ["abc", "ABC"], ""),
        ("public.code", ["M1", "x", "m1"], DOMAIN),
        ("text COLLATE public.ci", ["abc", "Abc"], FOLDING),
        ("text COLLATE public.ci NOT NULL", ["etude", "étude"], FOLDING),
        ("character varying(20) COLLATE public.ci", ["abc", "Abc"], ""),
    ],
)
def test_ids_that_a_server_takes_for_equal(tmp_path: Path, type_: str, ids: list[str], before: str) -> None:
    path = dumped(tmp_path, type_, ids, before)
    refused(
        tmp_path / "ws", 10, f"ids {min(ids[0], ids[-1])} and {max(ids[0], ids[-1])} are equal to a", "--from", path
    )


@pytest.mark.parametrize(
    ("type_", "ids", "before"),
    [
        ("public.citext", ["abc", "abd"], ""),
        ("text", ["abc", "ABC"], ""),
        ('text COLLATE pg_catalog."C"', ["abc", "ABC"], ""),
        ("text COLLATE public.ci", ["abc", "ABC"], STRICT),
    ],
)
def test_ids_that_differ(tmp_path: Path, type_: str, ids: list[str], before: str) -> None:
    path = dumped(tmp_path, type_, ids, before)
    assert sorted(series(tmp_path / "ws", "--from", path)) == sorted(ids)


def chunk(name: str, rows: str, inherits: str = "") -> str:
    columns = "" if inherits else "    id bigint,\n    ts timestamp with time zone,\n    value double precision\n"
    made = f"CREATE TABLE {name} (\n{columns})" + (f"\nINHERITS ({inherits})" if inherits else "") + ";\n\n"
    return made + f"COPY {name} (id, ts, value) FROM stdin;\n{rows}\\.\n\n"


CATALOG = """COPY _timescaledb_catalog.hypertable (id, schema_name, table_name, compressed_hypertable_id) FROM stdin;
1\tpublic\tone\t\\N
2\tpublic\ttwo\t3
3\t_timescaledb_internal\t_compressed_hypertable_3\t\\N
\\.

"""


@pytest.mark.parametrize("catalog", [CATALOG, ""])
def test_compressed_chunks_of_another_hypertable(tmp_path: Path, catalog: str) -> None:
    row = "1\t2025-01-01 00:00:00+00\t0.5\n"
    text = dumps.HEAD + catalog
    for number, name in ((1, "one"), (2, "two")):
        text += chunk(f"public.{name}", "")
        text += chunk(f"_timescaledb_internal._hyper_{number}_{number}_chunk", row, f"public.{name}")
    path = tmp_path / "x.sql"
    path.write_text(text + chunk("_timescaledb_internal.compress_hyper_3_9_chunk", row) + dumps.TAIL.lstrip("\\.\n"))
    with pytest.raises(SourceFileError, match="chunks that TimescaleDB compressed"):
        tables.opened(path, "two")
    if catalog:
        assert dumps.table(path, "one")[0]["value"] == 0.5
    else:
        with pytest.raises(SourceFileError, match="chunks that TimescaleDB compressed"):
            tables.opened(path, "one")
