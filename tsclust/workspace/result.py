"""What a command did, as plain values: the command line prints it, scripts get it as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tsclust.workspace.manifest import Manifest


@dataclass(frozen=True)
class Result:
    """What one command did.

    wrote    what was written, None where nothing was
    seconds, peak_mb  what it cost
    skipped  True where all was up to date
    notes    lines for people
    table    rows for people (first row: headings), e.g. what each rule rejects
    then     the command to run next
    facts    the same for scripts
    """

    command: str
    wrote: Path | None
    seconds: float
    peak_mb: float
    skipped: bool = False
    notes: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    then: str = ""
    facts: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        plain = asdict(self)
        plain["wrote"] = None if self.wrote is None else str(self.wrote)
        del plain["notes"], plain["table"]
        return plain


def of_stage(command: str, wrote: Path, manifest: Manifest[Any], then: str, **more: Any) -> Result:
    """The Result of a stage with this manifest."""
    return Result(command, wrote, manifest.seconds, manifest.peak_mb, then=then, facts=about_stage(manifest), **more)


def up_to_date(command: str, wrote: Path, manifest: Manifest[Any], then: str) -> Result:
    """The Result of a stage that had nothing to do."""
    note = f"up to date: made {manifest.made_at} from the same input and settings"
    return Result(command, wrote, 0.0, 0.0, skipped=True, notes=(note,), then=then, facts=about_stage(manifest))


def about_stage(manifest: Manifest[Any]) -> dict[str, Any]:
    """What a stage holds, for scripts."""
    return {"rows": manifest.rows, "parts": manifest.parts, **manifest.facts.shown(manifest.facts.INTERNAL)}


@dataclass(frozen=True)
class Sketch:
    """A series to be drawn in a terminal; None among the values is a missing one."""

    series_id: str
    carried: tuple[tuple[str, object], ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Shown(Result):
    """The series that a rule rejects.

    ids       those asked for, without sketches where all were asked for
    sketches  of the same
    endings   lines for people, after these
    """

    ids: tuple[int | str, ...] = ()
    sketches: tuple[Sketch, ...] = ()
    endings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`: the ids are among the facts."""
        plain = Result.as_json(self)
        return {key: value for key, value in plain.items() if key not in ("ids", "sketches", "endings")}
