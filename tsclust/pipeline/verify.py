"""verify: is every file of the workspace what was written?"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tsclust.engine.base import Listener, Progress, map_parts, silent
from tsclust.errors import TsclustError
from tsclust.pipeline import stage_state
from tsclust.pipeline.stage_state import ALWAYS, LATER
from tsclust.stages.scores.facts import SCORES_NEW
from tsclust.wording.english import counted
from tsclust.workspace.atomic import is_no_folder
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.history import RUN
from tsclust.workspace.integrity import MANIFEST, damaged_files, is_intact, is_sealed, is_something_else
from tsclust.workspace.manifest import Manifest, Meter
from tsclust.workspace.result import Result
from tsclust.workspace.user_files import user_files

EARLIER = {
    "asked/": "an earlier sweep: answers about it can no longer be imported",
    "checks/": "what a report has asked of single series: without it the check is no longer known",
    "history/": "an earlier state, kept for undo",
    "models/": "an earlier model",
}
OTHERS = ("asked", "checks", "history", "models", "reports")
STAGES = {stage.name: stage for stage in (*ALWAYS, *LATER, SCORES_NEW)}


@dataclass(frozen=True)
class _Checked:
    """A folder with a manifest: how many files that lists, and which of them are damaged."""

    folder: str
    files: int
    damaged: tuple[str, ...]
    again: str


def verify(root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent) -> Result:
    """Compare the content of every file with the hash in the manifest of its stage, and each manifest with its own.

    Reads all of it once, and writes nothing. What is damaged, and how to make it again, is in the Result; and what is
    whole, but was made from another state of the stage before it than is there now.
    """
    workspace, meter = Workspace.open(root), Meter()
    found = [_check(workspace, folder, listen) for folder in _folders(workspace)]
    found += [_records(workspace)] if workspace.history.folder.is_dir() else []
    damaged = [one for one in found if one.damaged]
    others = stage_state.of_others(_readable(workspace))
    files = sum(one.files for one in found)
    notes = [f"{counted(files, 'file')} of {counted(len(found), 'folder')} compared with their hashes"]
    notes += [f"{one.folder}/: {', '.join(one.damaged[:5])} - {one.again}" for one in damaged]
    notes += [
        f"{name}/: whole, but not made from the {before}/ that is there now - {_again(workspace, name)}"
        for name, before in others.items()
    ]
    notes += list(_of_users(workspace))
    table = (
        ("folder", "files", "damaged"),
        *((one.folder, f"{one.files:,}", f"{len(one.damaged):,}") for one in found),
    )
    then = "" if damaged else next((STAGES[name].command(root) for name in others), command("status", root))
    facts = {"files": files, "damaged": {one.folder: list(one.damaged) for one in damaged}, "other_input": others}
    return Result("verify", None, *meter.read(), notes=tuple(notes), table=table, then=then, facts=facts)


def _of_users(workspace: Workspace) -> Iterator[str]:
    """Which files of a stage's folder tsclust did not write."""
    for name in STAGES:
        if found := user_files(workspace.root / name):
            more = f" and {len(found) - 5:,} more" if len(found) > 5 else ""
            yield f"{name}/: {', '.join(found[:5])}{more} not written by tsclust, and left where they are"


def _readable(workspace: Workspace) -> dict[str, Manifest[Any] | None]:
    """The manifests of the stages that can be read."""
    found: dict[str, Manifest[Any] | None] = {}
    for stage in ALWAYS:
        with contextlib.suppress(TsclustError):
            found[stage.name] = workspace.find_manifest(stage)
    return found


def _folders(workspace: Workspace) -> list[Path]:
    """Every folder with a manifest, or something else of that name: stages, sweeps that reports were made from, models
    and stages of before; and the stages that have lost it."""
    root = workspace.root
    found = {path for depth in ("*", "*/*", "history/*/*/*") for path in root.glob(depth) if _has_manifest(path)}
    found |= {root / name for name in STAGES if os.path.lexists(root / name)}
    found |= {root / name for name in OTHERS if is_no_folder(root / name)}
    return sorted(one for one in found if not one.relative_to(root).parts[0].startswith("."))


def _has_manifest(folder: Path) -> bool:
    return folder.is_dir() and os.path.lexists(folder / MANIFEST)


def _records(workspace: Workspace) -> _Checked:
    """What is written down of runs."""
    folder = workspace.history.folder
    paths = sorted(folder.glob(f"[0-9]*/{RUN}"))
    damaged = [f"{path.parent.name}/{RUN}" for path in paths if not _is_whole(path)]
    return _Checked("history", len(paths), tuple(damaged), f"remove {'them' if len(damaged) > 1 else 'it'}")


def _is_whole(record: Path) -> bool:
    try:
        return is_intact(record.read_bytes())
    except FileNotFoundError:  # removed since
        return True


def _check(workspace: Workspace, folder: Path, listen: Listener) -> _Checked:
    """Once more where the stage was replaced meanwhile: there is no lock, as nothing is written."""
    name = folder.relative_to(workspace.root).as_posix()
    if not folder.is_dir():
        return _Checked(name, 1, (f"{name} is not a folder",), "move it away")
    if is_something_else(folder / MANIFEST):
        return _Checked(name, 1, (MANIFEST,), _again(workspace, name))
    content = _manifest(folder)
    if content is None:
        lost = (MANIFEST,) if os.path.lexists(folder) and name in STAGES else ()
        return _Checked(name, 0, lost, _again(workspace, name))
    outputs = _outputs(content, name)
    if outputs is None:
        return _Checked(name, 1, (MANIFEST,), _again(workspace, name))
    damaged: list[str] = []
    for n, of_file in enumerate(map_parts(partial(_damaged, folder), outputs.items()), start=1):
        damaged += of_file
        listen(Progress(f"verify: {name}", n, len(outputs), "files"))
    if damaged and _manifest(folder) != content:
        return _check(workspace, folder, listen)
    return _Checked(name, 1 + len(outputs), tuple(damaged), _again(workspace, name))


def _manifest(folder: Path) -> bytes | None:
    """None where the folder was removed since, as earlier states are."""
    try:
        return (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _outputs(content: bytes, folder: str) -> dict[str, str] | None:
    """What the manifest of a folder lists; None where it is damaged, another stage's, or nothing that ever was one."""
    if not is_intact(content):
        return None
    about = json.loads(content)
    stage, outputs = STAGES.get(str(about.get("stage", ""))), about.get("outputs")
    if not isinstance(outputs, dict) or (folder in STAGES and stage is not STAGES[folder]):
        return None
    return outputs if is_sealed(content) or (stage and stage.read(content)) else None


def _damaged(folder: Path, file: tuple[str, str]) -> list[str]:
    return damaged_files(folder, dict([file]))


def _again(workspace: Workspace, name: str) -> str:
    """How to make a folder again."""
    if stage := STAGES.get(name):
        return stage.repair(workspace.root) if stage.repair else f"make it again: {stage.command(workspace.root)}"
    what = next((text for folder, text in EARLIER.items() if name.startswith(folder)), "a copy")
    return f"{what}; remove it: rm -r {shlex.quote(str(workspace.root / name))}"
