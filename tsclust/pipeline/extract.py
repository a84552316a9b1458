"""extract: PostgreSQL, a pg_dump file, CSV or Parquet -> series/"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust import config
from tsclust.atomic import StageWriter
from tsclust.config import Settings, Source
from tsclust.engine import Listener, silent
from tsclust.errors import NoSeriesError, SettingsError
from tsclust.pipeline.reading import Reading
from tsclust.pipeline.result import Result, of_stage
from tsclust.pipeline.saving import save_source
from tsclust.series import hash_ids
from tsclust.source.odd import WORDS
from tsclust.source.postgres import relation
from tsclust.source.reader import Found, Keep
from tsclust.workspace import Manifest, Meter, Workspace, command, write_manifest


def extract(
    root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent, *,
    update: bool = False, strict: bool = False, save: bool = False,
) -> Result:  # fmt: skip
    """Read the series of the configured source into series/, in Parquet files of part_rows series.

    A reading that was interrupted goes on where it was, on a new snapshot; `strict` starts over.
    update: only what is new since the last time, as further parts. save: write what was found to tsclust.toml.
    """
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    meter = Meter()
    with workspace.locked(), workspace.resuming("series") as writer:
        before = workspace.find_manifest("series") if update else None
        after, keep, first = _rest_of(workspace, before, settings, root)
        reading = Reading(
            settings, root, writer, listen, keep=keep, after=after, first=first, strict=strict,
            check=lambda found: _same_source(workspace, found, before),
        )  # fmt: skip
        found = reading.all()
        new = sum(d.rows for d in reading.parts)
        if not new:
            reading.journal.clear()
            return _nothing_new(workspace, before, root, found)
        if before:
            for name, sha256 in before.outputs.items():
                writer.adopt(workspace.stage("series") / name, sha256)
        manifest = _seal(writer, meter, settings, root, found, reading, before)
    saved = save_source(workspace.config, flags, found.settings) if save else ()
    then = command("features", root)
    return of_stage("extract", workspace.stage("series"), manifest, then, notes=(*_notes(manifest, new), *saved))


def read_into(workspace: Workspace, settings: Settings, base: Path, listen: Listener) -> Manifest:
    """Read the source of `settings`, whose paths are relative to `base`, into the series/ of another workspace."""
    meter = Meter()
    with workspace.locked(), workspace.resuming("series") as writer:
        reading = Reading(
            settings, base, writer, listen, keep=lambda batch: batch, after=None, first=0, strict=False,
            check=lambda _: None,
        )  # fmt: skip
        found = reading.all()
        if not any(done.rows for done in reading.parts):
            raise _none(found)
        return _seal(writer, meter, settings, base, found, reading, None)


def _seal(
    writer: StageWriter,
    meter: Meter,
    settings: Settings,
    base: Path,
    found: Found,
    reading: Reading,
    before: Manifest | None,
) -> Manifest:
    new = sum(done.rows for done in reading.parts)
    return write_manifest(
        writer, meter, stage="series", settings=digest(settings.source, base), inputs={"source": found.identity},
        seed=0, rows=new + (before.rows if before else 0), parts=len(writer.outputs),
        facts=_facts(found, reading, before),
    )  # fmt: skip


def digest(source: Source, root: Path) -> str:
    """The hash of what is asked for: the settings but for how fast, and the text of the .sql file they name."""
    asked = source.model_copy(update={"workers": 2, "retries": 5})
    from_sql = not source.files and (source.table or source.query)
    return config.digest(asked, relation.relation(source, root).text.as_string() if from_sql else "")


def _rest_of(
    workspace: Workspace, before: Manifest | None, settings: Settings, root: Path
) -> tuple[str | None, Keep, int]:
    """(mark, filter of known series, number of the first new part) for what came after the reading `before`."""
    if before is None:
        return None, lambda batch: batch, 0
    if settings.source.watermark and settings.source.limit:
        raise SettingsError(
            "source.limit and source.watermark do not go together with --update: the first series by id are always the"
            " same ones",
            "Set limit = 0",
        )
    if before.settings != digest(settings.source, root):
        raise SettingsError(
            f"{workspace.stage('series')} was read with other settings of [source] than these: nothing can be added",
            f"Read all of it again: {command('extract', root)}",
        )
    parts = workspace.parts("series")
    return before.facts["mark"], _unknown(parts), int(parts[-1].stem.removeprefix("part-")) + 1


def _unknown(parts: list[Path]) -> Keep:
    """A filter of the series whose id is in none of these parts."""
    ids = (pq.read_table(path, columns=["series_id"])["series_id"].combine_chunks() for path in parts)
    known = np.sort(np.concatenate([hash_ids(of_part, 0) for of_part in ids]))

    def keep(batch: pa.RecordBatch) -> pa.RecordBatch:
        hashes = hash_ids(batch.column(0), 0)
        places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
        new = known[places] != hashes
        return batch if new.all() else batch.filter(pa.array(new))

    return keep


def _same_source(workspace: Workspace, found: Found, before: Manifest | None) -> None:
    """Raises SettingsError where what is to be added is of another database, or has other columns."""
    if before is None:
        return
    again = f"Read all of it again: {command('extract', workspace.root)}"
    if before.facts["place"] != found.place:
        raise SettingsError(
            f"{found.origin} is not where {workspace.stage('series')} came from ({before.facts['origin']})", again
        )
    there = pq.read_schema(workspace.parts("series")[0])
    if not there.equals(found.schema):
        raise SettingsError(
            f"the source has other columns now ({', '.join(found.schema.names)}) than {workspace.stage('series')}"
            f" ({', '.join(there.names)}), or other types",
            again,
        )


def _nothing_new(workspace: Workspace, before: Manifest | None, root: Path, found: Found) -> Result:
    if before is None:
        raise _none(found)
    note = f"nothing new since {before.made_at} in {found.origin}"
    facts = {"rows": before.rows, "parts": before.parts, **before.facts, "new": 0}
    then = command("features", root)
    return Result("extract", workspace.stage("series"), 0.0, 0.0, skipped=True, notes=(note,), then=then, facts=facts)


def _none(found: Found) -> NoSeriesError:
    return NoSeriesError(
        f"{found.origin} holds no series: expected at least one row", "Check [source] and its where, sample, limit"
    )


def _facts(found: Found, reading: Reading, before: Manifest | None) -> dict[str, Any]:
    """What is remembered of a reading, with what it was added to."""
    old: dict[str, Any] = before.facts if before else {}
    mark = reading.journal.plan.mark if reading.journal.plan else None
    odd, read = Counter(old.get("odd", {})), dict(old.get("read", {}))
    for done in reading.parts:
        odd.update(done.odd)
        read[done.snapshot] = read.get(done.snapshot, 0) + done.rows
    return {
        "origin": found.origin, "layout": found.layout, "place": found.place, "mark": mark or old.get("mark"),
        "bytes": sum(d.size for d in reading.parts) + old.get("bytes", 0), "read": read, "odd": dict(odd),
        "ranges": [[r.low, r.high] for r in found.ranges], "new": sum(d.rows for d in reading.parts),
    }  # fmt: skip


def _notes(manifest: Manifest, new: int) -> tuple[str, ...]:
    facts = manifest.facts
    added = f"{new:,} new series, " if new < manifest.rows else ""
    speed = f"{new / max(manifest.seconds, 0.001):,.0f} series/s"
    size = facts["bytes"] / 2**20
    odd = ", ".join(f"{n:,} {WORDS[name]}" for name, n in facts["odd"].items())
    return (
        f"from {facts['origin']}",
        f"{facts['layout']}",
        f"{added}{manifest.parts} part(s), {size:.0f} MB, {speed}, peak {manifest.peak_mb:.0f} MB of memory",
        f"{'snapshot' if ' of ' in next(iter(facts['read'])) else 'read at'} {', '.join(facts['read'])}"
        + (": a part of the series is of each" if len(facts["read"]) > 1 else ""),
        *([f"odd series, kept for the rules to judge: {odd}"] if odd else []),
    )
