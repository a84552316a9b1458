"""extract: PostgreSQL -> series/"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsclust import config
from tsclust.engine import Listener, Progress, map_parts, silent
from tsclust.pipeline.result import Result, of_stage
from tsclust.source import postgres
from tsclust.source.postgres import Range, Reader
from tsclust.workspace import Meter, StageWriter, Workspace, write_manifest


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
        sizes = _copy(reader, writer, settings.source.workers, listen)
        manifest = write_manifest(
                writer, meter, stage="series", settings=config.digest(settings.source), inputs={}, seed=0,
                rows=sum(rows for rows, _ in sizes), parts=len(sizes),
                facts={
                    "origin": reader.found.origin, "snapshot": reader.found.snapshot,
                    "bytes": sum(size for _, size in sizes),
                },
            )  # fmt: skip
    return of_stage("extract", workspace.stage("series"), manifest, f"tsclust features -w {root}")


def _copy(reader: Reader, writer: StageWriter, workers: int, listen: Listener) -> list[tuple[int, int]]:
    """(rows, bytes on disk) of every part written."""

    def one_part(numbered: tuple[int, Range]) -> tuple[int, int]:
        number, range_ = numbered
        table = reader.read(range_)
        name = f"part-{number:05d}.parquet"
        writer.write_table(name, table)
        return table.num_rows, (writer.folder / name).stat().st_size

    sizes: list[tuple[int, int]] = []
    for size in map_parts(one_part, enumerate(reader.found.ranges), workers):
        sizes.append(size)
        listen(Progress("extract", sum(rows for rows, _ in sizes), reader.found.rows))
    return sizes
