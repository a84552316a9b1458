"""What workspaces, models and files may be called in an address: nothing that leads anywhere else."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

from tsclust.serve.problems import Refusal

NAME = re.compile(r"[^\W_](?:[\w-]|\.(?=[\w-])){0,63}")


def fits(name: str) -> bool:
    """Whether it is fit to be a folder's: file systems count bytes."""
    return NAME.fullmatch(name) is not None and len(name.encode()) <= 200


def checked(name: str, what: str) -> str:
    """A name that is fit to be a folder's. Raises Refusal."""
    if not fits(name):
        raise Refusal(
            422,
            f"{name[:100]!r} is no name of a {what}: expected letters, digits, -, _ and single dots, "
            "at most 64 of them and 200 bytes",
            "Choose another one",
        )  # fmt: skip
    return name


def open_below(folder: Path, path: str) -> BinaryIO:
    """A regular file below a folder, opened step by step: no `..`, no link, whatever is changed meanwhile.

    Raises Refusal where there is none.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or path.startswith("/") or ".." in parts or "\0" in path or len(path) > 4_000:
        raise _no_file(path)
    try:
        here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise _no_file(path) from None
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    except (OSError, ValueError):
        raise _no_file(path) from None
    finally:
        os.close(here)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise _no_file(path)
    return os.fdopen(file, "rb")


def _no_file(path: str) -> Refusal:
    return Refusal(
        404, f"{path[:200]!r} is no file in the folder of files: expected a path below it, without links",
        "See what is there on the server; [serve] files names the folder",
    )  # fmt: skip
