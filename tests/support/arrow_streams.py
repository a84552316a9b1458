"""Arrow streams that pyarrow reads and does not write."""

from __future__ import annotations

import struct

import pyarrow as pa

from tsclust import untrusted

RECORD_BATCH, COMPRESSION = 3, 3  # of Arrow's Message.fbs


def old_and_packed(table: pa.Table) -> bytes:
    """As before Arrow 1.0: the codec of its buffers stands in the metadata of each message, and nowhere else."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", metadata_version=pa.ipc.MetadataVersion.V4)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        for batch in table.combine_chunks().to_batches():
            writer.write_batch(batch, custom_metadata={"ARROW:experimental_compression": "zstd"})
    written: bytes = sink.getvalue().to_pybytes()
    content = bytearray(written)
    for message in untrusted._messages(written):
        if untrusted._byte(written, message, 1) == RECORD_BATCH:
            _clear(content, untrusted._table(written, message, 2), COMPRESSION)
    assert pa.ipc.open_stream(bytes(content)).read_all().num_rows == table.num_rows
    return bytes(content)


def _clear(content: bytearray, table: int, number: int) -> None:
    """A field of a flatbuffers table."""
    vtable = table - struct.unpack_from("<i", content, table)[0]
    struct.pack_into("<H", content, vtable + 4 + 2 * number, 0)
