"""Files and folders that appear whole or not at all, on the disk too: written beside, synced, renamed, synced again.

A file system may write a new name down before the content it stands for: after a power cut a file that was only
renamed is there and empty. So nothing takes its name before its bytes are on the disk, and nothing old is removed
before the new name is.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from tsclust.errors import DamagedError, DiskFullError

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_BESIDE = ".beside-"
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)  # what file systems answer that sync no folders


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
    make_folder(path.parent)
    beside = path.with_name(f".{path.name}.new")
    try:
        with disk_full_explained(path.parent):
            yield beside
            sync(beside)
            beside.replace(path)
            sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def beside_of(path: Path) -> Path:
    """A name of its own beside `path`, for a file that takes that name when it is whole."""
    return path.with_name(f"{path.name}{_BESIDE}{uuid4().hex}")


def remove_unfinished(folder: Path) -> None:
    """Remove what was to take another name and never did: who wrote it was killed."""
    for path in folder.rglob(f"*{_BESIDE}*"):
        path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """A folder, and those above it, whose names are on the disk. Raises DamagedError where something else is there."""
    for folder in (path, *path.parents):
        refuse_no_folder(folder)
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in reversed(missing):
        sync(folder.parent)


def is_no_folder(path: Path) -> bool:
    """Whether a file, or a link that leads nowhere, has its name."""
    return os.path.lexists(path) and not path.is_dir()


def refuse_no_folder(path: Path) -> None:
    """Raises DamagedError where something else has its name: it may be somebody's."""
    if is_no_folder(path):
        raise DamagedError(
            f"{path} is not a folder: expected one there", "Move it away, then run the same command again"
        )


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk itself; where a file system cannot do that for a folder, it
    has to do without."""
    is_folder = path.is_dir()
    try:
        number = os.open(path, os.O_RDONLY)
    except PermissionError:
        if is_folder:  # one that may be written into, not listed
            return
        raise
    try:
        os.fsync(number)
    except OSError as error:
        if not (is_folder and error.errno in _NO_SYNC):
            raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error
    finally:
        os.close(number)


def sync_tree(folder: Path) -> None:
    """Have all files in a folder, and below, on the disk itself. What is there already costs next to nothing."""
    for here, _, names in os.walk(folder, topdown=False):
        for name in names:
            # Not a pipe, a link to nowhere or what may not be read, which a user may have put there.
            if Path(here, name).is_file():
                with suppress(PermissionError):
                    sync(Path(here, name))
        sync(Path(here))


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
    """Put folder `new` in the place of `old` and remove the latter. On Linux a reader never sees neither.

    A power cut leaves one of them whole: `old` goes when `new` and its name are on the disk.
    """
    sync_tree(new)
    there = os.path.lexists(old)
    if not there:
        new.rename(old)
    elif not _exchange(new, old):
        aside = old.with_name(f".{old.name}.old")
        old.rename(aside)
        new.rename(old)
        new = aside
    sync(old.parent)
    if there:
        remove(new)


def link_tree(source: Path, target: Path, also: Callable[[Path, Path], None] = lambda old, new: None) -> None:
    """Let `target` be a folder of links to what is in `source`, in the place of what is there.

    also: called with the target and the folder that takes its place, before it does.
    """
    beside = target.with_name(f".{target.name}.new")
    remove(beside)
    make_folder(target.parent)
    shutil.copytree(source, beside, symlinks=True, copy_function=link_or_copy)
    also(target, beside)
    replace_folder(beside, target)


def remove(path: Path) -> None:
    """Remove a folder, or the link or file in the place of one; where that cannot be done it stays."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def _exchange(a: Path, b: Path) -> bool:
    """Swap two paths in one step with Linux's renameat2(2); False where the system has none."""
    rename: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if sys.platform != "linux" or rename is None:
        return False
    return rename(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0
