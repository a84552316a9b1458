"""What labels/ remembers of its making."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from tsclust.workspace.commands import command
from tsclust.workspace.manifest import Facts, Stage


class LabelsFacts(Facts):
    """How many series have a label, of how many kinds, and by whom; of earlier versions None and nothing. The tables
    hold all of it."""

    series: int | None = None
    kinds: int | None = None
    labellers: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """All of it."""
        return self.model_dump(mode="json", exclude={"version"})


def _repair(root: Path) -> str:
    """Nothing makes labels/ again but the answers files that were imported, and these are in it."""
    folder, aside = shlex.quote(str(root / "labels")), shlex.quote(str(root / "labels-damaged"))
    again = f"{command('labels import', root)} --older {aside}/answers/*.json"
    return f"All answers files are kept: mv {folder} {aside}; {again}"


LABELS = Stage("labels", "labels import", LabelsFacts, given="answers-*.json", repair=_repair)
