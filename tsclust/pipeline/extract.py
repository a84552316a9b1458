"""extract: PostgreSQL -> series/"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsclust import config
from tsclust.config import Source
from tsclust.engine import Listener, Progress, map_parts, silent
from tsclust.pipeline.result import Result, of_stage
from tsclust.source import layouts, postgres
from tsclust.source.postgres import Range, Reader
from tsclust.workspace import Meter, StageWriter, Workspace, command, write_manifest


def extract(root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent) -> Result:
    """Read the series of the configured source into series/, one Parquet file per range of keys, from one snapshot."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    meter = Meter()
    dsn = settings.dsn.get_secret_value()
    with (
        workspace.locked(),
        postgres.opened(dsn, settings.source, root) as reader,
        workspace.writing("series") as writer,
    ):
        found = reader.found
        written = _copy(reader, writer, settings.source.workers, listen)
        manifest = write_manifest(
            writer, meter, stage="series", settings=digest(settings.source, root),
            inputs={"query": config.digest(found.query)}, seed=0, rows=found.rows, parts=len(found.ranges),
            facts={"origin": found.origin, "snapshot": found.snapshot, "bytes": written},
        )  # fmt: skip
    notes = (
        f"from {found.origin}: {written / 2**20:.0f} MB in {len(found.ranges)} part(s), snapshot {found.snapshot}",
    )
    return of_stage("extract", workspace.stage("series"), manifest, command("features", root), notes=notes)


def digest(source: Source, root: Path) -> str:
    """The hash of what is asked of the database: the settings, and the text of the .sql file they name."""
    query = layouts.relation(source, root).text.as_string() if source.table or source.query else ""
    return config.digest(source, query)


def _copy(reader: Reader, writer: StageWriter, workers: int, listen: Listener) -> int:
    """Every range becomes a part; the bytes written."""

    def one_part(numbered: tuple[int, Range]) -> tuple[int, int]:
        number, range_ = numbered
        name = f"part-{number:05d}.parquet"
        writer.write_table(name, reader.read(range_))
        return range_.rows, (writer.folder / name).stat().st_size

    rows = size = 0
    for part_rows, part_size in map_parts(one_part, enumerate(reader.found.ranges), workers):
        rows, size = rows + part_rows, size + part_size
        listen(Progress("extract", rows, reader.found.rows))
    return size
