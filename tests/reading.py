"""What the tests of reading from PostgreSQL share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from tsclust.config import Source
from tsclust.engine import map_parts
from tsclust.errors import TsclustError
from tsclust.source.postgres import Reader, opened

ROOT = Path(__file__).parent.parent
ONE = Source(query="SELECT 1 AS series_id, '{1}'::real[] AS values")
PASSWORD = "s3cr&t-word"


@contextmanager
def admin(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def run(dsn: str, *statements: str) -> None:
    with admin(dsn) as connection:
        for statement in statements:
            connection.execute(statement)


def tables(reader: Reader, workers: int = 1) -> list[pa.Table]:
    return list(map_parts(reader.read, reader.found.ranges, workers))


def read(dsn: str, source: Source = ONE) -> pa.Table:
    with opened(dsn, source, ROOT) as reader:
        return pa.concat_tables(tables(reader, 2))


def refused(dsn: str, error: type[TsclustError], told: str, source: Source = ONE) -> None:
    """Reading ends with this very error, on one line, with a next step and no password."""
    with pytest.raises(error, match=told) as caught:
        read(dsn, source)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)
    assert caught.value.next_step
    assert PASSWORD not in str(caught.value)
