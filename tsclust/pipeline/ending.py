"""The end of a command: what it was done with, settings that are saved, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tsclust.config import Settings
from tsclust.memory import give_back
from tsclust.pipeline import next_step
from tsclust.pipeline import settings as settings_of
from tsclust.pipeline.status_labels import count_ahead
from tsclust.workspace.folder import Workspace
from tsclust.workspace.result import Result


def end(
    done: Result, workspace: Workspace, settings: Settings, wrote: str, *, save: bool = False,
    found: Mapping[str, str] | None = None,
) -> Result:  # fmt: skip
    """The Result with where its settings differ from tsclust.toml, or that they were saved there, and what is next.

    wrote: the stage, or "reports". found: settings of a source that were detected, to be saved too.
    """
    if save:
        notes = settings_of.save(workspace, wrote, settings, found)
    else:
        notes = settings_of.notes_of(settings, *settings_of.SECTIONS[wrote])
    count_ahead(workspace, settings)
    give_back()
    return replace(done, notes=(*done.notes, *notes), then=next_step.after(workspace))
