"""Bodies that anybody may have sent: what would grow when it is unpacked or decoded is refused before it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from tests.support.arrow_streams import old_and_packed
from tests.support.bundles import Trained
from tests.support.served import add, arrow, parquet, post, refused, serving
from tsclust.serve.bodies import ARROW, JSON, PARQUET


@pytest.fixture(scope="module")
def table(trained: Trained) -> pa.Table:
    return trained.new.select(["series_id", "values", "machine_id", "direction"])


def test_compressed_buffers_that_only_the_metadata_of_an_old_message_states_are_refused(
    client: TestClient, table: pa.Table
) -> None:
    content = old_and_packed(table.set_column(2, "machine_id", pa.array(["x" * 1_000] * len(table))))
    assert "metadata version V4: expected V5" in refused(post(client, content, ARROW), 415)["error"]


def test_what_unpacks_to_more_than_it_should_is_refused_unread(client: TestClient, zips: Path, tmp_path: Path) -> None:
    flat = pa.table(
        {
            "series_id": pa.array(np.zeros(20_000, np.int64)),
            "values": pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(20_000_000)), 1_000).cast(
                pa.list_(pa.float64())
            ),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, flat.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(flat)
    assert "compressed" in refused(post(client, sink.getvalue().to_pybytes(), ARROW), 415)["error"]
    small = parquet(flat)
    with serving(tmp_path, unpacked_mb=100, rows=60_000, request_mb=2) as other:
        add(other, zips / "logistic.zip")
        assert len(small) < 2_000_000
        assert "unpacks to" in refused(post(other, small, PARQUET), 413)["error"]
        refused(post(other, b"x" * 2_000_001, ARROW), 413)
    with serving(tmp_path, rows=99) as other:
        add(other, zips / "logistic.zip")
        rows = flat.slice(0, 100)
        for body, kind in (
            (arrow(rows), ARROW),
            (parquet(rows), PARQUET),
            (b'{"series": [' + b"0," * 99 + b"0]}", JSON),
        ):
            assert "100 series" in refused(post(other, body, kind), 413)["error"]


def test_one_long_text_for_many_rows_is_refused_before_it_is_decoded(client: TestClient, table: pa.Table) -> None:
    rows = table.slice(0, 50)
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 50, pa.int32()), pa.array(["x" * 1_000_000]))
    wide = pa.array([b"x" * 200_000] * 50, pa.binary(200_000))
    nothing = pa.LargeListArray.from_arrays(range(0, 5_000_001, 100_000), pa.nulls(5_000_000))
    bodies = [
        (parquet(rows.set_column(0, "series_id", text)), PARQUET),
        (parquet(rows.set_column(0, "series_id", text.cast(pa.string()))), PARQUET),
        (arrow(rows.set_column(2, "machine_id", text)), ARROW),
        (arrow(rows.set_column(0, "series_id", pa.array(["x"] * 50, pa.string_view()))), ARROW),
        (parquet(rows.set_column(1, "values", pa.array([["x" * 2_000]] * 50))), PARQUET),
        (parquet(rows.set_column(0, "series_id", wide)), PARQUET),
        (arrow(rows.set_column(0, "series_id", pa.array(["x" * 1_001] * 50))), ARROW),
    ]
    for body, kind in bodies:
        assert "column" in refused(post(client, body, kind), 422)["error"]
    refused(post(client, arrow(rows.set_column(1, "values", nothing)), ARROW), 413)
    unused = rows.append_column("remark", pa.array(["x" * 2_000] * 50))
    assert post(client, arrow(unused), ARROW).status_code == 200
    assert post(client, parquet(unused), PARQUET).status_code == 200


def test_offsets_that_lead_nowhere_are_not_followed(client: TestClient, table: pa.Table) -> None:
    """A flipped byte anywhere: refused, or scored; never a 500."""
    body, rng = bytearray(arrow(table.slice(0, 5))), np.random.default_rng(1)
    for at in rng.integers(0, len(body), 120):
        spoilt = body.copy()
        spoilt[at] ^= 0xFF
        assert post(client, bytes(spoilt), ARROW).status_code in (200, 413, 415, 422), at
