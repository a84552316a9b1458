"""reports/.newest.json: what the newest report of the groups was made from, and with which settings."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tsclust.workspace.atomic import write_file
from tsclust.workspace.folder import Workspace
from tsclust.workspace.integrity import is_something_else
from tsclust.workspace.manifest import MadeWith

NAME = ".newest.json"


class NewestReport(BaseModel):
    """sweep: the hash of the clusters/ that it shows, drill-downs included; "" where there is no report yet.

    labels: of the labels/ that there were when it was made, "" for none
    path: in reports/; settings: a hash of [report]
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    sweep: str = ""
    labels: str = ""
    path: str = ""
    settings: str = ""
    made_with: MadeWith = Field(default_factory=dict)


def read(workspace: Workspace) -> NewestReport:
    """Of a workspace without a report, or one whose note of it cannot be read: an empty one."""
    path = workspace.reports / NAME
    try:
        return NewestReport() if is_something_else(path) else NewestReport.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return NewestReport()


def keep(workspace: Workspace, made_with: MadeWith) -> None:
    """Have the newest report remember other settings, which give the same."""
    write(workspace, read(workspace).model_copy(update={"made_with": made_with}))


def shows(workspace: Workspace, sweep: str, settings: str) -> Path | None:
    """The newest report, where it is there and about this sweep, written by these settings."""
    newest = read(workspace)
    path = workspace.reports / newest.path
    return path if newest.path and path.is_file() and (newest.sweep, newest.settings) == (sweep, settings) else None


def write(workspace: Workspace, newest: NewestReport) -> None:
    """Note a report that was written just now."""
    write_file(workspace.reports / NAME, newest.model_dump_json(indent=2) + "\n")
