"""Folders of which a log says what counts are refused: some of their files hold rows that were replaced."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.file_rows import read, refusal
from tsclust.errors import SourceFileError
from tsclust.source.files.paths import found


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
    assert [p.name for p in found("t", tmp_path)] == ["a.parquet"]
    assert [p.name for p in found("t/**/*.parquet", tmp_path)] == ["a.parquet"]


def test_what_jobs_leave_beside_data_is_not_read(tmp_path: Path) -> None:
    beside = "_SUCCESS", "_metadata", "_common_metadata", "_started_1", "_committed_1", "b_$folder$", ".a.parquet.crc"
    for name in ("_day=1/a.parquet", *(f"_day=1/{name}" for name in beside)):
        (tmp_path / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "t" / name).touch()
    assert [p.name for p in found("t/**", tmp_path)] == ["a.parquet"]
    assert [p.name for p in found("t", tmp_path)] == ["a.parquet"]
    assert [p.name for p in found("t/_day=1/_metadata", tmp_path)] == ["_metadata"]  # named itself: it is meant


def test_folders_that_spark_and_hive_pass_over_are_not_read(tmp_path: Path) -> None:
    for folder in ("_day=1", "_day=1/.ipynb_checkpoints", "_raw", ".cache"):
        (tmp_path / "t" / folder).mkdir(parents=True)
        (tmp_path / "t" / folder / "a.parquet").touch()
    assert [str(p.relative_to(tmp_path)) for p in found("t", tmp_path)] == ["t/_day=1/a.parquet"]
    assert len(found("t/*/a.parquet", tmp_path)) == 2  # a pattern that _raw fits means it
