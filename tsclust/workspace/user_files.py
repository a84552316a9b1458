"""Files that users put into the folder of a stage: the stage that takes its place has them, too."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from tsclust.errors import TsclustError
from tsclust.workspace.atomic import remove
from tsclust.workspace.integrity import MANIFEST, outputs_of

# Without a manifest nobody knows what else a stage had: such files are not a user's.
OURS = ("*.json", "*.parquet", "*.arrow", "*.skops", "features.py")
ASIDE = ".kept"  # behind a name that the new stage needs


def user_files(stage: Path) -> list[str]:
    """The files in a stage's folder, and below, that its manifest does not list: paths relative to it."""
    listed = outputs_of(stage)
    there = (name for name in _files(stage) if name != MANIFEST)
    if listed is None:
        return sorted(name for name in there if not any(PurePosixPath(name).match(one) for one in OURS))
    return sorted(name for name in there if name not in listed)


def take_along(old: Path, new: Path) -> None:
    """Let the stage in the making have the users' files of the one whose place it takes: both have them until then.

    Raises TsclustError where one cannot be read.
    """
    needed = {MANIFEST, *(outputs_of(new) or {})}
    taken = set[str]()
    for name in user_files(old):
        target = _free(new, name, needed, taken)
        taken.add(target)
        (new / target).parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(new / target):
            remove(new / target)  # what an earlier state had of that name
        _link(old / name, new / target)


def _free(new: Path, name: str, needed: Collection[str], taken: Collection[str]) -> str:
    """The path for a user's file: its own, unless the stage needs that, or what is above it, for something else."""
    path = PurePosixPath(name)
    for part in (*reversed(path.parents), path):
        is_file, is_folder = str(part) in needed, part == path and (new / part).is_dir()
        if part.name and (is_file or is_folder or str(part) in taken):
            aside = part.with_name(f"{part.name}{ASIDE}") / path.relative_to(part)
            return _free(new, str(aside), needed, taken)
    return name


def _link(source: Path, target: Path) -> None:
    """A link stays the link that it is, wherever it leads."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        try:
            shutil.copy2(source, target, follow_symlinks=False)
        except PermissionError as error:
            raise TsclustError(
                f"{source}, which tsclust did not write, cannot be kept beside the new files: {error.strerror}",
                "Move it away, then run the same command again",
            ) from None


def _files(folder: Path) -> Iterator[str]:
    """All but folders; a link to a folder is one of them."""
    for here, folders, names in os.walk(folder):
        links = [name for name in folders if Path(here, name).is_symlink()]
        yield from (Path(here, name).relative_to(folder).as_posix() for name in (*names, *links))
