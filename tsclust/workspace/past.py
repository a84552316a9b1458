"""What is kept of before, in a few figures: for `status`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tsclust.wording.english import counted
from tsclust.workspace.folder import Workspace
from tsclust.workspace.pruning import Asked, Surplus, own_bytes


@dataclass(frozen=True)
class Past:
    """runs: those known;  last: the number of the one to undo;  pages: earlier ones;  bytes: that `prune` can free;
    asked: sweeps that stay"""

    runs: int
    last: int | None
    pages: tuple[Path, ...]
    models: int
    bytes: int
    asked: Asked

    def reports_now(self, workspace: Workspace) -> list[str]:
        """The newest page of each name, relative to reports/."""
        folder, earlier = workspace.reports, set(self.pages)
        pages = (*folder.glob("*.html"), *folder.glob("*/index.html"))
        return sorted(str(path.relative_to(folder)) for path in pages if not {path, path.parent} & earlier)

    def facts(self) -> dict[str, Any]:
        """For scripts."""
        names = [path.name for path in self.pages]
        return {"runs": self.runs, "last": self.last, "reports": names, "models": self.models, "bytes": self.bytes,
                "asked": asdict(self.asked)}  # fmt: skip

    def notes(self) -> list[str]:
        """For people."""
        if not self.runs:
            return []
        kept = [counted(n, f"earlier {what}") for n, what in ((len(self.pages), "page"), (self.models, "model")) if n]
        room = f"{self.bytes / 2**20:.1f} MB that `tsclust prune --keep 0` frees"
        asked = [self.asked.note()] if self.asked.sweeps else []
        return [f"history: {', '.join([counted(self.runs, 'run'), *kept, room])}", *asked]


def past_of(workspace: Workspace) -> Past:
    """What there is."""
    kept = workspace.history
    surplus, last = Surplus.of(kept, 0), kept.last
    return Past(
        len(kept.runs), last.number if last else None, surplus.pages, len(surplus.models), own_bytes(surplus.paths),
        Asked.of(workspace.root),
    )  # fmt: skip
