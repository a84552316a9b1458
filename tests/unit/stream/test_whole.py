"""Messages that hold whole recordings: JSON under other names, Arrow with one or many rows; what is neither."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from tsclust.config.stream import Stream
from tsclust.serve.bodies import arrow_of as arrow
from tsclust.stream.messages import MOST, Known, Raw, Unreadable, dead, place
from tsclust.stream.whole import Whole


def raw(value: bytes | None, offset: int = 7, key: bytes | None = b"k") -> Raw:
    return Raw(3, offset, key, value, 1.5)


def test_fields_may_have_other_names_and_the_key_may_be_the_id() -> None:
    whole = Whole(Stream(topic="t", id="", values="samples"))
    found = whole.read([raw(json.dumps({"samples": [1, None], "machine": "M"}).encode(), key=b"A7")], 0, Known())
    assert found.recordings[0].fields == {"values": [1, None], "machine": "M", "series_id": "A7"}
    assert found.following == {3: 8}
    refused = whole.read([raw(b'{"samples": []}', key=None), raw(b'{"samples": [1], "values": [2]}')], 0, Known())
    assert ["no key" in refused.unreadable[0].reason, "a field values" in refused.unreadable[1].reason] == [True, True]


def test_an_arrow_message_has_a_recording_in_each_row() -> None:
    values = pa.array([[1.5, None], [], None], pa.list_(pa.float32()))
    table = pa.table({"series_id": [1, 2, 3], "values": values, "lot": ["a", None, "c"]})
    found = Whole(Stream(topic="t", format="arrow")).read([raw(arrow(table))], 0, Known())
    assert [one.source for one in found.recordings] == ["t/3/7/0", "t/3/7/1", "t/3/7/2"]
    first = found.recordings[0].fields
    assert (first["series_id"], first["lot"], first["values"].dtype) == (1, "a", np.float32)
    np.testing.assert_array_equal(first["values"], np.array([1.5, np.nan], np.float32))
    assert found.recordings[2].fields["values"] is None
    assert place(found.recordings[2].source) == (3, 7)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"ARROW1", arrow(pa.table({"series_id": [1]})), arrow(pa.table({"values": [["x"]], "series_id": [1]})),
        arrow(pa.table({"values": [1.0], "series_id": [1]})), arrow(pa.table({"values": [[1.0]]}))[:-40],
    ],
)  # fmt: skip
def test_what_is_no_arrow_of_series_is_refused(content: bytes) -> None:
    found = Whole(Stream(topic="t", format="arrow")).read([raw(content), raw(None, 8)], 0, Known())
    assert [one.source for one in found.unreadable] == ["t/3/7", "t/3/8"]
    assert not found.recordings
    assert found.following == {3: 9}


def test_what_is_huge_is_cut_and_says_so() -> None:
    out = dead("d", Unreadable("t/0/1", b"k", b"x" * (MOST + 1), "why"))
    assert len(out.value or b"") == MOST
    assert dict(out.headers)["tsclust-size"] == str(MOST + 1).encode()


VALUES, NULLS = pa.array([[1.0]]), [None] * 50_000


def one_of(times: int, text: str) -> pa.Array:
    """A list of the same text, which is there once."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int8()), [text])
    return pa.ListArray.from_arrays([0, times], texts)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_arrow_with_compressed_buffers_is_refused_before_they_are_unpacked(codec: str) -> None:
    """Those of dictionaries too: they may state any size."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), ["x" * 10_000])
    for columns in ({"values": pa.array([[1.0] * 10_000])}, {"values": VALUES, "lot": texts}):
        table, sink = pa.table(columns), pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
            writer.write_table(table)
        content = huge(sink.getvalue().to_pybytes())
        found = Whole(Stream(topic="t", format="arrow")).read([raw(content), raw(arrow(table), 8)], 0, Known())
        assert [(one.source, "compressed" in one.reason) for one in found.unreadable][:1] == [("t/3/7", True)]


def huge(content: bytes) -> bytes:
    """The same, its largest buffer said to unpack to an exabyte."""
    stated = max((80_000, 10_000), key=lambda size: content.count(size.to_bytes(8, "little")))
    assert stated.to_bytes(8, "little") in content
    return content.replace(stated.to_bytes(8, "little"), (2**60).to_bytes(8, "little"))


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (pa.table([VALUES, VALUES, pa.array([1])], ["values", "values", "series_id"]), "2 columns values"),
        (pa.table({"values": VALUES, "series_id": [1], "day": pa.array([2**31 - 1], pa.date32())}), ""),
        (pa.table({"values": VALUES, "series_id": [1], "at": pa.array([2**62], pa.timestamp("s"))}), ""),
        (pa.table({"values": pa.array([1.0]).dictionary_encode(), "series_id": [1]}), "of type dictionary"),
        (
            pa.table({"values": pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), [1.0])}),
            "of type run_end_encoded",
        ),
        (
            pa.table({"values": pa.FixedShapeTensorArray.from_numpy_ndarray(np.zeros((1, 2)))}),
            "of type extension<arrow.fixed_shape_tensor",
        ),
        (pa.table({"values": VALUES, "lot": one_of(50_000, "x" * 5_000)}), "a text of 5,000 bytes"),
        (pa.table({"values": VALUES, "lot": pa.array([NULLS], pa.list_(pa.null(), 50_000))}), "50,001 values"),
        (pa.table({"values": VALUES, "lot": pa.array([[{"a": NULLS}]])}), "50,002 values"),
    ],
)
def test_an_arrow_message_that_python_cannot_hold_is_refused_and_those_beside_it_are_not(
    table: pa.Table, why: str
) -> None:
    good = pa.table({"values": VALUES, "series_id": [1]})
    found = Whole(Stream(topic="t", format="arrow")).read([raw(arrow(table)), raw(arrow(good), 8)], 0, Known())
    assert [(one.source, why in one.reason) for one in found.unreadable] == [("t/3/7", True)]
    assert [one.source for one in found.recordings] == ["t/3/8/0"]
