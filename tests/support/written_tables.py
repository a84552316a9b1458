"""Tables that tests write into PostgreSQL, and the rows that are there afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pyarrow as pa

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def rows(dsn: str, name: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()


def table(ids: list[int], texts: list[str | None]) -> pa.Table:
    n = len(ids)
    return pa.table(
        {
            "id": ids, "text": texts, "number": [0.1 + 0.2] * n, "yes": [True] * n,
            "at": pa.array([WHEN] * n, pa.timestamp("us", "UTC")), "none": pa.array([None] * n, pa.int64()),
        }
    )  # fmt: skip
