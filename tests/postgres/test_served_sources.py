"""Sources of serve.toml: a job reads what it names, whatever tables are called."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import polars as pl
import psycopg
import pyarrow.parquet as pq

from tests.support.served import refused
from tests.support.service import running
from tests.support.service_jobs import cycles_of, ended

TABLE = '"Линия 3"."Cycles of ""A"".x"'
WHERE = "machine_id <> 'it''s; none' AND series_id % 2 = 0 AND password IS NULL"


def test_a_source_has_a_condition_and_a_table_of_an_odd_name(database: str, tmp_path: Path) -> None:
    cycles = pq.read_table(cycles_of(tmp_path / "cycles")).select(["series_id", "machine_id", "values"])
    with psycopg.connect(database) as connection:
        connection.execute('CREATE SCHEMA "Линия 3"')
        types = '(series_id bigint, machine_id text, "values" float8[], password text)'
        connection.execute(f"CREATE TABLE {TABLE} {types}".encode())
        with connection.cursor() as cursor:
            insert = f"INSERT INTO {TABLE} VALUES (%s, %s, %s)".encode()
            cursor.executemany(insert, [tuple(row.values()) for row in cycles.to_pylist()])
    served = tmp_path / "served"
    served.mkdir()
    name = 'line "3"'
    settings = {"table": TABLE, "where": WHERE, "dsn": database}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]
    text = "\n".join([f"[serve.sources.{json.dumps(name)}]", *lines, ""])
    (served / "serve.toml").write_text(text, encoding="utf-8")
    with running(served) as service:
        asked = {"source": name, "workspace": "line", "k": "2..3", "baseline": ["machine_id"]}
        job = httpx2.post(f"{service.url}/jobs", json=asked)
        assert job.status_code == 202, job.text
        found = ended(service, job.json()["id"])
        assert found["state"] == "done", found
        assert database not in json.dumps(found)
        for more in ({"where": "true"}, {"table": "pg_class"}):
            wider = httpx2.post(f"{service.url}/jobs", json={"source": name, "workspace": "wide", **more})
            assert refused(wider, 422)["error"].startswith(next(iter(more)))
    series = pl.read_parquet(served / "line" / "series" / "*.parquet")
    assert set(series["series_id"].to_list()) == {one for one in cycles["series_id"].to_pylist() if one % 2 == 0}
