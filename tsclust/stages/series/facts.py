"""What series/ remembers of its making."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from tsclust.workspace.manifest import Facts, Stage


class SeriesFacts(Facts):
    """What was read, from where, and how far.

    origin  for people: where the series come from;  layout: how they are stored there
    place   a hash of where they come from, mark  how far the reading came: where --update goes on
    bytes   of all parts;  read  snapshot -> series read from it;  odd  what is odd -> series
    ranges  the (lowest, highest) ids of each part that was read by itself;  new  series added the last time
    files   a hash of the names, sizes and times of the files that were read, "" for a server
    changed  series that have changed in the source since they were read, by its watermark
    flags   what the command line set of [source]; in manifests of earlier versions only, see Manifest.made_with
    """

    INTERNAL: ClassVar[frozenset[str]] = frozenset({"ranges", "flags", "files", "changed"})
    LONG: ClassVar[frozenset[str]] = frozenset({"ranges", "flags", "files"})

    origin: str = ""
    layout: str = ""
    place: str = ""
    mark: str | None = None
    bytes: int = 0
    read: dict[str, int] = Field(default_factory=dict)
    odd: dict[str, int] = Field(default_factory=dict)
    ranges: tuple[tuple[str | None, str | None], ...] = ()
    new: int = 0
    files: str = ""
    changed: int = 0
    flags: dict[str, Any] = Field(default_factory=dict)


SERIES = Stage("series", "extract", SeriesFacts)
