"""What the tests of files as rows share: columns' types, and a file written, read and refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tsclust.errors import TsclustError
from tsclust.source.files.discovery import opened
from tsclust.source.protocols import Rows

I64, F32, F64, TEXT, BOOL, DAY = pa.int64(), pa.float32(), pa.float64(), pa.string(), pa.bool_(), pa.date32()
US, UTC_US = pa.timestamp("us"), pa.timestamp("us", "UTC")
LIST = pa.list_(F64)


def table(rows: Rows, types: Mapping[str, pa.DataType] | None = None) -> pa.Table:
    """All of it; what is told must sum to the size."""
    told: list[int] = []
    types = types if types is not None else dict(zip(rows.schema.names, rows.schema.types, strict=True))
    batches = list(rows.read(types, told.append))
    assert sum(told) == rows.size
    assert min(told) >= 0
    return pa.Table.from_batches(batches, pa.schema(list(types.items())))


def read(path: Path, types: Mapping[str, pa.DataType] | None = None) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = table(opened(path.name, "", path.parent), types).to_pydict()
    return columns


def types_of(path: Path) -> dict[str, pa.DataType]:
    schema = opened(path.name, "", path.parent).schema
    return dict(zip(schema.names, schema.types, strict=True))


def write(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(kind: type[TsclustError], where: str, base: Path, table_: str = "") -> str:
    """The one line of a refusal, at opening or at reading."""
    with pytest.raises(kind) as caught:
        table(opened(where, table_, base))
    assert caught.value.exit_code == kind.exit_code
    assert caught.value.next_step
    assert "\n" not in str(caught.value)
    return str(caught.value)
