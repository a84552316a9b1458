"""extract: PostgreSQL, a pg_dump file, CSV or Parquet -> series/"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsclust import config
from tsclust.config.save import save_source
from tsclust.engine.base import Listener, silent
from tsclust.source.protocols import SourceInfo
from tsclust.stages.series import messages
from tsclust.stages.series.facts import SERIES, SeriesFacts
from tsclust.stages.series.freshness import with_remembered
from tsclust.stages.series.ingest import Reading
from tsclust.stages.series.step import no_series, seal
from tsclust.stages.series.update import check_source, rest_of
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter
from tsclust.workspace.result import Result, about_stage, of_stage


def extract(
    root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent, *,
    update: bool = False, strict: bool = False, save: bool = False,
) -> Result:  # fmt: skip
    """Read the series of the configured source into series/, in Parquet files of part_rows series.

    A reading that was interrupted goes on where it was, on a new snapshot; `strict` starts over.
    update: only what is new since the last time, as further parts. save: write what was found to tsclust.toml.
    """
    workspace = Workspace.open(root)
    flags = with_remembered(workspace, flags)
    settings = config.load(workspace.config, flags)
    meter, by = Meter(), f"extract{' --update' if update else ''}"
    with workspace.locked(settings.history.keep), workspace.resuming(SERIES, by) as writer:
        before = workspace.find_manifest(SERIES) if update else None
        after, keep, first = rest_of(workspace, before, settings, root)
        reading = Reading(
            settings, root, writer, listen, keep=keep, after=after, first=first, strict=strict,
            check=lambda info: check_source(workspace, info, before),
        )  # fmt: skip
        info = reading.all()
        new = sum(d.rows for d in reading.parts)
        if not new:
            reading.journal.clear()
            return _nothing_new(workspace, before, root, info)
        if before:
            for name, sha256 in before.outputs.items():
                writer.adopt(workspace.stage(SERIES) / name, sha256)
        manifest = seal(writer, meter, settings, root, info, reading, before, config.section(flags, "source"))
    saved = save_source(workspace.config, flags, info.settings) if save else ()
    then = command("features", root)
    return of_stage("extract", workspace.stage(SERIES), manifest, then, notes=(*messages.notes(manifest, new), *saved))


def _nothing_new(workspace: Workspace, before: Manifest[SeriesFacts] | None, root: Path, info: SourceInfo) -> Result:
    if before is None:
        raise no_series(info)
    note = f"nothing new since {before.made_at} in {info.origin}"
    facts = about_stage(before) | {"new": 0}
    then = command("features", root)
    return Result("extract", workspace.stage(SERIES), 0.0, 0.0, skipped=True, notes=(note,), then=then, facts=facts)
