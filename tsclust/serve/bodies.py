"""Arrow streams and Parquet that anybody may have sent -> tables, and back; nothing is believed before it is checked.

A small body may claim to unpack to more than there is memory: what Parquet states of itself is added up first, and an
Arrow stream whose buffers are compressed is refused, since it states that only buffer by buffer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.serve import text_columns
from tsclust.serve.problems import Refusal

ARROW, PARQUET, JSON = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet", "application/json"
WRONG = (pa.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError, struct.error, NotImplementedError)
_RECORD_BATCH, _HEADER_TYPE, _HEADER, _COMPRESSION = 3, 1, 2, 3  # of Arrow's Message.fbs


def read_arrow(content: bytes, columns: Sequence[str], most_rows: int) -> pa.Table:
    """The table of an Arrow IPC stream. columns: those that are looked at. Raises Refusal."""
    try:
        _refuse_compressed(content)
        batches: list[pa.RecordBatch] = []
        with pa.ipc.open_stream(content) as reader:
            for batch in reader:
                batches.append(batch)
                _refuse_rows(sum(map(len, batches)), most_rows)
            table = _valid(pa.Table.from_batches(batches, reader.schema))
        text_columns.check(table, columns, len(content))
        return table
    except WRONG as error:
        raise _no("an Arrow stream", error) from None


def read_parquet(source: object, columns: Sequence[str], most_rows: int, most_bytes: int) -> pa.Table:
    """These columns of a Parquet file, as far as it has them. Raises Refusal."""
    try:
        file = pq.ParquetFile(source, memory_map=False, pre_buffer=False)
        _refuse_rows(file.metadata.num_rows, most_rows)
        there = [name for name in file.schema_arrow.names if name in columns]
        _refuse_large(file.metadata, set(there), most_bytes)
        texts = text_columns.names(file.schema_arrow, there)
        file = pq.ParquetFile(source, memory_map=False, pre_buffer=False, read_dictionary=texts)
        table = _valid(file.read(columns=there, use_threads=False))
        text_columns.check(table, columns, most_bytes)
        return text_columns.decoded(table, texts)
    except WRONG as error:
        raise _no("a Parquet file", error) from None


def arrow_of(table: pa.Table) -> bytes:
    """As an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def parquet_of(table: pa.Table) -> bytes:
    """As a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _valid(table: pa.Table) -> pa.Table:
    """Offsets that lead out of a buffer would be read all the same."""
    table.validate(full=True)
    return table


def _refuse_rows(rows: int, most: int) -> None:
    if rows > most:
        raise Refusal(413, f"{rows:,} series: expected at most {most:,} in one request", "Send fewer at a time")


def _refuse_large(about: pq.FileMetaData, columns: set[str], most: int) -> None:
    """What columns unpack to, by the sizes and by the numbers of values that the file states."""
    chunks = [about.row_group(g).column(c) for g in range(about.num_row_groups) for c in range(about.num_columns)]
    read = [one for one in chunks if one.path_in_schema.partition(".")[0] in columns]
    size = sum(max(one.total_uncompressed_size, 8 * one.num_values) for one in read)
    if size > most:
        raise Refusal(413, f"the file unpacks to {size:,} bytes: expected at most {most:,}", "Send fewer at a time")


def _no(what: str, error: Exception) -> Refusal:
    return Refusal(422, f"the body is not {what}: {error}"[:300], "See that its type is the one of Content-Type")


def _refuse_compressed(content: bytes) -> None:
    for at in _messages(content):
        if _byte(content, at, _HEADER_TYPE) == _RECORD_BATCH:
            header = _field(content, at, _HEADER)
            if header and _field(content, _offset(content, header), _COMPRESSION):
                raise Refusal(415, "the Arrow stream has compressed buffers: expected plain ones", "Or send Parquet")


def _messages(content: bytes) -> Iterator[int]:
    """Where the root table of the metadata of each message begins."""
    at = 0
    while at + 8 <= len(content):
        marker, length = struct.unpack_from("<Ii", content, at)
        if marker != 0xFFFFFFFF:  # before Arrow 0.15 there was none
            length, at = marker, at - 4
        if length <= 0:
            return
        root = at + 8 + struct.unpack_from("<I", content, at + 8)[0]
        yield root
        body = _field(content, root, 3)
        size = struct.unpack_from("<q", content, body)[0] if body else 0
        if size < 0:
            return
        at += 8 + length + size


def _field(content: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffers table is, 0 where it has none."""
    vtable = table - struct.unpack_from("<i", content, table)[0]
    size = struct.unpack_from("<H", content, vtable)[0]
    at = 4 + 2 * number
    offset = struct.unpack_from("<H", content, vtable + at)[0] if at < size else 0
    return table + offset if offset else 0


def _byte(content: bytes, table: int, number: int) -> int:
    at = _field(content, table, number)
    return content[at] if at else 0


def _offset(content: bytes, at: int) -> int:
    """Where a reference leads."""
    leads: int = struct.unpack_from("<I", content, at)[0]
    return at + leads
