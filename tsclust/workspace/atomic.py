"""Files that appear whole or not at all: written beside, then renamed."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tsclust.errors import DiskFullError

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """A second name for the file where the disk knows links, else a copy. Nobody writes into a file that is there."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def write_file(path: Path, text: str) -> None:
    """Write a text file beside and rename: a reader sees the old one or the new one."""
    with appearing(path) as beside:
        beside.write_text(text, encoding="utf-8")


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Where to write a file that takes the name `path` when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        with disk_full_explained(path.parent):
            yield beside
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def disk_full_explained(where: Path) -> Iterator[None]:
    """Turn the system's "no space" into one line that says where and how much is left."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):  # the disk, a quota, a limit on files
            raise
        free = shutil.disk_usage(where).free // 2**20
        raise DiskFullError(
            f"no space left on the disk holding {where} ({free} MB free); existing files are unchanged",
            "Free some space or move the workspace, then run the same command again",
        ) from error


def replace_folder(new: Path, old: Path) -> None:
    """Put folder `new` in the place of `old` and remove the latter. On Linux a reader never sees neither."""
    if not old.exists():
        new.rename(old)
        return
    if not _exchange(new, old):
        aside = old.with_name(f".{old.name}.old")
        old.rename(aside)
        new.rename(old)
        new = aside
    shutil.rmtree(new, ignore_errors=True)


def _exchange(a: Path, b: Path) -> bool:
    """Swap two paths in one step with Linux's renameat2(2); False where the system has none."""
    rename: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if sys.platform != "linux" or rename is None:
        return False
    return rename(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0
