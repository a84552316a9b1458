"""undo: the last step back, or the step that was undone last again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tsclust import config
from tsclust.engine.base import Listener, silent
from tsclust.errors import SettingsError, StageMissingError, TsclustError
from tsclust.pipeline.settings import load
from tsclust.pipeline.status_labels import count_ahead
from tsclust.stages.model import archive
from tsclust.stages.model.facts import MODEL
from tsclust.wording import changes
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.history import History, Run
from tsclust.workspace.manifest import Meter
from tsclust.workspace.pages import write_page
from tsclust.workspace.result import Result
from tsclust.workspace.user_files import user_files


def undo(
    root: Path,
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    redo: bool = False,
    to: int | None = None,
) -> Result:
    """Put the stage back that the last step replaced; each further `undo` goes one step further back.

    redo: make the step again that was undone last; after another step this is no longer possible. to: undo every step
    after that run. Reports stay: what was mailed is not taken back. Raises StageMissingError where what there was is
    no longer kept, SettingsError for a run that is not known.
    """
    workspace, meter = Workspace.open(root), Meter()
    settings = config.load(workspace.config, flags)
    with workspace.locked(settings.history.keep):
        if to is not None:
            _refuse_unknown(workspace.history, to, redo, root)
        done = list(_steps(workspace, flags, redo, to))
    count_ahead(workspace, load(workspace, flags))
    return _result(workspace, done, meter, redo)


def _refuse_unknown(kept: History, to: int, redo: bool, root: Path) -> None:
    if redo:
        raise SettingsError("--redo makes one step again, --to undoes several", "Use only one of them")
    if to not in {run.number for run in kept.runs}:
        raise SettingsError(f"--to {to}: expected a run that is known", f"Run: {command('history', root)}")


def _steps(workspace: Workspace, flags: Mapping[str, object] | None, redo: bool, to: int | None) -> Iterator[Run]:
    """Take steps back: one, or all after a run. Each is whole by itself."""
    while (run := _next(workspace.history, redo)) and (to is None or run.number > to):
        _refuse_lost(workspace, workspace.history, run, redo)
        if not redo and run.before is None:
            _refuse_user_files(workspace, run)
        if run.stage == MODEL.name:
            archive.keep(workspace)
        (workspace.history.redo if redo else workspace.history.undo)(run)
        if run.stage == MODEL.name:
            _write_page(workspace, flags)
        yield run
        if to is None:
            return


def _next(kept: History, redo: bool) -> Run | None:
    if redo:
        return kept.undone[0] if kept.undone else None
    return kept.last


def _refuse_lost(workspace: Workspace, kept: History, run: Run, redo: bool) -> None:
    """Raises StageMissingError where the stage to put back is not there."""
    back, expected = (kept.after(run), run.after) if redo else (kept.before(run), run.before)
    if expected is None or back.exists():
        return
    what = f"run {run.number} ({run.command}) cannot be {'made again' if redo else 'undone'}"
    raise StageMissingError(
        f"{what}: the {run.stage}/ of {'then' if redo else 'before'} is not kept",
        f"[history] keep in {workspace.config} sets how many are; run: {command('history', workspace.root)}",
    )


def _refuse_user_files(workspace: Workspace, run: Run) -> None:
    """Raises TsclustError where a folder that goes away has files that tsclust did not write."""
    folder = workspace.root / run.stage
    if found := user_files(folder):
        named = f"{', '.join(found[:5])}{', ...' if len(found) > 5 else ''}"
        raise TsclustError(
            f"run {run.number} ({run.command}) cannot be undone: {folder} would be removed, and has files that tsclust"
            f" did not write: {named}",
            "Move them away, then run the same command again",
        )


def _write_page(workspace: Workspace, flags: Mapping[str, object] | None) -> None:
    """The page about the model that is in force again, in the language that it was trained with."""
    from tsclust.stages.reports import model_page  # no other step needs it

    if manifest := workspace.find_manifest(MODEL):
        settings = load(workspace, flags, page=MODEL)
        data = model_page.of(manifest, settings.report.title)
        page = model_page.render(data, settings.report.lang)
        write_page(workspace.root, "undo", workspace.reports / "model.html", page)


def _result(workspace: Workspace, done: list[Run], meter: Meter, redo: bool) -> Result:
    root, how = workspace.root, "made again" if redo else "undone"
    if not done:
        notes: tuple[str, ...] = ("no step was undone" if redo else "no step to undo", "nothing changed")
        return Result("undo", None, *meter.read(), skipped=True, notes=notes, then=command("history", root))
    back = f"and back: {command('undo', root)}{'' if redo else ' --redo'}"
    notes = (*(f"run {run.number} ({run.command}) {how}: {_what(run, redo)}" for run in done), back)
    last = done[-1]
    facts = {"run": last.number, "undone": last.command, "stage": last.stage, "redo": redo}
    facts["runs"] = [run.number for run in done]
    place = root / last.stage if redo or last.before else None
    return Result("undo", place, *meter.read(), notes=notes, then=command("status", root), facts=facts)


def _what(run: Run, redo: bool) -> str:
    if redo:
        return changes.of_values(run.stage, run.was, run.now)
    gone = f"{run.stage}/ is removed: it was not there before"
    return changes.of_values(run.stage, run.now, run.was) if run.before else gone
