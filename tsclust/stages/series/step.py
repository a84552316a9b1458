"""Reading a source into series/ and sealing it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tsclust.config import Settings
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
        return seal(writer, meter, settings, base, info, reading, None)


def seal(
    writer: StageWriter,
    meter: Meter,
    settings: Settings,
    base: Path,
    info: SourceInfo,
    reading: Reading,
    before: Manifest[SeriesFacts] | None,
    files: str = "",
    changed: int = 0,
) -> Manifest[SeriesFacts]:
    """before: what the series were added to; files, changed: see SeriesFacts."""
    new = sum(done.rows for done in reading.parts)
    asked = before.settings if before else digest(settings.source, base)
    facts = _facts(info, reading, before).model_copy(update={"files": files, "changed": changed})
    return write_manifest(
        writer, meter, SERIES, settings=asked, inputs={"source": info.identity},
        seed=0, rows=new + (before.rows if before else 0), parts=len(writer.outputs),
        facts=facts, made_with=settings.differences("source"),
    )  # fmt: skip


def no_series(info: SourceInfo) -> NoSeriesError:
    return NoSeriesError(
        f"{info.origin} has no series: expected at least one row",
        "Check [source] and its where, sample, limit; of score, also --since",
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
