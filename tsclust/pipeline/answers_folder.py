"""answers/: where answers files are laid for `run` to import. Each is imported once: one that was taken back by `undo`
or `labels remove` stays out until it is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsclust.file_hash import file_hash
from tsclust.stages.labels.facts import LABELS
from tsclust.workspace.folder import Workspace

SEEN = ".imported"  # hashes of files that were imported from here, a line each


def waiting(workspace: Workspace) -> tuple[Path, ...]:
    """The files that were not imported yet, by name. Raises DamagedError for the manifest of labels/."""
    labels, there = workspace.find_manifest(LABELS), sorted(_folder(workspace).glob("*.json"))
    known = {*(labels.outputs.values() if labels else ()), *_seen(workspace)}
    return tuple(path for path in there if path.is_file() and file_hash(path) not in known)


def note(workspace: Workspace, imported: Mapping[Path, str]) -> None:
    """Remember those of these files that are in answers/. imported: path -> sha256 of what was imported from it, which
    may not stand there any more: what has come in its place meanwhile still waits."""
    folder = _folder(workspace).absolute()
    here = {sha256 for path, sha256 in imported.items() if path.absolute().parent == folder} - _seen(workspace)
    if here:
        with (folder / SEEN).open("a", encoding="utf-8") as file:
            file.writelines(f"{one}\n" for one in sorted(here))


def _folder(workspace: Workspace) -> Path:
    return workspace.root / "answers"


def _seen(workspace: Workspace) -> set[str]:
    try:
        return set((_folder(workspace) / SEEN).read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return set()
