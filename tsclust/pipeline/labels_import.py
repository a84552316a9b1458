"""labels import: files of answers -> labels/, all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tsclust.engine.base import Listener, Progress, silent
from tsclust.errors import AnswersError, SettingsError
from tsclust.pipeline import answers_folder
from tsclust.pipeline.engine import engine_of
from tsclust.pipeline.next_step import after as next_after
from tsclust.pipeline.settings import load
from tsclust.pipeline.status_labels import count_ahead
from tsclust.stages.labels import archive, messages, resolution
from tsclust.stages.labels import files as label_files
from tsclust.stages.labels.answers import Answers, Limits, parse
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.files import File, received
from tsclust.stages.labels.step import in_force_only, with_file
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result


def labels_import(
    root: Path,
    files: Sequence[Path],
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    older: bool = False,
) -> Result:
    """Take in what experts have answered. A file that is not whole, or not about this workspace, stops all of them.

    older: also answers about a sweep that clusters/ does not hold any more. Raises AnswersError, SettingsError where
    no file is given.
    """
    workspace, meter = Workspace.open(root), Meter()
    settings = load(workspace, flags)
    if not files:
        raise SettingsError("no answers files given: expected at least one", f"Run: {LABELS.command(root)}")
    limits = Limits(archive.most_clusters(workspace))
    came, given = dict[Path, str](), dict[str, tuple[File, Answers]]()
    for path in files:
        file = received(path, limits.size)
        came[path], given[file.sha256] = file.sha256, (file, parse(file.name, file.content, limits))
    with workspace.locked(settings.history.keep), engine_of(workspace, settings):
        after = before = label_files.read(workspace)
        had = label_files.labels_if_any(workspace)
        new = [pair for sha256, pair in given.items() if sha256 not in before.hashes]
        for n, (file, answers) in enumerate(new):
            listen(Progress("labels: looking up series", n, len(new), "files"))
            after = with_file(workspace, after, file, answers, older)
        after = in_force_only(after)
        found = resolution.labels(after.answers, after.members)
        resolve = label_files.decider(settings.labels.resolve, found)
        if new:
            label_files.write(workspace, meter, after, found, [file for file, _ in new])
    answers_folder.note(workspace, came)
    count_ahead(workspace, settings)
    said = messages.Imported(had, found, after, new, len(files) - len(new), resolve)
    return Result(
        "labels import", workspace.stage(LABELS), *meter.read(), skipped=not new, notes=said.notes(),
        table=said.table(), then=next_after(workspace), facts=said.facts(),
    )  # fmt: skip


def import_waiting(
    workspace: Workspace, listen: Listener, refused: Callable[[AnswersError], Result]
) -> Iterator[Result]:
    """What lies in answers/ and was not imported yet, each file by itself: one that cannot be used keeps no other one
    back. refused: what stands for it."""
    for path in answers_folder.waiting(workspace):
        try:
            yield labels_import(workspace.root, [path], None, listen, older=True)
        except AnswersError as error:
            yield refused(error)
