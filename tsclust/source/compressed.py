"""The bytes of a file as they are read: told of, and unpacked where they are compressed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from tsclust.source.protocols import OnBytes

Read = Callable[[int], bytes]
_CODECS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"BZh": "bz2"}


class TellingFile(io.RawIOBase):
    """What `read` gives, as a file that tells of every byte it reads."""

    def __init__(self, read: Read, tell: OnBytes) -> None:
        self._read, self._tell = read, tell

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self._tell(len(data))
        return len(data)


@contextmanager
def decompressed(raw: TellingFile, codec: str | None, buffer: int = 1 << 17) -> Iterator[io.BufferedReader]:
    """The bytes of `raw`, which closes with it; `codec` as `codec_of` says it."""
    with ExitStack() as stack:
        stack.enter_context(raw)
        stream: Any = raw
        if codec:
            stream = stack.enter_context(pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), codec))
        yield stack.enter_context(io.BufferedReader(stream, buffer))


def codec_of(path: Path) -> str | None:
    """What Arrow calls the compression of a file, by its first bytes; None where it has none."""
    return next((codec for magic, codec in _CODECS.items() if starts_with(path, magic)), None)


def starts_with(path: Path, magic: bytes) -> bool:
    """Are these the first bytes of the file?"""
    with path.open("rb") as file:
        return file.read(len(magic)) == magic
