"""What `filter --show` found, as plain values. Apart from finding it: what prints it needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tsclust.pipeline.result import Result


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
