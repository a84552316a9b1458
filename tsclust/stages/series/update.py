"""What came after the last reading: where it ended, which series are known, whether the source is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from tsclust.config import Settings
from tsclust.errors import SettingsError
from tsclust.hashing import hash_ids
from tsclust.source.protocols import RowFilter, SourceInfo
from tsclust.stages.series import parts
from tsclust.stages.series.facts import SERIES, SeriesFacts
from tsclust.stages.series.freshness import digest
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest


class FurtherColumnsError(SettingsError):
    """The source has `further` columns besides those that are `carried` along."""

    def __init__(self, carried: tuple[str, ...], further: tuple[str, ...], next_step: str) -> None:
        super().__init__(f"the source has further columns: {', '.join(further)}", next_step)
        self.carried, self.further = carried, further


def with_carried(settings: Settings, carried: tuple[str, ...]) -> Settings:
    """The same, with these columns carried along and no others."""
    return settings.model_copy(update={"source": settings.source.model_copy(update={"carry": carried})})


def rest_of(
    workspace: Workspace, before: Manifest[SeriesFacts] | None, settings: Settings | None, root: Path
) -> tuple[str | None, RowFilter, int]:
    """(mark, filter of known series, number of the first new part) for what came after the reading `before`.

    Raises SettingsError where these settings read other series than it did; None: they were looked at before.
    """
    if before is None:
        return None, lambda batch: batch, 0
    if settings:
        _refuse_other(workspace, before, settings, root)
    paths = workspace.parts(SERIES)
    return before.facts.mark, _unknown(paths), int(paths[-1].stem.removeprefix("part-")) + 1


def _refuse_other(workspace: Workspace, before: Manifest[SeriesFacts], settings: Settings, root: Path) -> None:
    if settings.source.watermark and settings.source.limit:
        raise SettingsError(
            "source.limit and source.watermark cannot be combined with --update: the first series by id are always the"
            " same",
            "Set limit = 0",
        )
    if before.settings != digest(settings.source, root):
        raise SettingsError(
            f"{workspace.stage(SERIES)} was read with other [source] settings: nothing can be added",
            f"Read all of it again: {command('extract', root)}",
        )


def _unknown(paths: list[Path]) -> RowFilter:
    """A filter of the series whose id is in none of these parts."""
    known = np.sort(np.concatenate([hash_ids(parts.read_ids(path), 0) for path in paths]))

    def keep(batch: pa.RecordBatch) -> pa.RecordBatch:
        hashes = hash_ids(batch.column(0), 0)
        places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
        new = known[places] != hashes
        return batch if new.all() else batch.filter(pa.array(new))

    return keep


def check_source(workspace: Workspace, info: SourceInfo, before: Manifest[SeriesFacts] | None) -> None:
    """Raises SettingsError where what is to be added is of another database, or has other columns."""
    if before is None:
        return
    again = f"Read all of it again: {command('extract', workspace.root)}"
    if before.facts.place != info.location_hash:
        raise SettingsError(
            f"{info.origin} is not where {workspace.stage(SERIES)} came from ({before.facts.origin})", again
        )
    there = parts.SeriesFiles.of(workspace).schema
    further = [field for field in info.schema if field.name not in there.names]
    if further and pa.schema([f for f in info.schema if f not in further]).equals(there):
        raise FurtherColumnsError(tuple(there.names[1:-1]), tuple(field.name for field in further), again)
    if not there.equals(info.schema):
        raise SettingsError(
            f"the columns of the source ({', '.join(info.schema.names)}), or their types, are no longer those of"
            f" {workspace.stage(SERIES)} ({', '.join(there.names)})",
            again,
        )
