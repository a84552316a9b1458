"""Folders of which a log says what counts are refused: some of their files hold rows that were replaced."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.file_rows import read, refusal
from tsclust.errors import SourceFileError


@pytest.mark.parametrize(
    ("log", "below", "told"),
    [
        ("_delta_log/0.json", "", "a Delta table"),
        ("_delta_log/0.json", "machine_id=1", "a Delta table"),
        ("metadata/v1.metadata.json", "data", "an Iceberg table"),
        (".hoodie/hoodie.properties", "", "a Hudi table"),
        ("_spark_metadata/0", "", "a stream of Spark"),
    ],
)
def test_a_table_with_a_log(tmp_path: Path, log: str, below: str, told: str) -> None:
    file = tmp_path / "t" / below / "a.parquet"
    file.parent.mkdir(parents=True)
    pq.write_table(pa.table({"id": [1]}), file)
    sign = tmp_path / "t" / log
    sign.parent.mkdir(parents=True)
    sign.write_text("{}")
    for where in {"t", f"t/{below}", "t/**/*.parquet", f"t/{below}/*.parquet"}:
        said = refusal(SourceFileError, where, tmp_path)
        assert f"belongs to {told}" in said
        assert "Export its current rows" in said
    assert read(file) == {"id": [1]}  # named itself: it is meant


def test_what_a_job_has_not_finished_is_not_read(tmp_path: Path) -> None:
    for name in ("machine_id=1/a.parquet", "_temporary/0/b.parquet"):
        (tmp_path / "t" / name).parent.mkdir(parents=True)
        pq.write_table(pa.table({"id": [1]}), tmp_path / "t" / name)
    from tsclust.source.files.paths import found

    assert [p.name for p in found("t", tmp_path)] == ["a.parquet"]
    assert [p.name for p in found("t/**/*.parquet", tmp_path)] == ["a.parquet"]
