"""Whether a file of a stage is the one that was written: its content against the hash in the stage's manifest.

Page checksums of Parquet would not do: a flipped bit in a page's header or in the footer reads as other data, too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

from tsclust.errors import DamagedError
from tsclust.file_hash import file_hash
from tsclust.workspace.commands import command

MANIFEST, PARTS = "manifest.json", "part-*.parquet"
DEEPEST = 3  # folders between a file and its manifest: clusters/within-007/assignments/
_SEAL = ',\n  "sha256": "'
_SEALED = re.compile(re.escape(_SEAL.encode()) + rb'([0-9a-f]{64})"\n}\n?')
Outputs = Mapping[str, str]  # file, relative to its stage -> sha256


def sealed(text: str) -> str:
    """The text of a manifest (JSON, indented) with the hash of itself as its last key."""
    body = text.removesuffix("\n}")
    return f'{body}{_SEAL}{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n'


def is_something_else(path: Path) -> bool:
    """Whether there is no file at a path but a folder, a pipe or device (which would keep a reader waiting), or a link
    that leads to one or nowhere."""
    return not path.is_file() and (path.is_symlink() or path.exists())


def is_intact(content: bytes) -> bool:
    """Whether a manifest is what was written. One without a hash of itself, as older ones are, has to be JSON."""
    body, seal = content[: (at := content.rfind(_SEAL.encode()))], content[at:]
    if at >= 0 and (found := _SEALED.fullmatch(seal)):
        return hashlib.sha256(body).hexdigest().encode() == found[1]
    try:
        return isinstance(json.loads(content), dict)
    except (ValueError, RecursionError):
        return False


def is_sealed(content: bytes) -> bool:
    """Whether a manifest has a hash of itself, right or wrong."""
    at = content.rfind(_SEAL.encode())
    return at >= 0 and _SEALED.fullmatch(content[at:]) is not None


def whole(path: Path) -> Path:
    """The path of a file of a stage, whose content is what was written. A process reads it once for that.

    What no manifest lists is taken as it is. Raises DamagedError.
    """
    if stage := _stage_of(path):
        _check(stage, path.relative_to(stage.folder).as_posix())
    return path


def parts_in(folder: Path) -> list[Path]:
    """The parts in a folder of a stage, in order, each of them whole: those that the manifest lists, if it lists any.

    Raises DamagedError where one is missing or not what was written.
    """
    stage = _stage_of(folder / PARTS)
    if stage is None or not (listed := _listed(stage, folder)):
        return sorted(folder.glob(PARTS))
    for name in listed:
        _check(stage, name)
    return sorted(stage.folder / name for name in listed)


def _listed(stage: _StageFolder, folder: Path) -> list[str]:
    below = folder.relative_to(stage.folder)
    return [name for name in stage.outputs if PurePath(name).parent == below and PurePath(name).match(PARTS)]


def outputs_of(folder: Path) -> Outputs | None:
    """The files of a stage by its manifest; None where that cannot be read."""
    try:  # a pipe would keep a reader waiting
        content = b"" if is_something_else(folder / MANIFEST) else (folder / MANIFEST).read_bytes()
    except OSError:
        return None
    found = json.loads(content).get("outputs") if is_intact(content) else None
    return found if isinstance(found, dict) else None


def damaged_files(folder: Path, outputs: Outputs) -> list[str]:
    """The names of those files that are missing or not what was written."""
    return [name for name, sha256 in outputs.items() if not _is_as_written(folder / name, sha256)]


@dataclass(frozen=True)
class _StageFolder:
    folder: Path
    outputs: Outputs


def _stage_of(path: Path) -> _StageFolder | None:
    """The stage that a file belongs to; None where there is no manifest, as in a stage in the making."""
    for folder in path.parents[:DEEPEST]:
        manifest = folder / MANIFEST
        if (folder / "tsclust.toml").exists():
            return None
        try:
            if is_something_else(manifest):
                raise damaged(manifest, folder.parent)
            return _StageFolder(folder, _outputs(manifest, _state(manifest)))
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None


def _check(stage: _StageFolder, name: str) -> None:
    """Once more where the stage was replaced between looks at its manifest and at the file: readers hold no lock."""
    path, sha256 = stage.folder / name, stage.outputs.get(name)
    if sha256 is None or _is_as_written(path, sha256):
        return
    now = _stage_of(path)
    if now is None or now == stage:
        raise damaged(path, stage.folder.parent)
    _check(now, name)


def damaged(path: Path, root: Path) -> DamagedError:
    """The error for a file that is not what was written. root: of the workspace, where no tsclust.toml says so."""
    root = next((one for one in path.parents if (one / "tsclust.toml").exists()), root)
    problem = f"{path} cannot be read: it is missing, or its content is no longer what tsclust wrote"
    return DamagedError(problem, f"What else is damaged, and how to make it again: {command('verify', root)}")


State = tuple[int, int, int, int]


def _state(path: Path) -> State:
    """What of a file changes when it is written to."""
    about = path.stat()
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns


@lru_cache(maxsize=64)
def _outputs(manifest: Path, _: State) -> Outputs:
    content = manifest.read_bytes()
    if not is_intact(content):
        raise damaged(manifest, manifest.parent.parent)
    outputs: Any = json.loads(content).get("outputs")
    return outputs if isinstance(outputs, dict) else {}


def _is_as_written(path: Path, sha256: str) -> bool:
    if is_something_else(path):
        return False
    try:
        return _known_hash(path, _state(path)) == sha256
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


@lru_cache(maxsize=1 << 16)
def _known_hash(path: Path, _: State) -> str:
    return file_hash(path)
