"""Files that users put into the folder of a stage: the stage that takes its place has them, too."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePath

from tsclust.workspace.atomic import remove
from tsclust.workspace.integrity import MANIFEST, outputs_of

OURS = (".json", ".parquet")  # without a manifest nobody knows what else a stage had: such files are not a user's
ASIDE = ".kept"  # behind the name of a file whose own name the new stage needs


def user_files(stage: Path) -> list[str]:
    """The files in a stage's folder, and below, that its manifest does not list: paths relative to it."""
    listed = outputs_of(stage)
    there = (name for name in _files(stage) if name != MANIFEST)
    if listed is None:
        return sorted(name for name in there if PurePath(name).suffix not in OURS)
    return sorted(name for name in there if name not in listed)


def take_along(old: Path, new: Path) -> None:
    """Let the stage in the making have the users' files of the one whose place it takes: both have them until then."""
    listed = outputs_of(new) or {}
    for name in user_files(old):
        target = new / (f"{name}{ASIDE}" if name in listed else name)
        target.parent.mkdir(parents=True, exist_ok=True)
        remove(target)  # what an earlier state had of that name
        _link(old / name, target)


def _link(source: Path, target: Path) -> None:
    """A link stays the link that it is, wherever it leads."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _files(folder: Path) -> Iterator[str]:
    """All but folders; a link to a folder is one of them."""
    for here, folders, names in os.walk(folder):
        links = [name for name in folders if Path(here, name).is_symlink()]
        yield from (Path(here, name).relative_to(folder).as_posix() for name in (*names, *links))
