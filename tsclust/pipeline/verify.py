"""verify: is every file of the workspace what was written?"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tsclust.engine.base import Listener, Progress, map_parts, silent
from tsclust.pipeline.stage_state import ALWAYS, LATER
from tsclust.stages.scores.facts import SCORES_NEW
from tsclust.wording.english import counted
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.history import RUN
from tsclust.workspace.integrity import MANIFEST, damaged_files, is_intact, is_something_else
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result

EARLIER = {
    "asked/": "an earlier sweep: answers about it can no longer be imported",
    "history/": "an earlier state, kept for undo",
    "models/": "an earlier model",
}
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

    Reads all of it once, and writes nothing. What is damaged, and how to make it again, is in the Result.
    """
    workspace, meter = Workspace.open(root), Meter()
    found = [_check(workspace, folder, listen) for folder in _folders(workspace)]
    found += [_records(workspace)] if workspace.history.folder.exists() else []
    damaged = [one for one in found if one.damaged]
    files = sum(one.files for one in found)
    notes = [f"{counted(files, 'file')} of {counted(len(found), 'folder')} compared with their hashes"]
    notes += [f"{one.folder}/: {', '.join(one.damaged[:5])} - {one.again}" for one in damaged]
    table = (
        ("folder", "files", "damaged"),
        *((one.folder, f"{one.files:,}", f"{len(one.damaged):,}") for one in found),
    )
    then = command("status", root) if not damaged else ""
    facts = {"files": files, "damaged": {one.folder: list(one.damaged) for one in damaged}}
    return Result("verify", None, *meter.read(), notes=tuple(notes), table=table, then=then, facts=facts)


def _folders(workspace: Workspace) -> list[Path]:
    """Every folder with a manifest: stages, sweeps that reports were made from, models and stages of before."""
    depths = ("*", "*/*", "history/*/*/*")
    found = [path.parent for depth in depths for path in workspace.root.glob(f"{depth}/{MANIFEST}")]
    return sorted(one for one in found if not one.relative_to(workspace.root).parts[0].startswith("."))


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
    if is_something_else(folder / MANIFEST):
        return _Checked(name, 1, (MANIFEST,), _again(workspace, name))
    content = _manifest(folder)
    if content is None:
        return _Checked(name, 0, (), "")
    outputs = _outputs(content)
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
    except FileNotFoundError:
        return None


def _outputs(manifest: bytes) -> dict[str, str] | None:
    """What a manifest lists; None where it is damaged."""
    if not is_intact(manifest):
        return None
    outputs: Any = json.loads(manifest).get("outputs")
    return outputs if isinstance(outputs, dict) else None


def _damaged(folder: Path, file: tuple[str, str]) -> list[str]:
    return damaged_files(folder, dict([file]))


def _again(workspace: Workspace, name: str) -> str:
    """How to make a folder again."""
    if stage := STAGES.get(name):
        return stage.repair(workspace.root) if stage.repair else f"make it again: {stage.command(workspace.root)}"
    what = next((text for folder, text in EARLIER.items() if name.startswith(folder)), "a copy")
    return f"{what}; remove it: rm -r {shlex.quote(str(workspace.root / name))}"
