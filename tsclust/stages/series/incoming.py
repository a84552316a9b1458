"""incoming/ of a workspace, what a stream could not name -> further parts of series/, so that all stages know them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.errors import DamagedError
from tsclust.hashing import hash_ids
from tsclust.series import ID, nameless
from tsclust.stages.series import parts
from tsclust.stages.series.facts import SERIES
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter, write_manifest

FOLDER = "incoming"  # in a workspace
BY = "cluster --unlabelled"


def take_in(workspace: Workspace) -> tuple[int, int]:
    """(series of incoming/ that series/ has from now on, those that it cannot hold: of no id, or one of another type).

    The files stay: what series/ has already is not taken again. Raises StageMissingError where there is no series/,
    DamagedError.
    """
    paths = sorted((workspace.root / FOLDER).glob("part-*.parquet"))
    if not paths:
        return 0, 0
    files, meter = SeriesFiles.of(workspace), Meter()
    tables, unfit = zip(*(_as_series(path, files.schema) for path in paths), strict=True)
    new = _unknown(pa.concat_tables(tables), files.paths)
    if len(new):
        _add(workspace, files, new, meter)
    return len(new), sum(unfit)


def _add(workspace: Workspace, files: SeriesFiles, new: pa.Table, meter: Meter) -> None:
    before = files.manifest
    number = int(files.paths[-1].stem.removeprefix("part-")) + 1
    with workspace.writing(SERIES, BY) as writer:
        for name, sha256 in before.outputs.items():
            writer.adopt(files.folder / name, sha256)
        writer.write_table(f"part-{number:05d}.parquet", new)
        write_manifest(
            writer, meter, SERIES, settings=before.settings, inputs=before.inputs, seed=before.seed,
            rows=before.rows + len(new), parts=before.parts + 1, made_with=before.made_with,
            facts=before.facts.model_copy(update={"new": len(new)}),
        )  # fmt: skip


def _as_series(path: Path, schema: pa.Schema) -> tuple[pa.Table, int]:
    """(the series of a file in the columns of series/, how many have no id of its type). A column that a message did
    not carry is null."""
    try:
        table = parts.read_table(path)
        fit = _fitting(table[ID], schema.field(ID).type)
        left = table.filter(pa.array(fit))
        columns = {field.name: _column(left, field) for field in schema}
    except (pa.ArrowException, KeyError, OSError) as error:
        raise DamagedError(f"{path} cannot be read: {error}"[:300], f"Move it out of {path.parent}") from None
    return pa.table(columns, schema), int((~fit).sum())


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    """Nulls where there is no such column, or one that is not of this type."""
    if field.name in table.column_names:
        try:
            return table[field.name].cast(field.type)
        except pa.ArrowException:
            if field.name == ID:
                raise
    return pa.chunked_array([pa.nulls(len(table), field.type)])


def _fitting(ids: pa.ChunkedArray, to: pa.DataType) -> np.ndarray:
    """(n,) which of the ids, texts, name something and are of this type."""
    if pa.types.is_string(to):
        return ~nameless(ids)
    fits: np.ndarray = pc.match_substring_regex(ids, r"^-?[0-9]{1,18}$").to_numpy()
    return fits


def _unknown(table: pa.Table, paths: tuple[Path, ...]) -> pa.Table:
    """The first of each id, where no part has it."""
    known = np.concatenate([hash_ids(parts.read_ids(path), 0) for path in paths])
    hashes = hash_ids(table[ID].combine_chunks(), 0)
    _, first = np.unique(hashes, return_index=True)
    rows = np.sort(first)
    return table.take(pa.array(rows[~np.isin(hashes[rows], known)]))
