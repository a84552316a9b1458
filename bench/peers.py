"""The other ways out of PostgreSQL that bench/extract.py compares, each in a process of its own, and the stopwatch.

python bench/peers.py launch REPORT COMMAND...            run a command; its seconds, peak MB and exit code to a file
python bench/peers.py ready WAY                           why it cannot be measured here; nothing where it can
python bench/peers.py read WAY DSN QUERY TABLE FOLDER     read the query, or the table, into Parquet in a folder

Only what Python itself brings is imported above the functions: what one of them needs must not weigh on another.
All write zstd, level 1, and numbers without a dictionary, as tsclust does: the ways are compared, not their defaults.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

NEEDS = {
    "connectorx": ("connectorx",),
    "duckdb": ("duckdb",),
    "pandas": ("pandas", "sqlalchemy"),
    "pandas-rows": ("pandas", "sqlalchemy"),
}
CHUNK = 50_000  # rows that pandas holds at a time


def launch(report: str, *command: str) -> None:
    """Run `command` and write [seconds, peak MB, exit code] to the file `report`; its output goes where ours does.

    To be run as `python -I -S`: Linux counts the memory of the process that started it as the command's own, until
    it outgrows that. Here it is that of a bare Python, 10 MB or so.
    """
    began = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - began
    Path(report).write_text(json.dumps([seconds, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)]))


def ready(way: str) -> None:
    """Print why `way` cannot be measured here; DuckDB's extension is downloaded now, not within the measured time."""
    if any(importlib.util.find_spec(name) is None for name in NEEDS.get(way, ())):
        print("not installed (pip install tsclust[bench])")
    elif way == "duckdb":
        _install_extension()


def _install_extension() -> None:
    import duckdb

    try:
        duckdb.sql("INSTALL postgres")
    except duckdb.Error:
        print("its postgres extension does not install here (no network?)")


def read_adbc(dsn: str, query: str, table: str, folder: Path) -> None:
    """Batch by batch, one thread."""
    import pyarrow.parquet as pq
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        reader = cursor.fetch_record_batch()
        with pq.ParquetWriter(folder / "adbc.parquet", reader.schema, **_as_tsclust(reader.schema)) as writer:
            for batch in reader:
                writer.write_batch(batch)


def read_connectorx(dsn: str, query: str, table: str, folder: Path) -> None:
    """Two connections, each half of the ids; the result is whole before it is written."""
    import connectorx
    import pyarrow.parquet as pq

    url = _socket_as_host(dsn)
    result = connectorx.read_sql(url, query, return_type="arrow", partition_on="series_id", partition_num=2)
    pq.write_table(result, folder / "connectorx.parquet", **_as_tsclust(result.schema))


def _socket_as_host(dsn: str) -> str:
    """The demo server's DSN for a client that looks for a Unix socket's folder where other URIs have the host."""
    parts = urlsplit(dsn)
    where = parse_qs(parts.query)
    return f"postgresql://{parts.username}@{quote(where['host'][0], safe='')}:{where['port'][0]}{parts.path}"


def read_duckdb(dsn: str, query: str, table: str, folder: Path) -> None:
    """A table by DuckDB's own parallel scan, a query by postgres_query."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("LOAD postgres")
    connection.execute("ATTACH '" + dsn.replace("'", "''") + "' AS pg (TYPE postgres, READ_ONLY)")
    source = f"pg.{table}" if table else "postgres_query('pg', '" + query.replace("'", "''") + "')"
    target = str(folder / "duckdb.parquet").replace("'", "''")
    connection.execute(f"COPY (FROM {source}) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")


def read_pandas(dsn: str, query: str, table: str, folder: Path) -> None:
    """Chunk by chunk through a cursor on the server: without one, psycopg holds the whole result."""
    import pandas
    import pyarrow as pa
    import pyarrow.parquet as pq
    import sqlalchemy

    engine = sqlalchemy.create_engine(dsn.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect().execution_options(stream_results=True) as connection:
        chunks = pandas.read_sql(sqlalchemy.text(query), connection, chunksize=CHUNK)
        for number, chunk in enumerate(chunks):
            part = pa.Table.from_pandas(chunk, preserve_index=False)
            pq.write_table(part, folder / f"pandas-{number:05d}.parquet", **_as_tsclust(part.schema))


def _as_tsclust(schema: Any) -> dict[str, Any]:
    """The options of a Parquet file as tsclust writes it."""
    texts = [f.name for f in schema if str(f.type) in ("string", "large_string")]
    return {"compression": "zstd", "compression_level": 1, "use_dictionary": texts}


READERS: dict[str, Callable[[str, str, str, Path], None]] = {
    "adbc": read_adbc,
    "connectorx": read_connectorx,
    "duckdb": read_duckdb,
    "pandas": read_pandas,
    "pandas-rows": read_pandas,
}


def read(way: str, dsn: str, query: str, table: str, folder: str) -> None:
    """One way, once."""
    READERS[way](dsn, query, table, Path(folder))


if __name__ == "__main__" and sys.argv[1:]:
    ways: dict[str, Callable[..., None]] = {"launch": launch, "ready": ready, "read": read}
    ways[sys.argv[1]](*sys.argv[2:])
