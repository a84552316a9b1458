"""Reading a source into series/ and sealing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsclust.config import Settings, Source
from tsclust.engine.base import Listener
from tsclust.errors import NoSeriesError
from tsclust.source.protocols import SourceInfo
from tsclust.stages.series.facts import SERIES, SeriesFacts
from tsclust.stages.series.freshness import digest
from tsclust.stages.series.ingest import Reading
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter, write_manifest
from tsclust.workspace.parquet import StageWriter


def read_into(workspace: Workspace, settings: Settings, base: Path, listen: Listener) -> Manifest[SeriesFacts]:
    """Read the source of `settings`, whose paths are relative to `base`, into the series/ of another workspace."""
    meter = Meter()
    with workspace.locked(), workspace.resuming(SERIES) as writer:
        reading = Reading(
            settings, base, writer, listen, keep=lambda batch: batch, after=None, first=0, strict=False,
            check=lambda _: None,
        )  # fmt: skip
        info = reading.all()
        if not any(done.rows for done in reading.parts):
            raise no_series(info)
        return seal(writer, meter, settings, base, info, reading, None, {})


def seal(
    writer: StageWriter,
    meter: Meter,
    settings: Settings,
    base: Path,
    info: SourceInfo,
    reading: Reading,
    before: Manifest[SeriesFacts] | None,
    given: Mapping[str, object],
) -> Manifest[SeriesFacts]:
    """given: what flags set of [source]."""
    new = sum(done.rows for done in reading.parts)
    return write_manifest(
        writer, meter, SERIES, settings=digest(settings.source, base), inputs={"source": info.identity},
        seed=0, rows=new + (before.rows if before else 0), parts=len(writer.outputs),
        facts=_facts(info, reading, before).model_copy(update={"flags": _plain(settings.source, given)}),
    )  # fmt: skip


def _plain(source: Source, given: Mapping[str, object]) -> dict[str, Any]:
    """The flags that were given, as the settings understood them."""
    return source.model_dump(mode="json", include={name for name, value in given.items() if value is not None})


def no_series(info: SourceInfo) -> NoSeriesError:
    return NoSeriesError(
        f"{info.origin} has no series: expected at least one row", "Check [source] and its where, sample, limit"
    )


def _facts(info: SourceInfo, reading: Reading, before: Manifest[SeriesFacts] | None) -> SeriesFacts:
    """What is remembered of a reading, with what it was added to."""
    old = before.facts if before else SeriesFacts()
    mark = reading.journal.plan.mark if reading.journal.plan else None
    odd, read = Counter(old.odd), dict(old.read)
    for done in reading.parts:
        odd.update(done.odd)
        read[done.snapshot] = read.get(done.snapshot, 0) + done.rows
    return SeriesFacts(
        origin=info.origin, layout=info.layout, place=info.location_hash, mark=mark or old.mark,
        bytes=sum(d.size for d in reading.parts) + old.bytes, read=read, odd=dict(odd),
        ranges=tuple((r.low, r.high) for r in info.ranges), new=sum(d.rows for d in reading.parts),
    )  # fmt: skip
