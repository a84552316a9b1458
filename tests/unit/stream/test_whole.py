"""Messages that hold whole recordings: JSON under other names, Arrow with one or many rows; what is neither."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pytest

from tests.support.arrow_streams import old_and_packed
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
    refused = whole.read([raw(b'{"samples": []}', key=b" \t")], 0, Known())
    assert ["the key of the message is blank" in one.reason for one in refused.unreadable] == [True]


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


def test_what_one_transaction_has_no_room_for_is_left_and_a_message_that_is_larger_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tsclust.stream.whole.ROOM", 5)
    sizes = {(0, 4): 9, (1, 8): 2, (0, 5): 3, (0, 6): 1, (1, 9): 1}
    tables = [pa.table({"series_id": range(n), "values": [[1.0]] * n}) for n in sizes.values()]
    came = [Raw(*where, b"k", arrow(table), 0) for where, table in zip(sizes, tables, strict=True)]
    whole, read = Whole(Stream(topic="t", format="arrow")), []
    while came:
        found = whole.read(came, 0, Known())
        read.append([place(one.source) for one in found.recordings])
        left = [one for one in came if one.offset >= found.rest.get(one.partition, 99)]
        assert all(one.offset < found.following[one.partition] for one in came if one not in left)
        came = left
    assert read == [[(0, 4)] * 9, [(1, 8)] * 2 + [(0, 5)] * 3, [(0, 6), (1, 9)]]


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
LIST = pa.array([NULLS])


def one_of(times: int, text: str) -> pa.Array:
    """A list of the same text, which is there once."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int8()), [text])
    return pa.ListArray.from_arrays([0, times], texts)


def shared(value: object, kind: pa.DataType) -> pa.Table:
    """A value that 3,000 rows refer to, and that is there once."""
    lot = pa.DictionaryArray.from_arrays(pa.array([0] * 3_000, pa.int8()), pa.array([value], kind))
    return pa.table({"series_id": range(3_000), "values": [[1.0]] * 3_000, "lot": lot})


TEXT = "x" * 10_000


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (TEXT.encode(), pa.binary(10_000)), ([TEXT], pa.list_(pa.string())), ([1.0] * 9, pa.list_(pa.float64())),
        ({"a": TEXT}, pa.struct({"a": pa.string()})), (None, pa.null()),
    ],
)  # fmt: skip
def test_only_texts_and_numbers_may_stand_for_many_rows(value: object, kind: pa.DataType) -> None:
    found = Whole(Stream(topic="t", format="arrow")).read([raw(arrow(shared(value, kind)))], 0, Known())
    assert [re.search("expected (a plain one|at most 1,000)", one.reason) for one in found.unreadable] != [None]
    assert not found.recordings
    allowed = [shared("L7", pa.string()), shared(7, pa.int64()), shared(1.5, pa.float32())]
    found = Whole(Stream(topic="t", format="arrow")).read([raw(arrow(one)) for one in allowed], 0, Known())
    assert (len(found.recordings), found.unreadable) == (9_000, [])


def test_an_arrow_message_of_before_arrow_1_is_refused_as_it_may_be_compressed_unseen() -> None:
    content = old_and_packed(pa.table({"series_id": [1], "values": VALUES, "lot": ["x" * 100_000]}))
    found = Whole(Stream(topic="t", format="arrow")).read([raw(content)], 0, Known())
    assert ["metadata version V4: expected V5" in one.reason for one in found.unreadable] == [True]


def test_missing_values_take_no_space_and_are_values() -> None:
    """A list of nulls alone has a type of its own, and is refused, if at all, for what it is."""
    tables = [pa.table({"series_id": [1], "values": pa.array([row])}) for row in ([None] * 2_000, [True] * 20_000)]
    found = Whole(Stream(topic="t", format="arrow")).read([raw(arrow(one)) for one in tables], 0, Known())
    assert [len(one.fields["values"]) for one in found.recordings] == [2_000]
    assert ["expected a list of numbers" in one.reason for one in found.unreadable] == [True]


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
        (pa.table({"values": VALUES, "lot": pa.array([[{"a": NULLS}]])}), "50,003 values"),
        (
            pa.table({"values": [[1.0]] * 200} | {f"c{at}": pa.nulls(200) for at in range(400)}),
            "401 columns in 200 rows",
        ),
        (pa.table({"values": VALUES, "lot": pa.opaque(LIST.type, "a", "b").wrap_array(LIST)}), "50,001 values"),
    ],
)
def test_an_arrow_message_that_python_cannot_hold_is_refused_and_those_beside_it_are_not(
    table: pa.Table, why: str
) -> None:
    good = pa.table({"values": VALUES, "series_id": [1]})
    found = Whole(Stream(topic="t", format="arrow")).read([raw(arrow(table)), raw(arrow(good), 8)], 0, Known())
    assert [(one.source, why in one.reason) for one in found.unreadable] == [("t/3/7", True)]
    assert [one.source for one in found.recordings] == ["t/3/8/0"]
