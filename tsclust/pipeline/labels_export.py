"""labels export: labels/ -> a file, or a table in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from tsclust.engine.base import Listener, silent
from tsclust.errors import SettingsError
from tsclust.pipeline.settings import load
from tsclust.series import ID
from tsclust.sink.postgres.table import write_table
from tsclust.sink.postgres.target import names_of
from tsclust.stages.labels import files
from tsclust.workspace.atomic import appearing
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result

CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # but tabs and line breaks
FORMULA = r"^([=+@\t-])"  # OWASP, CSV injection


def labels_export(
    root: Path,
    to: Path | None = None,
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    to_table: str = "",
) -> Result:
    """Write the labels to a .csv or .parquet file, to a table in PostgreSQL, or to both.

    A row for each series and labeller; with [labels] resolve one for each series. Raises SettingsError for a file of
    another kind or a table that is not tsclust's, and what write_table raises.
    """
    workspace, meter = Workspace.open(root), Meter()
    settings = load(workspace, flags)
    if to is None and not to_table:
        example = "For example: tsclust labels export labels.csv"
        raise SettingsError("labels export: expected a file or --to-table", example)
    resolve = settings.labels.resolve
    found = (files.in_use(workspace, settings.labels.resolve) if resolve else files.labels(workspace)).to_arrow()
    if to_table:
        names_of(to_table, found.column_names)
    if to is not None:
        save(found, to)
    if to_table:
        write_table(settings.dsn.get_secret_value(), to_table, found)
    what = "one for each series" if resolve else "one for each series and labeller"
    places = " and ".join(str(place) for place in (to, to_table) if place)
    notes = (f"{len(found):,} labels, {what}, to {places}",)
    series = pc.count_distinct(found[ID]).as_py()
    facts = {"rows": series, "labels": len(found), "file": str(to) if to else None, "table": to_table or None}
    return Result("labels export", to, *meter.read(), notes=notes, then=command("status", root), facts=facts)


def save(table: pa.Table, to: Path) -> None:
    """As CSV or Parquet, by the name. Raises SettingsError for any other."""
    kinds = {".csv": _write_csv, ".parquet": pq.write_table}
    if to.suffix.lower() not in kinds:
        raise SettingsError(f"{to}: expected a name that ends in .csv or .parquet", "Choose such a name")
    with appearing(to) as beside:
        kinds[to.suffix.lower()](table, beside)


def _write_csv(table: pa.Table, to: Path) -> None:
    """Texts come from files that anybody may have written: a spreadsheet must not take one for a formula, nor a
    terminal for a command. Parquet has them as they are."""
    text = pl.col(pl.String).exclude(ID)  # which has to stay what it is
    safe = text.str.replace_all(CONTROL, "\ufffd").str.replace(FORMULA, "'$1")
    pa.csv.write_csv(pl.DataFrame(table).with_columns(safe).to_arrow(), to)
