"""What labels/ remembers of its making."""

from __future__ import annotations

import shlex
from pathlib import Path

from tsclust.workspace.commands import command
from tsclust.workspace.manifest import Facts, Stage


class LabelsFacts(Facts):
    """Nothing but the tables: they hold what was imported, from whom and when."""


def _repair(root: Path) -> str:
    """Nothing makes labels/ again but the answers files that were imported, and these are in it."""
    folder, aside = shlex.quote(str(root / "labels")), shlex.quote(str(root / "labels-damaged"))
    again = f"{command('labels import', root)} --older {aside}/answers/*.json"
    return f"All answers files are kept: mv {folder} {aside}; {again}"


LABELS = Stage("labels", "labels import", LabelsFacts, given="answers-*.json", repair=_repair)
