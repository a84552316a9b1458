"""What the tests of reading from PostgreSQL share."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from tsclust.config import Source
from tsclust.engine.base import map_parts
from tsclust.errors import TsclustError
from tsclust.source.postgres.reader import PostgresReader, opened
from tsclust.source.protocols import Range

ROOT = Path(__file__).parents[2]
ONE = Source(query="SELECT 1 AS series_id, '{1}'::real[] AS values", retries=0)
PASSWORD = "s3cr&t-word"
Series = Mapping[Any, Sequence[float | None] | None]


@contextmanager
def admin(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def run(dsn: str, *statements: str) -> None:
    with admin(dsn) as connection:
        for statement in statements:
            connection.execute(statement)


def answer(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()
    assert row
    return row[0]


def one_range(reader: PostgresReader, range_: Range) -> pa.Table:
    return pa.Table.from_batches(reader.batches(range_), reader.info.schema)


def one_pass(reader: PostgresReader) -> list[pa.Table]:
    """The parts of one pass, whatever ranges there are. Nothing stays in the folder."""
    with tempfile.TemporaryDirectory() as folder:
        parts = list(reader.parts(Path(folder), lambda batch: batch, lambda _: None))
        assert not list(Path(folder).iterdir())
    return parts


def tables(reader: PostgresReader, workers: int = 1) -> list[pa.Table]:
    """A table for each part, in the way that was found."""
    if not reader.info.ranges:
        return one_pass(reader)
    return list(map_parts(lambda r: one_range(reader, r), reader.info.ranges, workers))


def together(reader: PostgresReader, parts: Iterable[pa.Table]) -> pa.Table:
    """The parts as one table in the order of the ids."""
    for part in (parts := list(parts)):
        assert part.schema.equals(reader.info.schema)
    return pa.concat_tables([reader.info.schema.empty_table(), *parts]).sort_by("series_id").combine_chunks()


def read(dsn: str, source: Source = ONE, workers: int = 2) -> pa.Table:
    """All series of `source`, ascending by series_id."""
    with opened(dsn, source, ROOT) as reader:
        return together(reader, tables(reader, workers))


def cut(*ids: object) -> tuple[Range, ...]:
    """Ranges that end before each of these ids: `opened(..., frozen=lambda _: cut(...))`, where they must be many."""
    edges = [None, *map(str, ids), None]
    return tuple(Range(low, high, 1) for low, high in itertools.pairwise(edges))


def both_ways(dsn: str, source: Source, *ids: object) -> tuple[pa.Table, pa.Table]:
    """All series by ranges that end before these ids, and the same ones in one pass."""
    with opened(dsn, source, ROOT, frozen=lambda _: cut(*ids)) as reader:
        return together(reader, tables(reader, 2)), together(reader, one_pass(reader))


def series(table: pa.Table) -> dict[Any, list[float | None] | None]:
    """id -> values; each id once."""
    pairs = dict(zip(table["series_id"].to_pylist(), table["values"].to_pylist(), strict=True))
    assert len(pairs) == table.num_rows
    return pairs


def alike(one: Series, other: Series) -> bool:
    """Equal, NaN equal to NaN."""
    return repr(sorted(one.items(), key=str)) == repr(sorted(other.items(), key=str))


def refused(dsn: str, error: type[TsclustError], told: str, source: Source = ONE) -> None:
    """Reading ends with this error and its exit code, on one line, with a next step and no password."""
    with pytest.raises(error, match=told) as caught:
        read(dsn, source)
    assert caught.value.exit_code == error.exit_code
    assert "\n" not in str(caught.value)
    assert caught.value.next_step
    assert PASSWORD not in str(caught.value)
