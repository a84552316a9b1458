"""Arrow streams and Parquet that anybody may have sent -> tables, and back; nothing is believed unchecked."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from tsclust import untrusted
from tsclust.serve.problems import Refusal
from tsclust.untrusted import UnfitError

ARROW, PARQUET, JSON = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet", "application/json"
WRONG = (pa.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError, struct.error, NotImplementedError)
STATUS = {"encoding": 415, "large": 413, "type": 422}  # of what is unfit


def read_arrow(content: bytes, columns: Sequence[str], most_rows: int) -> pa.Table:
    """The table of an Arrow IPC stream. columns: those that are looked at. Raises Refusal."""
    try:
        return untrusted.arrow_table(content, columns, most_rows)
    except WRONG as error:
        raise _no("an Arrow stream", error) from None


def read_parquet(source: object, columns: Sequence[str], most_rows: int, most_bytes: int) -> pa.Table:
    """These columns of a Parquet file, as far as it has them. Raises Refusal."""
    try:
        file = pq.ParquetFile(source, memory_map=False, pre_buffer=False)
        untrusted.refuse_rows(file.metadata.num_rows, most_rows)
        there = [name for name in file.schema_arrow.names if name in columns]
        _refuse_large(file.metadata, set(there), most_bytes)
        texts = untrusted.text_names(file.schema_arrow, there)
        file = pq.ParquetFile(source, memory_map=False, pre_buffer=False, read_dictionary=texts)
        table = untrusted.valid(file.read(columns=there, use_threads=False))
        untrusted.check(table, columns, most_bytes)
        return untrusted.decoded(table, texts)
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


def _refuse_large(about: pq.FileMetaData, columns: set[str], most: int) -> None:
    """What columns unpack to, by the sizes and by the numbers of values that the file states."""
    chunks = [about.row_group(g).column(c) for g in range(about.num_row_groups) for c in range(about.num_columns)]
    read = [one for one in chunks if one.path_in_schema.partition(".")[0] in columns]
    size = sum(max(one.total_uncompressed_size, 8 * one.num_values) for one in read)
    if size > most:
        raise Refusal(413, f"the file unpacks to {size:,} bytes: expected at most {most:,}", "Send fewer at a time")


def _no(what: str, error: Exception) -> Refusal:
    if isinstance(error, UnfitError):
        return Refusal(STATUS[error.why], error.problem, error.next_step)
    return Refusal(422, f"the body is not {what}: {error}"[:300], "See that its type is the one of Content-Type")
