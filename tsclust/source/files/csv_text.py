"""The text of a CSV file as bytes in UTF-8: unpacked where it is a gzip, recoded where it is UTF-16."""

from __future__ import annotations

import codecs
import gzip
import io
import threading
import weakref
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from tsclust.errors import SourceFileError
from tsclust.source.files.columns import unreadable
from tsclust.source.files.objects import FilePath

GZIP = b"\x1f\x8b"
DELIMITERS = "\t;|,"  # a comma last: texts between the others hold it more often
_BUFFER = 1 << 20  # bytes
_PATIENCE = 10  # seconds for a block that is being read while everybody leaves
UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def in_arrow(data: bytes) -> pa.Buffer:
    """A copy that Arrow owns: its threads give it back to nobody."""
    buffer = pa.allocate_buffer(len(data))
    np.frombuffer(buffer, np.uint8)[:] = np.frombuffer(data, np.uint8)
    return buffer


class ReadAhead(io.RawIOBase):
    """A text as Arrow sees it. Who holds on to it keeps Arrow from ending."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def read(self, size: int = -1) -> bytes:
        return self._text.read(size)

    def readable(self) -> bool:
        return True


class Text(io.RawIOBase):
    """The bytes of a file from byte `start` of its text on."""

    def __init__(self, path: FilePath, label: str, start: int = 0) -> None:
        """Raises SourceFileError where it cannot be opened; so does `read` where it cannot be read."""
        self._label, self._before_quote, self._quotes, self._last = label, b"", 0, b"\n"
        self._is_over = False  # nobody wants to read any more
        self.room = threading.Semaphore(6)  # how many blocks may be read before one is released
        try:
            self._file = path.open("rb")
            is_gzip = self._file.peek(2)[:2] == GZIP
        except OSError as error:
            raise unreadable(label, error) from None
        self._bytes = gzip.GzipFile(fileobj=self._file) if is_gzip else self._file
        self._decoder, self._kept = None, self._raw(2)
        if encoding := UTF_16.get(self._kept):
            self._decoder, self._kept = codecs.getincrementaldecoder(encoding)(), b""
        while start:
            start -= len(skipped := self._next(start))
            start = start if skipped else 0

    @contextmanager
    def lent(self) -> Iterator[Callable[[], pa.NativeFile]]:
        """What Arrow reads ahead from, in threads of its own: none of them is in Python any more when this ends.

        Python's end aborts the process where a thread still has to give something back to it: bytes (hence the buffer,
        into which Arrow copies), or the file. So nobody but Arrow may hold what this gives: call it where Arrow is.
        """
        given_back = threading.Event()

        def ahead() -> pa.NativeFile:
            handle = ReadAhead(self)
            weakref.finalize(handle, given_back.set)
            return pa.BufferedInputStream(pa.PythonFile(handle, mode="r"), _BUFFER)

        try:
            yield ahead
        finally:
            self._is_over = True
            self.room.release(100)
            given_back.wait(_PATIENCE)

    def read(self, size: int = -1) -> bytes:
        if self._is_over:
            return b""
        self.room.acquire(timeout=5)  # Arrow would read 32 blocks ahead; if it waits for one of them, so be it
        data = self._next(size)
        self._note(data)
        return data

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.room.release(100)
        for file in filter(None, (getattr(self, "_bytes", None), getattr(self, "_file", None))):
            file.close()
        super().close()

    @property
    def passed(self) -> int:
        """How many bytes of the disk have been read."""
        return self._file.tell()

    @property
    def open_quote(self) -> bool:
        """The last quote of what was read begins a cell that never ends."""
        return self._quotes % 2 == 1 and self._before_quote in (b"\n", b"\r", *(d.encode() for d in DELIMITERS))

    def _next(self, size: int) -> bytes:
        """The next bytes in UTF-8, at most `size`."""
        while self._decoder is not None and (size < 0 or len(self._kept) < size) and (raw := self._raw(size)):
            self._kept += self._recoded(raw)
        if self._decoder is None and (size < 0 or size > len(self._kept)):
            data = self._kept + self._raw(size - len(self._kept) if size > 0 else size)
            self._kept = b""
            return data
        data, self._kept = (self._kept, b"") if size < 0 else (self._kept[:size], self._kept[size:])
        return data

    def _recoded(self, raw: bytes) -> bytes:
        assert self._decoder is not None
        try:
            return self._decoder.decode(raw).encode()
        except UnicodeError as error:
            raise SourceFileError(f"{self._label} is damaged UTF-16 text ({error})", "Save it again as UTF-8") from None

    def _raw(self, size: int) -> bytes:
        try:
            return self._bytes.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            what = "is cut off" if isinstance(error, EOFError) else f"is damaged ({error})"
            raise SourceFileError(f"{self._label}: the gzip file {what}", "Copy it again, or create it again") from None
        except OSError as error:
            raise unreadable(self._label, error) from None

    def _note(self, data: bytes) -> None:
        """Arrow takes the rest of a file for one cell where a quote is not closed, and says nothing."""
        count, last = data.count(b'"'), data.rfind(b'"')
        if count:
            self._quotes += count
            self._before_quote = data[last - 1 : last] if last else self._last
        self._last = data[-1:] or self._last
