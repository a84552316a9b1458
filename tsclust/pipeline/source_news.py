"""What a source has that series/ lacks: a server is asked for a limited time; files by their names, sizes and times."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tsclust.config import Settings
from tsclust.errors import TsclustError
from tsclust.source import open as source_open
from tsclust.source.census import Difference, difference
from tsclust.stages.series.facts import SERIES, SeriesFacts
from tsclust.stages.series.freshness import digest
from tsclust.wording.english import counted
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest

PATIENCE = 1.7  # seconds that `status` waits for a server


@dataclass(frozen=True)
class News:
    """asked: whether there is an answer; why not, where not. files_changed: None for a server.

    found: None where nobody was asked, and for files, which are not counted
    """

    asked: bool
    why: str = ""
    found: Difference | None = None
    files_changed: bool | None = None

    @property
    def is_new(self) -> bool:
        """Whether reading on would find something, as far as is known."""
        return bool(self.files_changed or (self.found and self.found.new))

    def facts(self) -> dict[str, Any]:
        """For scripts."""
        counts = asdict(self.found) if self.found else {"new": None, "gone": None, "changed": None, "below": None}
        return {"asked": self.asked, "why": self.why, **counts, "files_changed": self.files_changed}


def ask(settings: Settings, root: Path, before: Manifest[SeriesFacts], seconds: float | None = PATIENCE) -> News:
    """Ask the source; None: for as long as it takes. What keeps it from answering is no error, but told."""
    found: list[News] = []

    def asking() -> None:
        try:
            found.append(_asked(settings, root, before))
        except TsclustError as error:
            found.append(News(False, error.problem))

    if seconds is None:
        asking()
        return found[0]
    thread = threading.Thread(target=asking, daemon=True)  # a server that stalls is left behind
    thread.start()
    thread.join(seconds)
    return found[0] if found else News(False, f"no answer within {seconds:.0f} seconds")


def ask_or_raise(settings: Settings, root: Path, before: Manifest[SeriesFacts]) -> News:
    """Ask the source for as long as it takes. Raises what keeps it from answering."""
    return _asked(settings, root, before)


def _asked(settings: Settings, root: Path, before: Manifest[SeriesFacts]) -> News:
    if settings.source.files:
        return News(True, files_changed=source_open.files_state(settings, root) != before.facts.files)
    # a mark of other settings may be an id, not a time: nothing is beyond it
    mark = before.facts.mark if before.settings == digest(settings.source, root) else None
    now = source_open.census(settings, root, mark)
    found = difference(now, before.rows, _fresh(root, now.ids))
    if found.changed is not None:  # what an earlier run saw has not been read again
        found = replace(found, changed=found.changed + before.facts.changed)
    return News(True, found=found)


def _fresh(root: Path, ids: tuple[str, ...]) -> int:
    """How many of these ids are not in series/."""
    if not ids:
        return 0
    import pyarrow as pa  # a tenth of a second, which most looks at a source do without

    from tsclust.series import is_in
    from tsclust.stages.series.parts import read_ids

    left = pa.array(ids)
    for path in Workspace.open(root).parts(SERIES):
        left = left.filter(pa.array(~is_in(left, read_ids(path).cast(pa.string()))))
    return len(left)


def notes(news: News, root: Path) -> list[str]:
    """For people: what is new, gone or changed in the source."""
    if not news.asked:
        return [f"source: not asked ({news.why})"]
    if news.found is None:
        new = f"source: the files have changed since they were read: {command('run', root)} takes in what is new"
        return [new if news.files_changed else "source: the files are as they were read"]
    again = f"{command('extract', root)} reads all again"
    found, lines = news.found, []
    if found.new:
        are = "is" if found.new == 1 else "are"
        lines.append(f"source: {found.new:,} series that {are} not here yet: {command('run', root)} takes them in")
    if found.gone:
        lines.append(f"source: {counted(found.gone, 'series', 'series')} here that it no longer has: {again}")
    if found.changed:
        lines.append(f"source: {found.changed:,} series changed since they were read: {again}")
    return lines or ["source: nothing new; what changed " + _about_changes(found, root)]


def _about_changes(found: Difference, root: Path) -> str:
    if found.changed is None:
        return f"is unknown, as they were read without [source] watermark: {command('extract', root)} --compare looks"
    return "by the watermark: nothing"
