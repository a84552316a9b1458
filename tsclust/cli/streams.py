"""stdout and stderr whose reader may leave before the end: `tsclust filter --show gaps --limit 0 | head`."""

from __future__ import annotations

import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import Any


class LeavableFile(FileIO):
    """A descriptor; once its reader has left, the rest goes nowhere: the command does its work and keeps its exit code.

    A signal handler would not do: a connection to PostgreSQL that breaks is an error, with the same signal.
    """

    left = False

    def write(self, data: Any) -> int:
        """As FileIO, but for the reader who has left. Another error, like a full disk, is raised once: at the end of
        the process what is left is written again."""
        try:
            return super().write(data)
        except BrokenPipeError:
            self.left = True
            self._divert()
            return len(data)
        except OSError:
            self._divert()
            raise

    def _divert(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def let_readers_leave() -> None:
    """Put such files below stdout and stderr. One that was closed from the start (`>&-`) goes nowhere at once."""
    sys.stdout, sys.stderr = _leavable(sys.stdout), _leavable(sys.stderr)


def reader_left() -> bool:
    """Whether nobody reads stdout any more."""
    return bool(getattr(getattr(getattr(sys.stdout, "buffer", None), "raw", None), "left", False))


def _leavable(stream: Any) -> Any:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    stream.flush()
    return TextIOWrapper(
        BufferedWriter(LeavableFile(stream.fileno(), "w", closefd=False)), encoding=stream.encoding,
        errors=stream.errors, line_buffering=stream.line_buffering, write_through=stream.write_through,
    )  # fmt: skip
