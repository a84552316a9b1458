"""A table that is read slowly while that is asked for, for readings that are disturbed midway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.reading import run

SERIES, PART_ROWS = 4_000, 50
TOML = f"""
[source]
query = "SELECT series_id, machine, slow(samples) AS values FROM machine.cycles"
part_rows = {PART_ROWS}
"""
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION slow(x float8[]) RETURNS float8[] STABLE LANGUAGE plpgsql AS 'BEGIN {} RETURN x; END'"
)
QUICK, SLOW = _FUNCTION.format(""), _FUNCTION.format("PERFORM pg_sleep(0.0003);")
TABLE = (
    "CREATE SCHEMA machine",
    QUICK,
    "CREATE TABLE machine.cycles (series_id int PRIMARY KEY, machine text, added timestamptz, samples float8[])",
    f"""INSERT INTO machine.cycles SELECT i, 'M' || i % 7, timestamptz '2024-01-01Z' + i * interval '1 min',
        ARRAY(SELECT i + j / 10.0 FROM generate_series(0, 50 + i % 50) AS j) FROM generate_series(1, {SERIES}) AS i""",
)


@contextmanager
def slow(dsn: str) -> Iterator[None]:
    """A row of the table takes a third of a millisecond or more: four seconds the whole of it."""
    run(dsn, SLOW)
    yield
    run(dsn, QUICK)


@pytest.fixture
def slow_dsn(database: str) -> str:
    """The DSN of a database with the table, as quick as any until it is made `slow`."""
    run(database, *TABLE)
    return database


def started(root: Path, dsn: str, *flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tsclust", "extract", "-w", str(root), *flags], text=True,
        env={**os.environ, "TSCLUST_DSN": dsn}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def parts_done(root: Path) -> int:
    path = root / ".series.partial" / "done.jsonl"
    return path.read_text().count("\n") if path.exists() else 0


def wait_for(true: Callable[[], object], process: subprocess.Popen[str]) -> None:
    while not true() and process.poll() is None:
        time.sleep(0.005)


def interrupt(root: Path, dsn: str, parts: int) -> None:
    """Kill a reading when more than so many parts are on disk."""
    with slow(dsn):
        process = started(root, dsn)
        wait_for(lambda: parts_done(root) > parts, process)
        process.kill()
        process.communicate()


def facts(root: Path) -> dict[str, Any]:
    return dict(json.loads((root / "series" / "manifest.json").read_text())["facts"])


def ids(root: Path) -> list[int]:
    return pl.read_parquet(root / "series" / "*.parquet")["series_id"].to_list()
